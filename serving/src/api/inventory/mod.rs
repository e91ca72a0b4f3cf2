//! Stock levels, as the `inventory` pipeline counts them.

pub mod get;
