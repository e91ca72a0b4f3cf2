//! What connectors do against real servers and files.
#![allow(clippy::unwrap_used)]

mod cdc;
mod dlq;
mod format;
mod guarded;
mod log;
mod lookups;
mod sinks;
