//! A running circuit: push changes, step, read changes, checkpoint.

use crate::Error;
use crate::budget::Budget;
use crate::build::close::Watermark;
use crate::build::cold::Disk;
use crate::build::ttl::{Due, Tick};
use crate::build::{self, Ends, Outputs, Outside};
use crate::codec::Codec;
use crate::delta::{Chunk, Delta};
use crate::late::{Late, LateRows};
use crate::lookup::{Failure, Lookups};
use crate::output::Output;
use crate::panics;
use crate::plan::{Node, Operator, Plan, Sink};
use crate::row_errors::RowErrors;
use arrow::datatypes::SchemaRef;
use dbsp::circuit::{CircuitConfig, CircuitStorageConfig, Layout, Mode, StorageCacheConfig, StorageConfig, StorageOptions};
use dbsp::{DBSPHandle, InputHandle, Runtime};
use std::collections::{BTreeMap, HashSet};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// Freed buffers of each size that a worker keeps for the next; dbsp's own default is sixteen times as much, for every circuit.
const SLAB_BYTES: usize = 1 << 20;

/// How much of a circuit's state may stay in memory.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Blocks of stored state that are kept at hand, for the whole circuit.
    pub cache_bytes: usize,
    /// Sorted runs of state at least this large go to the storage folder.
    pub spill_bytes: usize,
    /// What groups, different values and first rows may take; more of them go to the storage folder. Circuits may share one.
    pub tables: Budget,
}

impl Default for Memory {
    fn default() -> Self {
        Memory { cache_bytes: 16 << 20, spill_bytes: 1 << 20, tables: Budget::new(256 << 20) }
    }
}

/// The part that this process has in a circuit of several. All of them run the same plan and step together: a step of one ends when all
/// have made it. State is split between all workers of all of them by key, so what one gives out is a part of the changes: see [`merge`].
///
/// [`merge`]: crate::merge
#[derive(Clone, Debug)]
pub struct Share {
    /// Where each process is reached by this one, in an order that is the same for all. Its own place is that of `listener`.
    pub hosts: Vec<SocketAddr>,
    /// Which of them this process is.
    pub index: usize,
    /// Where the others send rows to.
    pub listener: Arc<TcpListener>,
}

#[derive(Clone, Debug)]
pub struct Config {
    /// Threads that compute, in each process; state is split between them by key.
    pub workers: usize,
    /// The others that compute it. `None`: this process alone.
    pub share: Option<Share>,
    /// Where state is kept; used by this circuit alone. `None`: in memory, without checkpoints.
    pub storage: Option<PathBuf>,
    /// Take up the state of this checkpoint.
    pub checkpoint: Option<Uuid>,
    pub memory: Memory,
    /// Tables that the plan asks for rows.
    pub lookups: Lookups,
    /// Rows that come too late are kept until [`Circuit::take_late`] is called; else they are only counted.
    pub keep_late: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            workers: 1,
            share: None,
            storage: None,
            checkpoint: None,
            memory: Memory::default(),
            lookups: Lookups::new(),
            keep_late: false,
        }
    }
}

/// A plan that is being maintained. Driven by one thread at a time.
pub struct Circuit {
    plan: Arc<Plan>,
    handle: DBSPHandle,
    ends: Ends,
    outputs: Outputs,
    codecs: Vec<Codec>,
    errors: RowErrors,
    failure: Failure,
    late: Option<LateRows>,
    /// When state of idle keys is to be dropped.
    due: Due,
    /// What was pushed, where state is dropped before it comes in: the input and its rows.
    waiting: Vec<(usize, Chunk)>,
    workers: usize,
    hosts: usize,
    /// What closes up to here was given out, in nanoseconds since 1970.
    watermark: i64,
    /// Constants are in the state; false only before the first step of a new circuit.
    has_constants: bool,
    /// Whether they come in here: of several processes, in one alone.
    gives_constants: bool,
    /// Those that this state comes from, the newest last.
    checkpoints: Vec<Uuid>,
    /// Nanoseconds since 1970.
    now: Option<i64>,
    tables: Budget,
}

