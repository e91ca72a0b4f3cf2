//! Runs one pipeline: feeds epochs to its dataflow, hands the changes of its views to the appliers, takes checkpoints.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chimera_connectors::log::Log;
use chimera_connectors::{Changes, EpochChanges, EpochInfo};
use chimera_operators::Delta;
use chimera_sql::{DataflowConfig, Program};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Error;
use crate::applier::{Lost, Message};
use crate::checkpoint::{Checkpoint, Folder, Memory};
use crate::dataflow::{Dataflow, Failure};
use crate::engine::Options;
use crate::epochs::{Epoch, Epochs, Next};
use crate::hosts::remote::Task;
use crate::hosts::{DataflowId, Remote};
use crate::inputs::Inputs;
use crate::journal::Journal;
use crate::offsite::Sender;
use crate::put_aside::PutAside;
use crate::reader;
use crate::status::Board;

/// Records that epochs are run together for while catching up.
const AGAIN_RECORDS: u64 = 16_384;

const NS_PER_MS: i64 = 1_000_000;

/// Between attempts to start a pipeline that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A sink of the pipeline.
pub struct Outlet {
    pub table: String,
    pub sender: mpsc::Sender<Message>,
    pub lost: Lost,
}

/// A pipeline on its thread.
pub struct Worker {
    pub number: usize,
    pub name: String,
    pub program: Program,
    pub folder: Folder,
    pub memory: Memory,
    pub options: Options,
    /// What hosts know it as.
    pub dataflow: DataflowId,
    pub functions_version: String,
    /// Sends checkpoints away.
    pub offsite: Option<Sender>,
    pub outlets: Vec<Outlet>,
    /// Epochs at which some store of this pipeline stood at the start: while catching up none is passed over.
    pub cuts: BTreeSet<u64>,
    /// Up to this epoch changes have been given out before, so each epoch is run by itself again.
    pub given_out: u64,
    /// By index into `inputs`, the tables that it reads.
    pub tables: Vec<(usize, String)>,
    pub inputs: Arc<Inputs>,
    pub journal: Journal,
    pub log: Arc<dyn Log>,
    pub epochs: Arc<Epochs>,
    pub board: Arc<Board>,
    pub runtime: tokio::runtime::Handle,
    pub shutdown: CancellationToken,
    /// This pipeline ends, and leaves nothing behind.
    pub dropped: CancellationToken,
}

/// A dataflow at work.
struct Running {
    dataflow: Dataflow,
    epoch: u64,
    checkpoint_epoch: u64,
    /// Whether rows came in since the checkpoint.
    dirty: bool,
    /// When the last one was begun.
    checkpointed: Instant,
    pending: Option<Pending>,
    put_aside: PutAside,
}

/// A checkpoint of the dataflow that waits for the stores.
struct Pending {
    checkpoint: Checkpoint,
    flushes: Vec<oneshot::Receiver<()>>,
}

