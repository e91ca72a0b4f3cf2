//! Relational operators that are maintained incrementally: joins, aggregates, distinct, top-N, over tables with inserts, updates
//! and deletes.
//!
//! A [`Plan`] says what to compute; a [`Circuit`] keeps it computed. Rows go in and come out as Arrow batches with weights
//! ([`Delta`]); in between, stateless work runs on whole batches and stateful work on rows of bytes ([`Row`]) in Z-sets of the
//! `dbsp` crate. This crate knows neither SQL nor any connector: expressions come in as [`ColumnFn`].

mod budget;
mod build;
mod circuit;
mod codec;
mod column;
mod delta;
mod error;
mod explain;
mod files;
mod late;
mod limbs;
mod lookup;
mod output;
mod panics;
mod plan;
mod row;
mod row_errors;
mod stage;
mod ttl;

pub use budget::Budget;
pub use circuit::{Circuit, Config, Memory, Share, fingerprint};
pub use codec::{Codec, Encoding, Rows};
pub use column::{ColumnFn, RowsFn, Term};
pub use delta::Delta;
pub use error::Error;
pub use explain::{explain, keeps};
pub use files::{CheckpointFiles, adopt_checkpoint, checkpoint_files};
pub use late::Late;
pub use lookup::{Found, Lookup, Lookups};
pub use output::merge;
pub use plan::{Body, Bound, GroupFn, JoinKind, Linear, Node, NodeId, Numbering, Operator, Part, PartitionFn, Plan, Side, Sink};
pub use row::Row;
pub use row_errors::RowErrors;
pub use stage::Stage;
