//! What merchandisers do with the catalogue: products, variants, brands, the tree of categories, prices, pictures, imports.
//!
//! Shoppers read products in [`super::products`], from documents that a pipeline keeps; only the small lists that pages are framed with
//! ([`navigation`]) are read from the catalogue itself.

pub mod brands;
pub mod categories;
mod checks;
pub mod import;
mod lock;
pub mod navigation;
pub mod pictures;
pub mod products;
mod refused;
mod skus;
pub mod variants;
pub mod version;
mod write;

pub use pictures::store::PictureStore;
pub use write::Write;
