//! The log's topics, as operators see them.

pub mod records;
