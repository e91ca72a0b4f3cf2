//! Search by picture.

pub mod create;
mod picture;

/// The store of the pictures' vectors, and the index's name.
pub const IMAGES: &str = "visual_index.images";
pub const INDEX: &str = "products";
