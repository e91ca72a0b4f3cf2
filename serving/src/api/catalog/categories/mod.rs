//! Categories: a tree, however many change it at once.

pub mod category;
pub mod collection;
pub mod item;
pub mod place;
