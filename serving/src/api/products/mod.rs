//! Products, as the `search_index` pipeline composes them.

pub mod document;
pub mod fallback;
pub mod get;
pub mod lookup;
pub mod prices;
pub mod related;
pub mod skus;

pub use document::{Product, Variant};

/// The store of the product documents.
pub const DOCUMENTS: &str = "search_index.product_documents";
/// The store that leads from a SKU to its product.
pub const SKU_IDS: &str = "search_index.sku_ids";
