//! What all pipelines run in, and how one is opened, started and stopped: at the start of everything, or while the others go on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use chimera_connectors::log::Log;
use chimera_connectors::sink::{self, Sink, SinkSpec};
use chimera_connectors::{Context, EpochInfo};
use chimera_sql::{Program, Table};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::applier::{Applier, Lost};
use crate::checkpoint::{Checkpoint, Folder, Memory};
use crate::epochs::Epochs;
use crate::hosts::{self, DataflowId, Hosts};
use crate::inputs::Inputs;
use crate::journal::Journal;
use crate::offsite::{self, Offsite, Sender};
use crate::status::{Board, NewStore};
use crate::worker::{Outlet, Worker};

/// Messages that an applier may be behind its pipeline.
const INBOX: usize = 8;

/// How long a stop waits for the last checkpoints to be in the object store.
const UPLOAD_WAIT: Duration = Duration::from_secs(60);

/// A pipeline that is to run.
pub(crate) struct Pipeline {
    pub name: String,
    pub program: Program,
    /// What its stores are made by: while it is the same, they and its state stay.
    pub text: String,
    /// What its functions depend on beside their arguments; empty: nothing.
    pub functions_version: String,
    pub folder: PathBuf,
    /// What its store, a live view, is kept under, in the place of its name.
    pub view_id: Option<u64>,
}

/// A pipeline whose stores are open and of which is known where it goes on from.
pub(crate) struct Opened {
    pub pipeline: Pipeline,
    /// By index into [`Inputs`], the tables that it reads.
    tables: Vec<(usize, String)>,
    folder: Folder,
    memory: Memory,
    sinks: Vec<OpenSink>,
}

impl Opened {
    /// The epoch that all of its stores hold.
    pub fn stands_at(&self) -> u64 {
        self.sinks.iter().map(|sink| sink.applied).min().unwrap_or(0)
    }
}

struct OpenSink {
    /// What the program calls it.
    table: String,
    spec: SinkSpec,
    connector: String,
    sink: Box<dyn Sink>,
    /// The last epoch in the store.
    applied: u64,
}

/// How a pipeline takes part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joins {
    /// No epoch is formed while it is far behind.
    Waited,
    /// The others go on without it, however slow it is.
    AtItsPace,
}

/// A pipeline that runs.
struct Unit {
    folder: PathBuf,
    /// What hosts know it as.
    dataflow: DataflowId,
    /// Sends its checkpoints away.
    upload: Option<tokio::task::JoinHandle<()>>,
    stores: Vec<usize>,
    thread: JoinHandle<()>,
    appliers: Vec<tokio::task::JoinHandle<()>>,
    dropped: CancellationToken,
    uses_clock: bool,
}

/// How every pipeline is run.
#[derive(Clone)]
pub(crate) struct Options {
    /// Threads a dataflow.
    pub workers: usize,
    /// Who computes them; `None`: this process.
    pub hosts: Option<Arc<Hosts>>,
    pub memory: chimera_sql::Memory,
    pub checkpoint_every: Duration,
}

pub(crate) struct Engine {
    pub options: Options,
    /// Where checkpoints are sent.
    offsite: Option<Offsite>,
    pub context: Arc<Context>,
    pub log: Arc<dyn Log>,
    pub journal: Journal,
    pub inputs: Arc<Inputs>,
    pub epochs: Arc<Epochs>,
    pub board: Arc<Board>,
    pub shutdown: CancellationToken,
    pub appliers_shutdown: CancellationToken,
    /// Pipelines and stores are numbered in the order in which they come; a number is not used again.
    next: AtomicUsize,
    units: Mutex<BTreeMap<usize, Unit>>,
    /// How many of them there are whose results depend on the time: epochs are formed for them when nothing else happens.
    pub clocked: Arc<AtomicUsize>,
    /// What else runs.
    pub tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Engine {
    /// `last`: the journal's last epoch.
    pub fn new(
        options: Options,
        offsite: Option<Offsite>,
        context: Arc<Context>,
        journal: Journal,
        last: u64,
        inputs: Arc<Inputs>,
    ) -> Self {
        Self {
            offsite: offsite.filter(|_| options.hosts.is_none()),
            options,
            log: context.log.clone(),
            context,
            journal,
            inputs,
            epochs: Arc::new(Epochs::new(last)),
            board: Arc::default(),
            shutdown: CancellationToken::new(),
            appliers_shutdown: CancellationToken::new(),
            next: AtomicUsize::new(0),
            units: Mutex::default(),
            clocked: Arc::default(),
            tasks: Mutex::default(),
        }
    }

    /// Opens a pipeline's stores and decides where it goes on from.
    pub async fn open(&self, pipeline: Pipeline) -> Result<Opened, Error> {
        let tables = self.inputs.cover(&pipeline.name, &pipeline.program.sources)?;
        let folder = Folder::new(pipeline.folder.clone())?;
        let mut memory = folder.load();
        if let Some(found) = self.fetch(&pipeline, &folder, &memory).await {
            memory = found;
        }
        let same = memory.text == pipeline.text;
        if !same {
            if !memory.text.is_empty() {
                tracing::warn!(pipeline = pipeline.name, "the pipeline's text has changed; its stores are built anew");
            }
            memory = Memory { text: pipeline.text.clone(), checkpoint: None };
        }
        let last = self.epochs.last();
        let mut sinks = Vec::new();
        for table in &pipeline.program.sinks {
            let (spec, connector) = spec(&pipeline, table)?;
            let mut sink = sink::open(&connector, spec.clone(), self.context.clone()).await?;
            let applied = match sink.applied().await? {
                Some(applied) if same && applied.incarnation == self.journal.incarnation && applied.epoch <= last => applied.epoch,
                Some(_) => {
                    sink.reset().await?;
                    0
                }
                None => 0,
            };
            // A store that is behind the state has lost something that the state will not give out again.
            if memory.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.epoch > applied) {
                let store = format!("{}.{}", spec.pipeline, spec.table);
                tracing::warn!(store, applied, "the store is behind; rebuilding from the log");
                memory.checkpoint = None;
            }
            sinks.push(OpenSink { table: table.name.clone(), spec, connector, sink, applied });
        }
        if memory.checkpoint.as_ref().is_some_and(|checkpoint| !self.is_ours(checkpoint)) {
            memory.checkpoint = None;
        }
        folder.save(&memory)?;
        Ok(Opened { pipeline, tables, folder, memory, sinks })
    }

