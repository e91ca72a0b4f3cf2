//! Sinks: each keeps one store equal to one view, epoch by epoch.

pub(crate) mod blocking;
pub(crate) mod mark;
pub(crate) mod merge;
pub mod postgres;
pub mod redis;
pub mod tantivy;
pub mod topic;
pub mod vector;
pub mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use uuid::Uuid;

use crate::{Context, EpochChanges, Error, Result};

/// A sink table of a pipeline, as declared by `CREATE TABLE … WITH (connector = '…', …)`.
#[derive(Clone, Debug)]
pub struct SinkSpec {
    pub pipeline: String,
    pub table: String,
    pub schema: SchemaRef,
    /// Names of the key columns; upserts and deletes go by them. Never empty.
    pub primary_key: Vec<String>,
    /// The `WITH` options, without `connector` and `type`.
    pub options: BTreeMap<String, String>,
}

/// How far a store is, read from the store itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    pub incarnation: Uuid,
    pub epoch: u64,
}

/// Keeps a store equal to a view.
///
/// Contract, checked for every sink by one compliance suite:
/// - `apply` writes the epochs' changes and the last epoch's number in one atomic write; epochs that the store has are skipped.
/// - Within one `apply` changes are merged by primary key: a key with an inserted row is set to it, a key with only deleted rows goes.
/// - A crash at any point leaves the store at a whole epoch, at least the one of the last `flush` that returned.
/// - `reset` empties the store, and leaves it without an applied epoch.
#[async_trait]
pub trait Sink: Send {
    /// The last epoch in the store, `None` for a store that is new or was reset.
    async fn applied(&mut self) -> Result<Option<Applied>>;

    async fn reset(&mut self) -> Result<()>;

    /// Applies whole epochs, in order. When it returns, readers see them. An epoch without changes only moves the number.
    async fn apply(&mut self, epochs: &[EpochChanges]) -> Result<()>;

    /// Makes everything applied survive a crash of this machine's processes.
    async fn flush(&mut self) -> Result<()>;

    /// The least time between two writes: a store whose writes cost much by themselves gathers epochs. Zero: as they come.
    fn pace(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    /// Rows or documents in the store.
    async fn len(&mut self) -> Result<u64>;
}

type Open = fn(&SinkSpec, &Context) -> Result<Box<dyn Sink>>;

/// Every sink connector.
const CONNECTORS: [(&str, Open); 6] = [
    (postgres::CONNECTOR, postgres::open),
    (redis::CONNECTOR, redis::open),
    (tantivy::CONNECTOR, tantivy::open),
    (topic::CONNECTOR, topic::open),
    (vector::CONNECTOR, vector::open),
    (view::CONNECTOR, view::open),
];

/// Opens the store of a sink table, declared `WITH (connector = '…')`. Stores behind a network are connected to when first used.
///
/// Errors when there is no such connector, when an option is missing, unknown or cannot work, and when a store in files cannot be opened.
pub async fn open(connector: &str, spec: SinkSpec, context: Arc<Context>) -> Result<Box<dyn Sink>> {
    let Some((name, open)) = CONNECTORS.iter().find(|(name, _)| *name == connector) else {
        let names: Vec<&str> = CONNECTORS.iter().map(|(name, _)| *name).collect();
        let message = format!("table {}.{}: no sink connector '{connector}'; there are {}", spec.pipeline, spec.table, names.join(", "));
        return Err(Error::config("sink", message));
    };
    let open = *open;
    blocking::blocking(name, move || open(&spec, &context)).await
}
