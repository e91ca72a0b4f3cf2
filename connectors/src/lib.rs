//! Sources, sinks, lookups and the log: everything through which data enters and leaves Chimera.
//!
//! A connector is a folder here and one line in a registry. Connectors know Arrow batches and weights; they know neither SQL nor
//! dataflows.

pub mod changes;
pub mod context;
pub mod dlq;
pub mod error;
pub mod format;
pub mod frontier;
pub mod log;
pub mod lookup;
pub mod nexmark;
mod options;
pub mod postgres_cdc;
pub mod sink;
pub mod source;
mod threads;
pub mod writer;

pub use changes::{Changes, EpochChanges, EpochInfo};
pub use context::Context;
pub use error::{Error, Result};
pub use frontier::Frontier;
