//! A running circuit: push changes, step, read changes, checkpoint.

use crate::Error;
use crate::build::relation::rows_to_chunk;
use crate::build::{self, Ends};
use crate::codec::Codec;
use crate::delta::{Chunk, Delta};
use crate::panics;
use crate::plan::Plan;
use crate::row_errors::RowErrors;
use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use dbsp::circuit::{CircuitConfig, CircuitStorageConfig, Mode, StorageCacheConfig, StorageConfig, StorageOptions};
use dbsp::{DBSPHandle, InputHandle, Runtime};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// Freed buffers of each size that a worker keeps for the next; dbsp's own default is sixteen times as much, for every circuit.
const SLAB_BYTES: usize = 1 << 20;

/// How much of a circuit's state may stay in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Blocks of stored state that are kept at hand, for the whole circuit.
    pub cache_bytes: usize,
    /// Sorted runs of state at least this large go to the storage folder.
    pub spill_bytes: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Memory { cache_bytes: 16 << 20, spill_bytes: 1 << 20 }
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    /// Threads that compute; state is split between them by key.
    pub workers: usize,
    /// Where state is kept; used by this circuit alone. `None`: in memory, without checkpoints.
    pub storage: Option<PathBuf>,
    /// Take up the state of this checkpoint.
    pub checkpoint: Option<Uuid>,
    pub memory: Memory,
}

impl Default for Config {
    fn default() -> Self {
        Config { workers: 1, storage: None, checkpoint: None, memory: Memory::default() }
    }
}

/// A plan that is being maintained. Driven by one thread at a time.
pub struct Circuit {
    plan: Arc<Plan>,
    handle: DBSPHandle,
    ends: Ends,
    codecs: Vec<Codec>,
    errors: RowErrors,
    workers: usize,
    /// Constants are in the state; false only before the first step of a new circuit.
    has_constants: bool,
    checkpoints: Vec<Uuid>,
    /// Nanoseconds since 1970.
    now: Option<i64>,
}

impl Circuit {
    pub fn start(plan: Arc<Plan>, config: &Config) -> Result<Self, Error> {
        let errors = RowErrors::default();
        let (for_build, errors_of_rows) = (plan.clone(), errors.clone());
        let circuit_config = circuit_config(config)?;
        check_folder(config, fingerprint(&plan, config.workers.max(1)))?;
        let (mut handle, ends) = panics::starting(|| {
            Runtime::init_circuit(circuit_config, move |circuit| Ok(build::build(&for_build, circuit, errors_of_rows)?))
        })?;
        if let (Some(checkpoint), Some(_)) = (config.checkpoint, handle.bootstrap_info()) {
            return Err(Error::OtherProgram { checkpoint });
        }
        let codecs = plan.sinks.iter().map(|sink| Codec::for_schema(&plan.node(sink.node).schema)).collect::<Result<_, _>>()?;
        let checkpoints = match config.storage {
            Some(_) => handle.list_checkpoints()?.iter().map(|checkpoint| checkpoint.uuid).collect(),
            None => vec![],
        };
        let (workers, has_constants) = (config.workers.max(1), config.checkpoint.is_some());
        Ok(Circuit { plan, handle, ends, codecs, errors, workers, has_constants, checkpoints, now: None })
    }

    /// Takes in changes of a table for the next step. Columns are found by name; more than the plan reads may be there.
    pub fn push(&mut self, table: &str, delta: Delta) -> Result<(), Error> {
        let mut known = false;
        if let Some(weights) = &delta.weights
            && weights.len() != delta.len()
        {
            return Err(Error::WeightCount { table: table.into(), weights: weights.len(), rows: delta.len() });
        }
        let weights = delta.weights.map(Arc::new);
        for (name, handle) in &self.ends.inputs {
            if name == table {
                known = true;
                let schema = self.plan.input_schema(table).ok_or_else(|| Error::UnknownTable(table.into()))?;
                let batch = crate::delta::conform(table, &delta.batch, schema)?;
                spread(handle, &Chunk { batch, weights: weights.clone() }, self.workers);
            }
        }
        if known { Ok(()) } else { Err(Error::UnknownTable(table.into())) }
    }

    /// Says what time it is from the next step on, in nanoseconds since 1970 (UTC). A time before the present one changes nothing.
    pub fn advance(&mut self, now: i64) {
        self.now = self.now.max(Some(now));
    }

    /// Computes what the pushed changes change: for each sink, in the plan's order, its changes, each row once, deletes first.
    pub fn step(&mut self) -> Result<Vec<Delta>, Error> {
        if !self.has_constants {
            for (rows, handle) in &self.ends.constants {
                handle.update_for_worker(0, |chunks| chunks.push(Chunk { batch: rows.clone(), weights: None }));
            }
            self.has_constants = true;
        }
        if let Some(clock) = &self.ends.clock {
            clock.set_for_all(self.now.ok_or(Error::NoTime)?);
        }
        self.handle.transaction()?;
        let sinks = self.plan.sinks.iter().zip(&self.ends.outputs).zip(&self.codecs);
        sinks
            .map(|((sink, output), codec)| {
                let rows = output.concat().consolidate();
                let schema = &self.plan.node(sink.node).schema;
                if rows.is_empty() {
                    return Ok(Delta { batch: arrow::array::RecordBatch::new_empty(schema.clone()), weights: Some(vec![]) });
                }
                let chunk = rows_to_chunk(&rows, codec, schema).map_err(Error::Engine)?;
                deletes_first(&chunk).map_err(|e| Error::Engine(e.to_string()))
            })
            .collect()
    }

