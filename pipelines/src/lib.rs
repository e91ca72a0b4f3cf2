//! Loads declared pipelines, runs them epoch by epoch, and brings them back after a crash.
//!
//! The way of an epoch: [`coordinator`] takes whole source transactions from the log, writes their range into the [`journal`], decodes
//! them once and shows them to every pipeline; each pipeline's [`worker`] feeds them to its dataflow and hands the changes of each
//! view to that store's [`applier`]. A pipeline that is behind (after a restart, or because a store was away) reads the same epochs
//! again from journal and log.

mod applier;
mod checkpoint;
mod coordinator;
mod created;
mod dataflow;
mod definition;
mod durable;
mod engine;
mod epochs;
mod error;
mod functions;
mod handle;
pub mod hosts;
mod inputs;
mod inspect;
mod journal;
mod late;
mod lookup;
mod manage;
mod memory;
mod offsite;
mod put_aside;
mod reader;
mod runtime;
pub mod script;
mod status;
mod worker;

pub use created::CreatedView;
pub use definition::{Definition, bundled, from_dir, sources, verification};
pub use error::Error;
pub use functions::{functions, version as functions_version};
pub use handle::{Handle, WaitError};
pub use inputs::Service;
pub use inspect::{PipelineDiff, PipelineReport, PipelineState, StoreChange, StoreDiff};
pub use manage::{Actor, Manager, ViewError, ViewStatus};
pub use offsite::{Error as OffsiteError, Offsite};
pub use runtime::{Config, Runtime};
pub use status::{PipelineStatus, StoreStatus};

/// The topic that epochs are journalled in.
pub use journal::TOPIC as JOURNAL_TOPIC;
