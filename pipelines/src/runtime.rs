//! Brings pipelines up: plans their inputs, opens their stores, decides where each goes on from, and starts everything.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::sink::{self, Sink, SinkSpec};
use chimera_connectors::{Context, EpochInfo};
use chimera_sql::{DataflowConfig, Functions, Program, Table};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::applier::{Applier, Lost};
use crate::checkpoint::{Folder, Memory};
use crate::coordinator::Coordinator;
use crate::epochs::Epochs;
use crate::handle::{Handle, Nudge};
use crate::inputs::Inputs;
use crate::journal::Journal;
use crate::status::Board;
use crate::worker::{Outlet, Worker};
use crate::{Definition, Error};

/// How pipelines are run.
pub struct Config {
    /// The folder of the engine's state, a sub-folder a pipeline.
    pub dir: PathBuf,
    pub pipelines: Vec<Definition>,
    pub functions: Functions,
    /// What the functions' answers depend on beside their arguments, such as a model: another one builds the stores that use it anew.
    pub functions_version: String,
    /// Services whose topics come with transaction marks (`<service>.transaction`).
    pub transactional: Vec<String>,
    /// Threads a dataflow.
    pub workers: usize,
    pub checkpoint_every: Duration,
    pub nudge: Nudge,
}

/// Messages that an applier may be behind its pipeline.
const INBOX: usize = 8;

/// What a dataflow is started with.
pub(crate) fn dataflow_config(workers: usize, state: PathBuf, checkpoint: Option<Uuid>) -> DataflowConfig {
    DataflowConfig { workers, storage: Some(state), checkpoint, ..DataflowConfig::default() }
}

/// Starts pipelines.
pub struct Runtime;

struct Planned {
    definition: Definition,
    folder: Folder,
    memory: Memory,
    /// (spec, sink, last epoch in the store).
    sinks: Vec<(SinkSpec, String, Box<dyn Sink>, u64)>,
}

impl Runtime {
    /// Starts all pipelines of `config`. Each goes on from its checkpoint, or is built anew where its text or its stores have changed.
    pub async fn start(config: Config, context: Arc<Context>) -> Result<Handle, Error> {
        let mut programs = Vec::new();
        for definition in config.pipelines {
            let program = Program::parse(&definition.sql, &config.functions)
                .map_err(|source| Error::Sql { pipeline: definition.name.clone(), source: Box::new(source) })?;
            programs.push((definition, program));
        }
        let inputs = Arc::new(Inputs::plan(&programs, config.transactional)?);
        let log = context.log.clone();
        let (journal, tail) = Journal::open(log.clone()).await?;

        let version = config.functions_version;
        let mut planned = Vec::new();
        let mut stores = Vec::new();
        for (number, (definition, program)) in programs.iter().enumerate() {
            let plan = Self::plan(definition, program, &version, &config.dir, config.workers, &journal, tail.epoch, &context).await?;
            for (spec, connector, ..) in &plan.sinks {
                stores.push((definition.name.clone(), spec.table.clone(), connector.clone(), inputs.sources(number)));
            }
            planned.push(plan);
        }

        let board = Arc::new(Board::new(programs.iter().map(|(definition, _)| definition.name.clone()).collect(), stores));
        let start: Vec<u64> = planned.iter().map(|plan| plan.memory.checkpoint.as_ref().map_or(0, |c| c.epoch)).collect();
        let epochs = Arc::new(Epochs::new(tail.epoch, start));
        let handle = Handle {
            board: board.clone(),
            epochs: epochs.clone(),
            nudge: config.nudge,
            shutdown: CancellationToken::new(),
            appliers_shutdown: CancellationToken::new(),
            threads: Arc::default(),
            tasks: Arc::new(Mutex::default()),
        };

        let uses_clock = programs.iter().any(|(_, program)| program.uses_clock());
        let mut store = 0;
        for (number, (plan, (_, program))) in planned.into_iter().zip(programs).enumerate() {
            let mut outlets = Vec::new();
            let mut cuts = BTreeSet::new();
            for (spec, _, sink, applied) in plan.sinks {
                let (sender, inbox) = mpsc::channel(INBOX);
                let lost = Lost::default();
                outlets.push(Outlet { table: spec.table.clone(), sender, lost: lost.clone() });
                cuts.insert(applied);
                if applied > 0 {
                    let found = journal.entries(applied, 1).await?;
                    if let Some(entry) = found.into_iter().next() {
                        let (incarnation, committed_ms) = (journal.incarnation, entry.committed_ms);
                        board.applied(store, &EpochInfo { incarnation, epoch: applied, frontier: entry.frontier, committed_ms }, 0, false);
                    }
                }
                let applier = Applier {
                    number: store,
                    name: format!("{}.{}", spec.pipeline, spec.table),
                    sink,
                    applied,
                    incarnation: journal.incarnation,
                    lost,
                    board: board.clone(),
                    inbox,
                    shutdown: handle.appliers_shutdown.clone(),
                };
                handle.tasks.lock().push(tokio::spawn(applier.run()));
                store += 1;
            }
            let worker = Worker {
                number,
                name: plan.definition.name.clone(),
                program,
                folder: plan.folder,
                memory: plan.memory,
                workers: config.workers,
                checkpoint_every: config.checkpoint_every,
                outlets,
                cuts,
                given_out: 0,
                inputs: inputs.clone(),
                journal: journal.clone(),
                log: log.clone(),
                epochs: epochs.clone(),
                board: board.clone(),
                runtime: tokio::runtime::Handle::current(),
                shutdown: handle.shutdown.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("pipeline-{}", plan.definition.name))
                .spawn(move || worker.run())
                .map_err(|source| Error::Io { what: "cannot start a pipeline's thread".into(), source })?;
            handle.threads.lock().push(thread);
        }

        let coordinator = Coordinator { log, journal, tail, inputs, epochs, uses_clock, board, shutdown: handle.shutdown.clone() };
        handle.tasks.lock().push(tokio::spawn(coordinator.run()));
        Ok(handle)
    }

