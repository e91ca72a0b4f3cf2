//! A topic of the log: a view's changes for others to read, each once.

mod content;
mod mark;
mod sink;

pub use sink::open;

/// The name that a topic has in Arroyo's dialect, as a source and as a sink, whichever log is behind it.
pub(crate) const CONNECTOR: &str = "kafka";