impl Worker {
    /// Runs until shutdown; a dataflow that fails, or one of whose stores lost writes, is started again from its checkpoint.
    pub fn run(mut self) {
        let mut wait = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let Err(error) = self.attempt() else { break };
            if began.elapsed() > LONGEST_PAUSE {
                wait = FIRST_PAUSE;
            }
            tracing::error!(pipeline = self.name, %error, retry_ms = wait.as_millis() as u64, "pipeline stopped; starting it again");
            self.board.pipeline(self.number, |status| status.error = Some(error.to_string()));
            let deadline = Instant::now() + wait;
            let is_over = || self.shutdown.is_cancelled() || self.dropped.is_cancelled();
            while Instant::now() < deadline && !is_over() {
                std::thread::sleep(Duration::from_millis(50));
            }
            if is_over() {
                break;
            }
            wait = (wait * 2).min(LONGEST_PAUSE);
        }
        self.epochs.end(self.number);
    }

    fn attempt(&mut self) -> Result<(), Error> {
        for outlet in &self.outlets {
            let Some(stands_at) = outlet.lost.take() else { continue };
            // A store that is behind the state lacks something that the state will not give out again.
            if self.memory.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.epoch > stands_at) {
                self.memory.checkpoint = None;
                self.folder.save(&self.memory)?;
            }
            let _ = outlet.sender.blocking_send(Message::Again);
        }
        let hosts = self.options.hosts.as_ref().map_or(1, |hosts| hosts.addresses.len());
        let fingerprint = self.program.fingerprint(self.options.workers, hosts);
        if self.memory.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.fingerprint != fingerprint) {
            tracing::warn!(pipeline = self.name, "the checkpoint is of another dataflow, or of other hosts; building anew from the log");
            self.memory.checkpoint = None;
            self.folder.save(&self.memory)?;
        }
        let checkpoint = self.memory.checkpoint.clone();
        let pipeline = self.name.clone();
        let failed = |message: String| Error::Dataflow { pipeline: pipeline.clone(), message };
        let began = Instant::now();
        let dataflow = match self.start(checkpoint.as_ref().map(|checkpoint| checkpoint.state)) {
            Err(failure) if failure.is_without_state() => {
                self.memory.checkpoint = None;
                self.folder.save(&self.memory)?;
                return Err(failed(failure.to_string()));
            }
            started => started.map_err(|failure| failed(failure.to_string()))?,
        };
        let epoch = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.epoch);
        tracing::info!(pipeline = self.name, epoch, ms = began.elapsed().as_millis() as u64, "pipeline started");
        self.board.pipeline(self.number, |status| {
            status.error = None;
            status.epoch = epoch;
            status.checkpoint_epoch = epoch;
        });
        self.epochs.advance(self.number, epoch);
        // Not all pipelines at once.
        let ahead = self.options.checkpoint_every.mul_f64(f64::from(self.number as u32 % 8) / 8.0);
        let checkpointed = Instant::now().checked_sub(ahead).unwrap_or_else(Instant::now);
        let put_aside = checkpoint.map(|checkpoint| checkpoint.put_aside).unwrap_or_default();
        let mut running = Running { dataflow, epoch, checkpoint_epoch: epoch, dirty: false, checkpointed, pending: None, put_aside };
        loop {
            match self.epochs.next(running.epoch, Duration::from_millis(500)) {
                Next::Ready(epoch) => self.step(&mut running, &epoch)?,
                Next::Behind(last) => {
                    let epoch = self.read_again(running.epoch, last)?;
                    self.step(&mut running, &epoch)?;
                }
                Next::Idle => running.dataflow.check().map_err(|failure| failed(failure.to_string()))?,
                Next::Stopped => break,
            }
            if self.dropped.is_cancelled() {
                running.dataflow.stop();
                return Ok(());
            }
            if let Some((outlet, epoch)) = self.outlets.iter().find_map(|outlet| Some((outlet, outlet.lost.get()?))) {
                running.dataflow.stop();
                return Err(failed(format!("store `{}` lost writes and stands at epoch {epoch}; going back to it", outlet.table)));
            }
            self.finish_checkpoint(&mut running, false)?;
            if running.dirty && running.pending.is_none() && running.checkpointed.elapsed() >= self.options.checkpoint_every {
                self.begin_checkpoint(&mut running)?;
            }
        }
        self.finish_checkpoint(&mut running, true)?;
        if running.epoch > running.checkpoint_epoch {
            self.begin_checkpoint(&mut running)?;
            self.finish_checkpoint(&mut running, true)?;
        }
        running.dataflow.stop();
        Ok(())
    }

    fn start(&self, checkpoint: Option<Uuid>) -> Result<Dataflow, Failure> {
        if checkpoint.is_none() {
            self.folder.clear_state()?;
        }
        let Some(hosts) = &self.options.hosts else {
            let storage = Some(self.folder.state());
            if checkpoint.is_some_and(|checkpoint| chimera_operators::checkpoint_files(&self.folder.state(), checkpoint).is_err()) {
                return Err(Failure::Lost);
            }
            let Options { workers, memory, .. } = self.options.clone();
            let config = DataflowConfig { workers, storage, checkpoint, memory, ..DataflowConfig::default() };
            return Ok(Dataflow::Here(self.program.start(config)?));
        };
        let (dataflow, program, functions_version) = (&self.dataflow, &self.program, self.functions_version.as_str());
        let task = Task { dataflow, program, functions_version, workers: self.options.workers, checkpoint };
        Ok(Dataflow::OnHosts(Remote::start(self.runtime.clone(), hosts, &task)?))
    }

    /// One epoch through the dataflow and out to the appliers.
    fn step(&mut self, running: &mut Running, epoch: &Epoch) -> Result<(), Error> {
        let failed = |message: String| Error::Dataflow { pipeline: self.name.clone(), message };
        let pushed = Instant::now();
        let mut fed = false;
        for (input, table) in &self.tables {
            let Some(brought) = &epoch.changes[*input] else { continue };
            for changes in running.put_aside.take(table, &self.inputs.inputs[*input].topic, brought) {
                let delta = Delta { batch: changes.batch.clone(), weights: Some(changes.weights.clone()) };
                running.dataflow.push(table, delta).map_err(|error| failed(error.to_string()))?;
                fed = true;
            }
        }
        let is_timed = self.program.uses_clock();
        if is_timed {
            running.dataflow.advance(epoch.formed_ms.saturating_mul(NS_PER_MS));
        }
        // A view of nothing (a total of no orders) has a row too: the first epoch runs even if it brings nothing.
        let outputs = if fed || is_timed || running.epoch == 0 {
            let began = Instant::now();
            let outputs = running.dataflow.step().map_err(|error| failed(error.to_string()))?;
            metrics::histogram!("chimera_pipeline_step_seconds", "pipeline" => self.name.clone()).record(began.elapsed().as_secs_f64());
            let table_bytes = running.dataflow.table_bytes() as u64;
            metrics::gauge!("chimera_pipeline_table_bytes", "pipeline" => self.name.clone()).set(table_bytes as f64);
            self.board.pipeline(self.number, |status| status.table_bytes = table_bytes);
            running.dirty = true;
            outputs
        } else {
            Vec::new()
        };
        let errors = running.dataflow.take_row_errors();
        if !errors.is_empty() {
            let count: u64 = errors.iter().map(|error| error.count).sum();
            tracing::warn!(pipeline = self.name, count, first = errors[0].message, "rows left out: an expression refused them");
            metrics::counter!("chimera_row_errors_total", "pipeline" => self.name.clone()).increment(count);
            self.board.pipeline(self.number, |status| status.row_errors += count);
        }
        let mut outputs: std::collections::HashMap<String, Delta> = outputs.into_iter().map(|o| (o.table, o.changes)).collect();
        for outlet in &self.outlets {
            let changes = outputs.remove(&outlet.table).map_or_else(no_changes, |delta| Changes {
                weights: delta.weights.unwrap_or_else(|| vec![1; delta.batch.num_rows()]),
                batch: delta.batch,
            });
            let message = Message::Epoch(EpochChanges { info: epoch.info.clone(), changes });
            // A closed inbox means shutdown: the epoch is in the journal and will be run again.
            let _ = outlet.sender.blocking_send(message);
        }
        if fed {
            let step_us = pushed.elapsed().as_micros() as u64;
            self.board.pipeline(self.number, |status| status.step_us = step_us);
        }
        running.epoch = epoch.info.epoch;
        self.given_out = self.given_out.max(running.epoch);
        self.board.pipeline(self.number, |status| status.epoch = running.epoch);
        self.epochs.advance(self.number, running.epoch);
        Ok(())
    }

    /// Takes a checkpoint of the dataflow, and asks the stores to make durable what it has given out. Until all of them have, the
    /// checkpoint is not used, and the pipeline goes on.
    fn begin_checkpoint(&mut self, running: &mut Running) -> Result<(), Error> {
        let began = Instant::now();
        let state = running
            .dataflow
            .checkpoint()
            .map_err(|error| Error::Dataflow { pipeline: self.name.clone(), message: format!("checkpoint: {error}") })?;
        metrics::histogram!("chimera_checkpoint_seconds", "pipeline" => self.name.clone()).record(began.elapsed().as_secs_f64());
        let mut flushes = Vec::new();
        for outlet in &self.outlets {
            let (done, answer) = oneshot::channel();
            if outlet.sender.blocking_send(Message::Flush(done)).is_err() {
                return Ok(());
            }
            flushes.push(answer);
        }
        let checkpoint = Checkpoint {
            incarnation: self.journal.incarnation,
            epoch: running.epoch,
            state,
            fingerprint: running.dataflow.fingerprint(),
            workers: self.options.workers,
            put_aside: running.put_aside.clone(),
        };
        running.pending = Some(Pending { checkpoint, flushes });
        running.dirty = false;
        running.checkpointed = Instant::now();
        Ok(())
    }

    /// Uses the pending checkpoint from now on if every store is durable; waits for them if `wait`.
    fn finish_checkpoint(&mut self, running: &mut Running, wait: bool) -> Result<(), Error> {
        let Some(mut pending) = running.pending.take() else { return Ok(()) };
        while let Some(flush) = pending.flushes.last_mut() {
            let answer = match flush.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) if !wait => {
                    running.pending = Some(pending);
                    return Ok(());
                }
                Err(oneshot::error::TryRecvError::Empty) => pending.flushes.pop().is_some_and(|flush| flush.blocking_recv().is_ok()),
                answer => pending.flushes.pop().is_some() && answer.is_ok(),
            };
            // An applier that went away without an answer is shutting down, or lost writes: the older checkpoint stays.
            // No other is begun before that has shown itself: the dataflow keeps only the newest two.
            if !answer {
                (running.dirty, running.checkpointed) = (true, Instant::now());
                return Ok(());
            }
        }
        running.checkpoint_epoch = pending.checkpoint.epoch;
        tracing::debug!(pipeline = self.name, epoch = running.checkpoint_epoch, "checkpoint");
        self.memory.checkpoint = Some(pending.checkpoint);
        self.folder.save(&self.memory)?;
        if let Some(offsite) = &self.offsite {
            offsite.offer(&self.memory);
        }
        self.board.pipeline(self.number, |status| status.checkpoint_epoch = running.checkpoint_epoch);
        Ok(())
    }

    /// Reads journalled epochs after `after`, as many as fit one step, without passing over a store's own epoch.
    fn read_again(&self, after: u64, last: u64) -> Result<Epoch, Error> {
        let cut = match self.cuts.range(after + 1..).next() {
            _ if after < self.given_out => after + 1,
            Some(cut) => last.min(*cut),
            None => last,
        };
        let topics: Vec<String> = {
            let mut topics: Vec<String> = self.tables.iter().map(|(input, _)| self.inputs.inputs[*input].topic.clone()).collect();
            topics.sort();
            topics.dedup();
            topics
        };
        let wanted: BTreeSet<usize> = self.tables.iter().map(|(input, _)| *input).collect();
        self.runtime.block_on(async {
            let entries = self.journal.entries(after + 1, (cut - after).min(512) as usize).await?;
            let mut records = 0;
            let mut several = Vec::new();
            for entry in entries {
                let more: u64 = topics.iter().filter_map(|topic| entry.ranges.get(topic)).map(|(from, to)| to - from).sum();
                if entry.epoch > cut || (!several.is_empty() && records + more > AGAIN_RECORDS) {
                    break;
                }
                records += more;
                several.push(entry);
            }
            let committed_ms = several.iter().map(|entry| entry.committed_ms).max().unwrap_or(0);
            let again = reader::again(&self.log, &self.inputs, &several, &topics).await?;
            let info =
                EpochInfo { incarnation: self.journal.incarnation, epoch: again.last.epoch, frontier: again.last.frontier, committed_ms };
            // What cannot be decoded was put aside when the epoch was formed.
            let decoded = self.inputs.decode(&again.records, |input| wanted.contains(&input));
            Ok(Epoch { info: Arc::new(info), formed_ms: again.last.formed_ms, changes: decoded.changes })
        })
    }
}

fn no_changes() -> Changes {
    let schema = Arc::new(arrow::datatypes::Schema::empty());
    Changes { batch: arrow::array::RecordBatch::new_empty(schema), weights: Vec::new() }
}
