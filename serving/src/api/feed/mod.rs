//! What to show a shopper first.

pub mod get;
pub mod sessions;
