//! Stores that keep rows by key, as sinks of scripts: the platform's own sinks, with a script's steps as their epochs.
//!
//! A run of a script is a journal of its own. A store that holds something before the first run is left alone, and refused. From then on it is the
//! script's: when the next run begins, all that is in the table, or below the prefix in Redis, is removed.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{Writer, WriterSpec};
use crate::sink::{Sink, SinkSpec, postgres, redis};
use crate::{Changes, EpochChanges, EpochInfo, Error, Frontier, Result, threads};

pub(super) const REDIS: &str = redis::CONNECTOR;
pub(super) const POSTGRES: &str = postgres::CONNECTOR;
/// Waits between tries; then the script ends with an error.
const WAITS_MS: [u64; 6] = [100, 300, 1_000, 3_000, 10_000, 10_000];

struct Store {
    sink: Box<dyn Sink>,
    /// The table, for messages.
    table: String,
    runtime: Runtime,
    incarnation: Uuid,
    epoch: u64,
    /// Whether something was written since the last flush.
    dirty: bool,
}

type OpenAt = fn(&SinkSpec, &str) -> Result<Box<dyn Sink>>;

pub(super) fn open_redis(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    open(REDIS, spec, "address", "target.key_prefix", redis::open_at)
}

pub(super) fn open_postgres(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    open(POSTGRES, spec, "url", "table", postgres::open_at)
}

/// `address`: the option that says where the server is. `target`: the one that tells two stores of a server apart.
fn open(connector: &'static str, spec: &WriterSpec, address: &'static str, target: &str, open_at: OpenAt) -> Result<Box<dyn Writer>> {
    let mut options = spec.options.clone();
    let missing = || Error::config(connector, format!("table {}: option '{address}' is missing", spec.table));
    let url = options.remove(address).ok_or_else(missing)?;
    let store = options.get(target).cloned().unwrap_or_default();
    let sink_spec = SinkSpec {
        pipeline: "script".to_owned(),
        table: store,
        schema: spec.schema.clone(),
        primary_key: spec.primary_key.clone(),
        options,
    };
    let runtime = threads::runtime()?;
    // A sink may begin to connect when it is made.
    let sink = {
        let _entered = runtime.enter();
        open_at(&sink_spec, &url)?
    };
    let mut store = Store { sink, table: spec.table.clone(), runtime, incarnation: Uuid::new_v4(), epoch: 0, dirty: false };
    store.begin()?;
    Ok(Box::new(store))
}

impl Store {
    /// Empties what an earlier run left.
    fn begin(&mut self) -> Result<()> {
        let sink = &mut self.sink;
        let (applied, rows) = self.runtime.block_on(async {
            let applied = sink.applied().await?;
            let rows = if applied.is_none() { sink.len().await? } else { 0 };
            Ok::<_, Error>((applied, rows))
        })?;
        if applied.is_none() && rows > 0 {
            let message = format!("table {}: the store holds {rows} rows that no script wrote; empty it, or name another one", self.table);
            return Err(Error::config("sink", message));
        }
        self.runtime.block_on(self.sink.reset())
    }
}

impl Writer for Store {
    fn write(&mut self, changes: &Changes) -> Result<()> {
        self.epoch += 1;
        let info = EpochInfo { incarnation: self.incarnation, epoch: self.epoch, frontier: Frontier::default(), committed_ms: 0 };
        let epoch = [EpochChanges { info: Arc::new(info), changes: changes.clone() }];
        let sink = &mut self.sink;
        self.dirty = true;
        self.runtime.block_on(async {
            let mut waits = WAITS_MS.iter();
            loop {
                match sink.apply(&epoch).await {
                    // One that was written although its answer was lost is skipped the next time.
                    Err(error) if error.is_retryable() => match waits.next() {
                        Some(wait) => tokio::time::sleep(Duration::from_millis(*wait)).await,
                        None => return Err(error),
                    },
                    done => return done,
                }
            }
        })
    }

    fn flush(&mut self) -> Result<()> {
        if std::mem::take(&mut self.dirty) { self.runtime.block_on(self.sink.flush()) } else { Ok(()) }
    }
}
