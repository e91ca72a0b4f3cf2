//! Pipelines against known answers, and the runtime against crashes.
#![allow(clippy::unwrap_used)]

mod backpressure;
mod fixtures;
mod lookups;
mod nexmark;
mod offsite;
mod platform;
#[path = "../../examples/nexmark/queries.rs"]
mod queries;
mod registry;
mod runtime;
mod script;
mod script_events;
mod script_stores;
mod views;
