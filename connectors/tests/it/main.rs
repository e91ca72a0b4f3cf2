//! What connectors do against real servers and files.

mod cdc;
mod dlq;
mod format;
mod log;
mod sinks;
