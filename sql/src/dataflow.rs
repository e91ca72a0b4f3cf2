//! A program that runs.

use crate::planner::{Program, SourceTime};
use crate::table::SinkChanges;
use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimeUnit, TimestampNanosecondType};
use chimera_operators::{Circuit, Config, Delta, Error as EngineError, Late, Lookups, Memory, Share};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Debug, Clone, Default)]
pub struct DataflowConfig {
    /// Threads that compute; 0 is taken as 1. State made with one number cannot be taken up with another.
    pub workers: usize,
    /// The other processes that compute it, each with as many threads. `None`: this one alone.
    pub share: Option<Share>,
    /// Folder for state, used by this dataflow alone; without it state stays in memory and there are no checkpoints.
    pub storage: Option<PathBuf>,
    /// The checkpoint to continue from; without it the dataflow begins empty.
    pub checkpoint: Option<Uuid>,
    pub memory: Memory,
    /// Who answers for the program's [lookup tables](Program::lookups).
    pub lookups: Lookups,
    /// Rows that come too late are kept until [`Dataflow::take_late`] is called.
    pub keep_late: bool,
}

/// Changes of a sink: each row once, deletes before inserts. Columns and types are those of the sink.
#[derive(Debug, Clone)]
pub struct Output {
    pub table: String,
    pub changes: Delta,
}

/// Rows that an expression refused: they are left out, as if they were not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    pub message: String,
    /// Rows since the last time errors were taken.
    pub count: u64,
}

/// How far a source has come.
struct Time {
    source: SourceTime,
    /// The latest time of its rows, in nanoseconds since 1970.
    latest: i64,
}

/// Keeps the sinks of a program up to date. Driven by one thread at a time; may be moved between threads.
pub struct Dataflow {
    circuit: Circuit,
    sinks: Vec<(String, SinkChanges)>,
    /// The sources whose rows tell the time.
    times: Vec<Time>,
    /// Sources that have not ended, of those that queries read.
    unended: BTreeSet<String>,
    /// Declared tables that no query reads: what is pushed to them changes nothing.
    unread: BTreeSet<String>,
    /// Of each other source, its columns, and those that are read.
    columns: BTreeMap<String, (SchemaRef, SchemaRef)>,
}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<Dataflow>();

impl Program {
    /// Starts the dataflow's threads, empty or from a checkpoint.
    pub fn start(&self, config: DataflowConfig) -> Result<Dataflow, EngineError> {
        let DataflowConfig { workers, share, storage, checkpoint, memory, lookups, keep_late } = config;
        let workers = workers.max(1);
        let circuit = Circuit::start(self.plan.clone(), &Config { workers, share, storage, checkpoint, memory, lookups, keep_late })?;
        let is_read = |name: &str| self.plan.input_schema(name).is_some();
        let names = self.sources.iter().map(|table| table.name.clone());
        let columns = names.clone().filter_map(|name| {
            let columns = (self.plan.input_schema(&name)?.clone(), self.columns_read(&name)?);
            Some((name, columns))
        });
        let columns = columns.collect();
        let (unended, unread) = names.partition(|name| is_read(name));
        let changes = |name: &str| self.sinks.iter().find(|sink| sink.name == name).map_or(SinkChanges::Keyed, |sink| sink.changes);
        let sinks = self.plan.sinks.iter().map(|sink| (sink.table.clone(), changes(&sink.table))).collect();
        let times = self.times.iter().filter(|time| is_read(&time.table));
        let times = times.map(|source| Time { source: source.clone(), latest: i64::MIN }).collect();
        Ok(Dataflow { circuit, sinks, times, unended, unread, columns })
    }
}

impl Dataflow {
    /// Takes in changes of a source table for the next step. Columns are found by name; further columns are ignored, and those
    /// that nothing [reads](Program::columns_read) may be missing.
    pub fn push(&mut self, table: &str, delta: Delta) -> Result<(), EngineError> {
        if self.unread.contains(table) {
            return Ok(());
        }
        for time in self.times.iter_mut().filter(|time| time.source.table == table) {
            time.latest = time.latest.max(latest(&time.source, &delta)?);
        }
        let delta = self.filled(table, delta)?;
        self.circuit.push(table, delta)
    }

    /// Says that what arrives of `table` from now on arrives at `time` or later, in nanoseconds since 1970: of tables whose rows have no
    /// time but [that of their arrival](crate::Table::has_arrival).
    pub fn arrived(&mut self, table: &str, time: i64) {
        for own in self.times.iter_mut().filter(|own| own.source.table == table) {
            own.latest = own.latest.max(time);
        }
    }

