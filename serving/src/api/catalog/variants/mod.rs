//! Variants: what a product can be bought as, each under a SKU of its own.

pub mod collection;
pub mod item;
pub mod variant;
