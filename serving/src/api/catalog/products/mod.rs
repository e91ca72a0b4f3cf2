//! Products, as the catalogue has them: whether or not they are on sale.

pub mod collection;
pub mod item;
pub mod price;
pub mod product;

pub use product::{CatalogProduct, find};