    /// With nulls for columns that are missing, if nothing reads them.
    fn filled(&self, table: &str, delta: Delta) -> Result<Delta, EngineError> {
        let given = delta.batch.schema();
        let Some((all, read)) = self.columns.get(table) else { return Ok(delta) };
        let is_missing = |field: &&FieldRef| given.index_of(field.name()).is_err() && read.index_of(field.name()).is_err();
        let missing: Vec<&FieldRef> = all.fields().iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(delta);
        }
        let nulls = missing.iter().map(|field| new_null_array(field.data_type(), delta.len()));
        let columns = delta.batch.columns().iter().cloned().chain(nulls).collect();
        let fields: Vec<FieldRef> = given.fields().iter().chain(missing.iter().copied()).cloned().collect();
        let options = RecordBatchOptions::new().with_row_count(Some(delta.len()));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options);
        Ok(Delta { batch: batch.map_err(|e| EngineError::Engine(e.to_string()))?, weights: delta.weights })
    }

    /// A source that has no more rows holds no window open any longer; when all have ended, all windows close with the next step.
    pub fn end(&mut self, table: &str) {
        self.unended.remove(table);
    }

    /// How far time has come by the rows that were pushed, in nanoseconds since 1970: as far as the source that is furthest behind.
    pub fn watermark(&self) -> Option<i64> {
        if self.unended.is_empty() {
            return Some(i64::MAX);
        }
        let open = self.times.iter().filter(|time| self.unended.contains(&time.source.table));
        open.map(|time| time.latest).min().filter(|time| *time > i64::MIN)
    }

    /// Says what `now()` is from the next step on, in nanoseconds since 1970 (UTC). It never goes back. After a start it must be
    /// said again, if the program [uses it](Program::uses_clock).
    pub fn advance(&mut self, now: i64) {
        self.circuit.advance(now);
    }

    /// One epoch: the changes of each sink that what was pushed since the last step brings. Sinks without changes are left out.
    pub fn step(&mut self) -> Result<Vec<Output>, EngineError> {
        let changes = self.circuit.step_to(self.watermark().unwrap_or(i64::MIN))?;
        let changes = self.sinks.iter().zip(changes).filter(|(_, changes)| !changes.is_empty());
        changes.map(|((table, kind), changes)| output(table, *kind, changes)).collect()
    }

    pub fn take_row_errors(&mut self) -> Vec<RowError> {
        self.circuit.take_row_errors().into_iter().map(|(message, count)| RowError { message, count }).collect()
    }

    /// Rows that came after their windows had closed, since the last call; see [`DataflowConfig::keep_late`].
    pub fn take_late(&mut self) -> Vec<Late> {
        self.circuit.take_late()
    }

    /// Makes the state durable and names it. The one before is kept, older ones are removed.
    pub fn checkpoint(&mut self) -> Result<Uuid, EngineError> {
        self.circuit.checkpoint()
    }

    /// What groups, different values and first rows take of memory, in bytes, about: of their part of [`Memory::tables`].
    pub fn table_bytes(&self) -> usize {
        self.circuit.table_bytes()
    }

    /// Equal for dataflows that can continue from each other's checkpoints.
    pub fn fingerprint(&self) -> u64 {
        self.circuit.fingerprint()
    }

    /// Stops the threads; what is not in a checkpoint is lost.
    pub fn stop(self) {
        self.circuit.stop();
    }
}

fn output(table: &str, kind: SinkChanges, changes: Delta) -> Result<Output, EngineError> {
    if kind == SinkChanges::Appended && changes.weights.iter().flatten().any(|weight| *weight < 0) {
        return Err(EngineError::Engine(format!("a row that was given to `{table}` would change, and rows are only added to it")));
    }
    Ok(Output { table: table.to_string(), changes })
}

/// The latest of the times of inserted rows. A row whose time cannot be computed tells none.
fn latest(source: &SourceTime, delta: &Delta) -> Result<i64, EngineError> {
    let failed = |cause: String| EngineError::Engine(format!("the time of rows of `{}`: {cause}", source.table));
    let columns = source.schema.fields().iter().filter_map(|field| delta.batch.column_by_name(field.name()).cloned()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(delta.len()));
    let batch = RecordBatch::try_new_with_options(source.schema.clone(), columns, &options).map_err(|e| failed(e.to_string()))?;
    Ok(latest_of(source, &batch, &|row| delta.weight(row) > 0))
}

fn latest_of(source: &SourceTime, batch: &RecordBatch, is_inserted: &dyn Fn(usize) -> bool) -> i64 {
    let times = source.term.function.evaluate(batch).ok();
    let times = times.and_then(|times| cast(&times, &DataType::Timestamp(TimeUnit::Nanosecond, None)).ok());
    match times {
        Some(times) => {
            let times = times.as_primitive::<TimestampNanosecondType>();
            let inserted = (0..times.len()).filter(|row| times.is_valid(*row) && is_inserted(*row));
            inserted.map(|row| times.value(row)).max().unwrap_or(i64::MIN)
        }
        None if batch.num_rows() <= 1 => i64::MIN,
        None => {
            let half = batch.num_rows() / 2;
            let first = latest_of(source, &batch.slice(0, half), is_inserted);
            let second = latest_of(source, &batch.slice(half, batch.num_rows() - half), &|row| is_inserted(half + row));
            first.max(second)
        }
    }
}