impl Circuit {
    pub fn start(plan: Arc<Plan>, config: &Config) -> Result<Self, Error> {
        let (errors, failure) = (RowErrors::default(), Failure::default());
        let (due, late) = (Due::default(), config.keep_late.then(LateRows::default));
        let made = |sinks: &[Sink]| sinks.iter().map(|_| Output::default()).collect();
        let outputs = Outputs { sinks: made(&plan.sinks), expiries: made(&plan.expiries) };
        let for_build = plan.clone();
        let tables = config.memory.tables.of_circuit();
        let disk = config.storage.as_ref().map(|_| Disk { budget: tables.clone(), spill_bytes: config.memory.spill_bytes });
        let outside = Outside {
            outputs: outputs.clone(),
            errors: errors.clone(),
            lookups: config.lookups.clone(),
            failure: failure.clone(),
            due: due.clone(),
            late: late.clone(),
            disk,
        };
        let circuit_config = circuit_config(config)?;
        let (workers, hosts) = (config.workers.max(1), config.share.as_ref().map_or(1, |share| share.hosts.len()));
        check_folder(config, fingerprint(&plan, workers, hosts))?;
        let (handle, ends) =
            panics::starting(|| Runtime::init_circuit(circuit_config, move |circuit| Ok(build::build(&for_build, circuit, &outside)?)))?;
        if let (Some(checkpoint), Some(_)) = (config.checkpoint, handle.bootstrap_info()) {
            return Err(Error::OtherProgram { checkpoint });
        }
        let codecs = plan.sinks.iter().map(|sink| Codec::for_schema(&plan.node(sink.node).schema)).collect::<Result<_, _>>()?;
        Ok(Circuit {
            plan,
            handle,
            ends,
            outputs,
            codecs,
            errors,
            failure,
            late,
            due,
            waiting: vec![],
            workers,
            hosts,
            watermark: i64::MIN,
            has_constants: config.checkpoint.is_some(),
            gives_constants: config.share.as_ref().is_none_or(|share| share.index == 0),
            checkpoints: config.checkpoint.into_iter().collect(),
            now: None,
            tables,
        })
    }