    #[allow(clippy::too_many_arguments, reason = "called once, with what a start knows")]
    /// Opens a pipeline's stores and decides where it goes on from.
    async fn plan(
        definition: &Definition,
        program: &Program,
        version: &str,
        dir: &std::path::Path,
        workers: usize,
        journal: &Journal,
        last: u64,
        context: &Arc<Context>,
    ) -> Result<Planned, Error> {
        let folder = Folder::new(dir.join(&definition.name))?;
        let mut memory = folder.load();
        let uses_models = definition.sql.contains("image_embedding");
        let text = hash(&format!("{}\n{}", definition.sql, if uses_models { version } else { "" }));
        let same = memory.text == text;
        if !same {
            if !memory.text.is_empty() {
                tracing::warn!(pipeline = definition.name, "the pipeline's text has changed; its stores are built anew");
            }
            memory = Memory { text, checkpoint: None };
        }
        let mut sinks = Vec::new();
        for table in &program.sinks {
            let (spec, connector) = spec(definition, table)?;
            let mut sink = sink::open(&connector, spec.clone(), context.clone()).await?;
            let applied = match sink.applied().await? {
                Some(applied) if same && applied.incarnation == journal.incarnation && applied.epoch <= last => applied.epoch,
                Some(_) => {
                    sink.reset().await?;
                    0
                }
                None => 0,
            };
            // A store that is behind the state has lost something that the state will not give out again.
            if memory.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.epoch > applied) {
                tracing::warn!(
                    store = format!("{}.{}", spec.pipeline, spec.table),
                    applied,
                    "the store is behind; rebuilding from the log"
                );
                memory.checkpoint = None;
            }
            sinks.push((spec, connector, sink, applied));
        }
        if memory.checkpoint.as_ref().is_some_and(|c| c.incarnation != journal.incarnation || c.epoch > last || c.workers != workers) {
            memory.checkpoint = None;
        }
        folder.save(&memory)?;
        Ok(Planned { definition: definition.clone(), folder, memory, sinks })
    }
}

fn spec(definition: &Definition, table: &Table) -> Result<(SinkSpec, String), Error> {
    let mut options = table.options.clone();
    options.remove("type");
    let connector = options.remove("connector").ok_or_else(|| Error::Table {
        pipeline: definition.name.clone(),
        table: table.name.clone(),
        message: "`connector` is missing: redis, tantivy, vector, postgres or view".into(),
    })?;
    let spec = SinkSpec {
        pipeline: definition.name.clone(),
        table: table.name.clone(),
        schema: table.schema.clone(),
        primary_key: table.primary_key.clone(),
        options,
    };
    Ok((spec, connector))
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
