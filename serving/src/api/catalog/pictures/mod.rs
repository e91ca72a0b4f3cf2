//! Pictures of products: taken in as anybody may send them, kept as we write them.

pub mod collection;
pub mod item;
pub mod picture;
pub mod rendition;
pub mod store;
pub mod sweep;
mod upload;