    /// Takes in changes of a table for the next step. Columns are found by name; more than the plan reads may be there.
    pub fn push(&mut self, table: &str, delta: Delta) -> Result<(), Error> {
        let mut known = false;
        if let Some(weights) = &delta.weights
            && weights.len() != delta.len()
        {
            return Err(Error::WeightCount { table: table.into(), weights: weights.len(), rows: delta.len() });
        }
        if delta.weights.iter().flatten().any(|weight| *weight < 0) && self.plan.is_append_only(table) {
            return Err(Error::AppendOnly(table.into()));
        }
        let weights = delta.weights.map(Arc::new);
        for (index, (name, handle)) in self.ends.inputs.iter().enumerate() {
            if name == table {
                known = true;
                let schema = self.plan.input_schema(table).ok_or_else(|| Error::UnknownTable(table.into()))?;
                let batch = crate::delta::conform(table, &delta.batch, schema)?;
                let chunk = Chunk { batch, weights: weights.clone() };
                match self.ends.tick.is_some() {
                    true => self.waiting.push((index, chunk)),
                    false => spread(handle, &chunk, self.workers),
                }
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
        self.step_to(self.watermark)
    }

    /// The same, and what waits for times up to `watermark` (nanoseconds since 1970) is given out, once. A watermark never goes back.
    pub fn step_to(&mut self, watermark: i64) -> Result<Vec<Delta>, Error> {
        let watermark = watermark.max(self.watermark);
        self.drop_idle()?;
        self.set_watermark(Watermark { before: self.watermark, now: watermark });
        let changes = self.transact()?;
        if self.ends.watermark.is_some() && watermark > self.watermark {
            // What was given out is taken back where it was computed, so that nothing keeps it. No sink gets to know.
            self.expire()?;
            self.set_watermark(Watermark { before: watermark, now: watermark });
            self.handle.transaction()?;
            self.outputs.sinks.iter().chain(&self.outputs.expiries).for_each(Output::clear);
            self.watermark = watermark;
        }
        Ok(changes)
    }

    /// Drops the state of keys that are idle by now, in a step of its own that no sink is told of; then what waits comes in.
    fn drop_idle(&mut self) -> Result<(), Error> {
        let Some(handle) = &self.ends.tick else { return Ok(()) };
        let now = self.now.ok_or(Error::NoTime)?;
        if self.due.take(now) {
            handle.set_for_all(Some(Tick { now, is_sweep: true }));
            self.handle.transaction()?;
            self.outputs.sinks.iter().chain(&self.outputs.expiries).for_each(Output::clear);
        }
        handle.set_for_all(Some(Tick { now, is_sweep: false }));
        for (index, chunk) in self.waiting.drain(..) {
            spread(&self.ends.inputs[index].1, &chunk, self.workers);
        }
        Ok(())
    }

    fn set_watermark(&self, watermark: Watermark) {
        if let Some(handle) = &self.ends.watermark {
            handle.set_for_all(Some(watermark));
        }
    }

    /// Takes the rows that expire out of the tables that they are kept in.
    fn expire(&self) -> Result<(), Error> {
        for (expiry, output) in self.plan.expiries.iter().zip(&self.outputs.expiries) {
            let schema = &self.plan.node(expiry.node).schema;
            let expired = output.take(&Codec::for_schema(schema)?, schema).map_err(Error::Engine)?;
            let weights = (0..expired.len()).map(|row| -expired.weight(row)).collect();
            let chunk = Chunk { batch: expired.batch, weights: Some(Arc::new(weights)) };
            for (_, handle) in self.ends.inputs.iter().filter(|(table, _)| *table == expiry.table && chunk.rows() > 0) {
                spread(handle, &chunk, self.workers);
            }
        }
        Ok(())
    }

    fn transact(&mut self) -> Result<Vec<Delta>, Error> {
        if !self.has_constants {
            for (rows, handle) in self.ends.constants.iter().filter(|_| self.gives_constants) {
                handle.update_for_worker(0, |chunks| chunks.push(Chunk { batch: rows.clone(), weights: None }));
            }
            self.has_constants = true;
        }
        if let Some(clock) = &self.ends.clock {
            clock.set_for_all(self.now.ok_or(Error::NoTime)?);
        }
        self.handle.transaction()?;
        if let Some(message) = self.failure.get() {
            return Err(Error::Lookup(message));
        }
        let sinks = self.plan.sinks.iter().zip(&self.outputs.sinks).zip(&self.codecs);
        sinks.map(|((sink, output), codec)| output.take(codec, &self.plan.node(sink.node).schema).map_err(Error::Engine)).collect()
    }

    /// Makes the state durable. This checkpoint and the one before it, of those that this state comes from, are kept.
    pub fn checkpoint(&mut self) -> Result<Uuid, Error> {
        if !self.has_constants {
            return Err(Error::NothingToCheckpoint);
        }
        if self.plan.looks_up() {
            return Err(Error::Engine("a dataflow with lookup joins makes no checkpoints".into()));
        }
        if self.ends.tick.is_some() {
            return Err(Error::Engine("a dataflow that drops idle state (updating_ttl) makes no checkpoints".into()));
        }
        if self.ends.watermark.is_some() {
            // dbsp saves the bounds of a window, and reads only plain numbers back; nor is the watermark saved.
            return Err(Error::Engine("a dataflow with windows that close makes no checkpoints".into()));
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

    /// What groups, different values and first rows take of memory, in bytes, about; 0 without a storage folder.
    pub fn table_bytes(&self) -> usize {
        self.tables.circuit_bytes()
    }

    /// Rows that came after their windows had closed, since the last call; see [`Config::keep_late`].
    pub fn take_late(&mut self) -> Vec<Late> {
        let late = self.late.iter().flat_map(LateRows::take);
        let late = late.map(|(node, watermark, rows)| {
            let weights = rows.weights.map(Arc::unwrap_or_clone);
            Late { sinks: self.plan.sinks_of(node), watermark, rows: Delta { batch: rows.batch, weights } }
        });
        late.collect()
    }

    /// Equal for circuits that can take up each other's checkpoints.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(&self.plan, self.workers, self.hosts)
    }

    /// Stops the workers. Dropping the circuit does the same.
    pub fn stop(self) {
        if self.handle.kill().is_err() {
            tracing::warn!("a worker of a dataflow had failed before it was stopped");
        }
    }
}

/// What [`Circuit::fingerprint`] is for this plan on so many processes with so many workers each.
pub fn fingerprint(plan: &Plan, workers: usize, hosts: usize) -> u64 {
    let layout = workers as u64 ^ (hosts.saturating_sub(1) as u64) << 32;
    plan.fingerprint() ^ layout.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The fingerprint of the circuit that a storage folder belongs to, and dbsp's own folder in it.
const FINGERPRINT_FILE: &str = "fingerprint";
pub(crate) const STATE_FOLDER: &str = "state";

/// Refuses a checkpoint that another circuit, or one with another number of workers, has made: dbsp would not notice the latter.
fn check_folder(config: &Config, fingerprint: u64) -> Result<(), Error> {
    let Some(folder) = &config.storage else { return Ok(()) };
    let place = config.share.as_ref().map_or_else(String::new, |share| format!(" {}", share.index));
    let (file, text) = (folder.join(FINGERPRINT_FILE), format!("{fingerprint:016x}{place}\n"));
    match config.checkpoint {
        Some(checkpoint) if std::fs::read_to_string(&file).is_ok_and(|found| found != text) => Err(Error::OtherProgram { checkpoint }),
        _ => std::fs::write(&file, text).map_err(|e| Error::Storage { path: file.display().to_string(), cause: e.to_string() }),
    }
}

fn circuit_config(config: &Config) -> Result<CircuitConfig, Error> {
    let circuit = match &config.share {
        None => CircuitConfig::with_workers(config.workers.max(1)),
        Some(share) => shared(share, config.workers.max(1))?,
    };
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

fn shared(share: &Share, workers: usize) -> Result<CircuitConfig, Error> {
    let failed = |cause: String| Error::Engine(format!("the hosts of a dataflow: {cause}"));
    let hosts: Vec<_> = share.hosts.iter().map(|host| (*host, workers)).collect();
    let own = *share.hosts.get(share.index).ok_or_else(|| failed(format!("there is no host number {}", share.index)))?;
    let layout = Layout::new_multihost(&hosts, own).map_err(|e| failed(e.to_string()))?;
    let listener = share.listener.try_clone().map_err(|e| failed(e.to_string()))?;
    Ok(CircuitConfig { layout, ..CircuitConfig::with_workers(workers) }.with_exchange_listener(listener))
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

impl Plan {
    /// The columns that the plan reads of a table.
    pub fn input_schema(&self, table: &str) -> Option<&SchemaRef> {
        self.nodes.iter().find_map(|node| match &node.operator {
            Operator::Input { table: name, .. } if name == table => Some(&node.schema),
            _ => None,
        })
    }

    fn is_append_only(&self, table: &str) -> bool {
        let is_it = |node: &Node| matches!(&node.operator, Operator::Input { table: name, append_only: true } if name == table);
        self.nodes.iter().any(is_it)
    }
}
