//! What shoppers do, on its way into the topic `clickstream`.

pub mod create;
pub mod event;

/// The topic, and the name of its position in tokens.
pub const CLICKSTREAM: &str = "clickstream";
