//! The audit trail, to be searched.

pub mod list;