    fn is_ours(&self, checkpoint: &Checkpoint) -> bool {
        let is_known = checkpoint.incarnation == self.journal.incarnation && checkpoint.epoch <= self.epochs.last();
        is_known && checkpoint.workers == self.options.workers
    }

    fn id(&self, pipeline: &Pipeline) -> DataflowId {
        let name = pipeline.view_id.map_or_else(|| pipeline.name.clone(), |id| format!("view {id}"));
        DataflowId::new(self.journal.incarnation, &name)
    }

    /// Brings a checkpoint back from the object store, where that is further than the one in the folder. A failure is no reason to stop.
    async fn fetch(&self, pipeline: &Pipeline, folder: &Folder, memory: &Memory) -> Option<Memory> {
        let (offsite, id) = (self.offsite.as_ref()?, self.id(pipeline));
        let failed = |error: &offsite::Error| {
            tracing::error!(pipeline = pipeline.name, %error, "no checkpoint was brought from the object store; going on without it");
        };
        let record = offsite.record(&id).await.inspect_err(failed).ok()??;
        let theirs = record.memory.checkpoint.as_ref().filter(|checkpoint| self.is_ours(checkpoint))?;
        let is_same = memory.text == pipeline.text;
        let ours = memory.checkpoint.as_ref().filter(|checkpoint| is_same && self.is_ours(checkpoint));
        if record.memory.text != pipeline.text || ours.is_some_and(|ours| ours.epoch >= theirs.epoch) {
            return None;
        }
        offsite.fetch(&id, &record, &folder.state()).await.inspect_err(failed).ok()?;
        tracing::warn!(pipeline = pipeline.name, epoch = theirs.epoch, "the checkpoint was brought from the object store");
        Some(record.memory)
    }

