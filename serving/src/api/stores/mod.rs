//! The derived stores: what there is, how old each one is.

pub mod list;
pub mod rows;
pub mod status;
pub mod stream;
