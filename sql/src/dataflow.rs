//! A program that runs.

use crate::planner::Program;
use chimera_operators::{Circuit, Config, Delta, Error, Memory};
use std::path::PathBuf;
use uuid::Uuid;

#[derive(Debug, Clone, Default)]
pub struct DataflowConfig {
    /// Threads that compute; 0 is taken as 1. State made with one number cannot be taken up with another.
    pub workers: usize,
    /// Folder for state, used by this dataflow alone; without it state stays in memory and there are no checkpoints.
    pub storage: Option<PathBuf>,
    /// The checkpoint to continue from; without it the dataflow begins empty.
    pub checkpoint: Option<Uuid>,
    pub memory: Memory,
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

/// Keeps the sinks of a program up to date. Driven by one thread at a time; may be moved between threads.
pub struct Dataflow {
    circuit: Circuit,
    sinks: Vec<String>,
    /// Declared tables that no query reads: what is pushed to them changes nothing.
    unread: Vec<String>,
}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<Dataflow>();

impl Program {
    /// Starts the dataflow's threads, empty or from a checkpoint.
    pub fn start(&self, config: DataflowConfig) -> Result<Dataflow, Error> {
        let DataflowConfig { workers, storage, checkpoint, memory } = config;
        let circuit = Circuit::start(self.plan.clone(), &Config { workers: workers.max(1), storage, checkpoint, memory })?;
        let is_read = |name: &str| self.plan.input_schema(name).is_some();
        let unread = self.sources.iter().map(|table| table.name.clone()).filter(|name| !is_read(name)).collect();
        let sinks = self.plan.sinks.iter().map(|sink| sink.table.clone()).collect();
        Ok(Dataflow { circuit, sinks, unread })
    }
}

impl Dataflow {
    /// Takes in changes of a source table for the next step. Columns are found by name; further columns are ignored.
    pub fn push(&mut self, table: &str, delta: Delta) -> Result<(), Error> {
        if self.unread.iter().any(|name| name == table) {
            return Ok(());
        }
        self.circuit.push(table, delta)
    }

    /// Says what `now()` is from the next step on, in nanoseconds since 1970 (UTC). It never goes back. After a start it must be
    /// said again, if the program [uses it](Program::uses_clock).
    pub fn advance(&mut self, now: i64) {
        self.circuit.advance(now);
    }

    /// One epoch: the changes of each sink that what was pushed since the last step brings. Sinks without changes are left out.
    pub fn step(&mut self) -> Result<Vec<Output>, Error> {
        let changes = self.sinks.iter().zip(self.circuit.step()?);
        let changes = changes.filter(|(_, changes)| !changes.is_empty());
        Ok(changes.map(|(table, changes)| Output { table: table.clone(), changes }).collect())
    }

    pub fn take_row_errors(&mut self) -> Vec<RowError> {
        self.circuit.take_row_errors().into_iter().map(|(message, count)| RowError { message, count }).collect()
    }

    /// Makes the state durable and names it. The one before is kept, older ones are removed.
    pub fn checkpoint(&mut self) -> Result<Uuid, Error> {
        self.circuit.checkpoint()
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