    /// Starts a pipeline and the appliers of its stores; returns its number. Its stores are listed once `is_shown`.
    pub async fn launch(&self, opened: Opened, joins: Joins, is_shown: bool) -> Result<usize, Error> {
        let Opened { pipeline, tables, folder, memory, sinks } = opened;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let dataflow = self.id(&pipeline);
        let (name, own_folder) = (pipeline.name, pipeline.folder);
        let sender = self.offsite.clone().map(|offsite| Sender::start(offsite, dataflow.clone(), &folder, self.board.clone(), number));
        let (offsite, upload) = sender.unzip();
        self.board.add_pipeline(number, &name);
        let dropped = CancellationToken::new();
        let uses_clock = pipeline.program.uses_clock();
        let (mut outlets, mut cuts) = (Vec::new(), BTreeSet::new());
        let (mut stores, mut appliers) = (Vec::new(), Vec::new());
        for OpenSink { table, spec, connector, sink, applied } in sinks {
            let store = self.next.fetch_add(1, Ordering::Relaxed);
            let store_name = format!("{}.{}", spec.pipeline, spec.table);
            let sources = self.inputs.sources(&tables);
            self.board.add_store(store, NewStore { name: store_name.clone(), pipeline: name.clone(), connector, sources }, is_shown);
            let (sender, inbox) = mpsc::channel(INBOX);
            let lost = Lost::default();
            outlets.push(Outlet { table, sender, lost: lost.clone() });
            cuts.insert(applied);
            if applied > 0
                && let Some(entry) = self.journal.entries(applied, 1).await?.into_iter().next()
            {
                let (incarnation, committed_ms) = (self.journal.incarnation, entry.committed_ms);
                self.board.applied(store, &EpochInfo { incarnation, epoch: applied, frontier: entry.frontier, committed_ms }, 0, false);
            }
            let applier = Applier {
                number: store,
                name: store_name,
                sink,
                applied,
                incarnation: self.journal.incarnation,
                lost,
                board: self.board.clone(),
                inbox,
                shutdown: self.appliers_shutdown.child_token(),
            };
            stores.push(store);
            let stop = dropped.clone();
            appliers.push(tokio::spawn(async move {
                // A view that is dropped needs no last write.
                let _ = stop.run_until_cancelled(applier.run()).await;
            }));
        }
        self.epochs.join(number, memory.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.epoch), joins == Joins::Waited);
        let worker = Worker {
            number,
            name: name.clone(),
            program: pipeline.program,
            folder,
            memory,
            dataflow: dataflow.clone(),
            offsite,
            functions_version: pipeline.functions_version,
            options: self.options.clone(),
            outlets,
            cuts,
            given_out: 0,
            tables,
            inputs: self.inputs.clone(),
            journal: self.journal.clone(),
            log: self.log.clone(),
            epochs: self.epochs.clone(),
            board: self.board.clone(),
            runtime: tokio::runtime::Handle::current(),
            shutdown: self.shutdown.clone(),
            dropped: dropped.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("pipeline-{name}"))
            .spawn(move || worker.run())
            .map_err(|source| Error::Io { what: "cannot start a pipeline's thread".into(), source })?;
        self.clocked.fetch_add(usize::from(uses_clock), Ordering::Relaxed);
        self.units.lock().insert(number, Unit { folder: own_folder, dataflow, upload, stores, thread, appliers, dropped, uses_clock });
        Ok(number)
    }

    /// The number of a pipeline's first store.
    pub fn store_of(&self, pipeline: usize) -> Option<usize> {
        self.units.lock().get(&pipeline)?.stores.first().copied()
    }

    /// The folder of a pipeline, and the numbers of its stores.
    pub fn parts_of(&self, pipeline: usize) -> Option<(PathBuf, Vec<usize>)> {
        self.units.lock().get(&pipeline).map(|unit| (unit.folder.clone(), unit.stores.clone()))
    }

    /// Stops a pipeline for good, without a checkpoint, and forgets it. Its stores and its folder are left as they are.
    pub async fn drop_pipeline(&self, number: usize) {
        let Some(unit) = self.units.lock().remove(&number) else { return };
        unit.dropped.cancel();
        self.clocked.fetch_sub(usize::from(unit.uses_clock), Ordering::Relaxed);
        for applier in unit.appliers {
            drop(applier.await);
        }
        drop(tokio::task::spawn_blocking(move || unit.thread.join()).await);
        self.epochs.leave(number);
        unit.stores.iter().for_each(|store| self.board.remove_store(*store));
        self.board.remove_pipeline(number);
        if let Some(upload) = &unit.upload {
            upload.abort();
        }
        // Nobody waits for it: a host, or the object store, may be away.
        let (hosts, offsite) = (self.options.hosts.clone(), self.offsite.clone());
        tokio::spawn(async move {
            if let Some(hosts) = hosts {
                hosts::forget(&hosts, &unit.dataflow).await;
            }
            if let Some(offsite) = offsite
                && let Err(error) = offsite.forget(&unit.dataflow).await
            {
                tracing::warn!(dataflow = unit.dataflow.name, %error, "the checkpoint of a dropped view stays in the object store");
            }
        });
    }

    /// Stops everything in good order: no new epochs, each pipeline takes a last checkpoint, stores are flushed.
    pub async fn stop(&self) {
        self.shutdown.cancel();
        self.epochs.stop();
        let units = std::mem::take(&mut *self.units.lock());
        let (mut threads, mut appliers, mut uploads) = (vec![], vec![], vec![]);
        for unit in units.into_values() {
            threads.push(unit.thread);
            appliers.push(unit.appliers);
            uploads.extend(unit.upload);
        }
        let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        if tokio::time::timeout(Duration::from_secs(60), joined).await.is_err() {
            tracing::warn!("a pipeline did not stop in time; it will be brought back from its last checkpoint");
        }
        self.appliers_shutdown.cancel();
        if tokio::time::timeout(UPLOAD_WAIT, futures::future::join_all(uploads)).await.is_err() {
            tracing::warn!("the last checkpoints are not in the object store; those before them are");
        }
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in appliers.into_iter().flatten().chain(tasks) {
            let _ = tokio::time::timeout(Duration::from_secs(10), task).await;
        }
    }
}

fn spec(pipeline: &Pipeline, table: &Table) -> Result<(SinkSpec, String), Error> {
    let mut options = table.options.clone();
    options.remove("type");
    let connector = options.remove("connector").ok_or_else(|| Error::Table {
        pipeline: pipeline.name.clone(),
        table: table.name.clone(),
        message: "`connector` is missing: redis, tantivy, vector, postgres or view".into(),
    })?;
    if let Some(id) = pipeline.view_id {
        options.insert("id".into(), id.to_string());
    }
    // A view that was created is named by its pipeline; other stores by their table, in their pipeline's schema.
    let (schema, name) = pipeline.name.split_once('.').unwrap_or((&pipeline.name, &table.name));
    let spec = SinkSpec {
        pipeline: schema.to_owned(),
        table: name.to_owned(),
        schema: table.schema.clone(),
        primary_key: table.primary_key.clone(),
        options,
    };
    Ok((spec, connector))
}
