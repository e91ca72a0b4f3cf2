//! Pipelines against known answers, and the runtime against crashes.

mod fixtures;
mod platform;
mod runtime;
mod views;