    /// Makes the state durable. The last two checkpoints are kept.
    pub fn checkpoint(&mut self) -> Result<Uuid, Error> {
        if !self.has_constants {
            return Err(Error::NothingToCheckpoint);
        }
        let made = self.handle.checkpoint().run().map_err(|error| match error {
            dbsp::Error::Storage(dbsp::storage::backend::StorageError::StorageDisabled) => Error::NoStorage,
            error => error.into(),
        })?;
        self.checkpoints.push(made.uuid);
        let kept: HashSet<Uuid> = self.checkpoints.iter().rev().take(2).copied().collect();
        let removed = self.handle.gc_checkpoint(kept)?;
        self.checkpoints.retain(|checkpoint| !removed.contains(checkpoint));
        Ok(made.uuid)
    }

    /// Rows that expressions refused since the last call: message → rows.
    pub fn take_row_errors(&mut self) -> BTreeMap<String, u64> {
        self.errors.take()
    }

    /// Equal for circuits that can take up each other's checkpoints.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(&self.plan, self.workers)
    }

    /// Stops the workers. Dropping the circuit does the same.
    pub fn stop(self) {
        if self.handle.kill().is_err() {
            tracing::warn!("a worker of a dataflow had failed before it was stopped");
        }
    }
}

/// What [`Circuit::fingerprint`] is for this plan and number of workers.
pub fn fingerprint(plan: &Plan, workers: usize) -> u64 {
    plan.fingerprint() ^ (workers as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The fingerprint of the circuit that a storage folder belongs to, and dbsp's own folder in it.
const FINGERPRINT_FILE: &str = "fingerprint";
const STATE_FOLDER: &str = "state";

/// Refuses a checkpoint that another circuit, or one with another number of workers, has made: dbsp would not notice the latter.
fn check_folder(config: &Config, fingerprint: u64) -> Result<(), Error> {
    let Some(folder) = &config.storage else { return Ok(()) };
    let (file, text) = (folder.join(FINGERPRINT_FILE), format!("{fingerprint:016x}\n"));
    match config.checkpoint {
        Some(checkpoint) if std::fs::read_to_string(&file).is_ok_and(|found| found != text) => Err(Error::OtherProgram { checkpoint }),
        _ => std::fs::write(&file, text).map_err(|e| Error::Storage { path: file.display().to_string(), cause: e.to_string() }),
    }
}

fn circuit_config(config: &Config) -> Result<CircuitConfig, Error> {
    let circuit = CircuitConfig::with_workers(config.workers.max(1));
    let Some(folder) = &config.storage else {
        return Ok(circuit.with_mode(Mode::Ephemeral));
    };
    let failed = |cause: String| Error::Storage { path: folder.display().to_string(), cause };
    let folder = folder.join(STATE_FOLDER);
    std::fs::create_dir_all(&folder).map_err(|e| failed(e.to_string()))?;
    let path = folder.to_str().ok_or_else(|| failed("its name is not UTF-8".into()))?.to_string();
    let options = StorageOptions {
        min_storage_bytes: Some(config.memory.spill_bytes),
        cache_mib: Some((config.memory.cache_bytes >> 20).max(1)),
        ..StorageOptions::default()
    };
    let storage = CircuitStorageConfig::for_config(StorageConfig { path, cache: StorageCacheConfig::default() }, options)
        .map_err(|e| failed(e.to_string()))?
        .with_init_checkpoint(config.checkpoint);
    let mut circuit = circuit.with_mode(Mode::Persistent).with_storage(Some(storage));
    circuit.dev_tweaks.fbuf_slab_bytes_per_class = Some(SLAB_BYTES);
    Ok(circuit)
}

fn spread(handle: &InputHandle<Vec<Chunk>>, chunk: &Chunk, workers: usize) {
    if workers == 1 || chunk.rows() == 1 {
        handle.update_for_worker(0, |chunks| chunks.push(chunk.clone()));
        return;
    }
    for (worker, part) in chunk.split(workers).enumerate() {
        handle.update_for_worker(worker, |chunks| chunks.push(part));
    }
}

fn deletes_first(chunk: &Chunk) -> Result<Delta, arrow::error::ArrowError> {
    let rows = chunk.rows() as i64;
    let (deletes, inserts): (Vec<i64>, Vec<i64>) = (0..rows).partition(|row| chunk.weight(*row as usize) < 0);
    let weights = deletes.iter().chain(&inserts).map(|row| chunk.weight(*row as usize)).collect();
    let order: ArrayRef = Arc::new(Int64Array::from_iter_values(deletes.iter().chain(&inserts).copied()));
    let batch = if deletes.is_empty() { chunk.batch.clone() } else { take_record_batch(&chunk.batch, &order)? };
    Ok(Delta { batch, weights: Some(weights) })
}

impl Plan {
    /// The columns that the plan reads of a table.
    pub fn input_schema(&self, table: &str) -> Option<&SchemaRef> {
        self.nodes.iter().find_map(|node| match &node.operator {
            crate::Operator::Input { table: name } if name == table => Some(&node.schema),
            _ => None,
        })
    }
}
