//! Pipelines against known answers, and the runtime against crashes.

mod fixtures;
mod runtime;
mod script;
