//! Webhooks: programs that want to hear of orders, and how they are called.

pub mod client;
pub mod collection;
pub mod item;
pub mod target;
pub mod webhook;

pub use client::Client;
pub use webhook::{Webhook, find, listening};
