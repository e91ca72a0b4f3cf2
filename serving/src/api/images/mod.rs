//! Pictures of products.

pub mod get;
