//! Brands.

pub mod brand;
pub mod collection;
pub mod item;
