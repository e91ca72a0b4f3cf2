//! Brings everything up: plans the inputs of all pipelines, starts them, and the coordinator that forms their epochs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::Context;
use chimera_sql::{Functions, Program};

use crate::coordinator::Coordinator;
use crate::engine::{Engine, Joins, Options, Pipeline};
use crate::functions::version_in;
use crate::handle::{Handle, Nudge};
use crate::hosts::Hosts;
use crate::inputs::{Inputs, Service};
use crate::journal::Journal;
use crate::manage::Manager;
use crate::offsite::Offsite;
use crate::{Definition, Error, memory};

/// How pipelines are run.
pub struct Config {
    /// The folder of the engine's state, a sub-folder a pipeline.
    pub dir: PathBuf,
    pub pipelines: Vec<Definition>,
    /// A text of CREATE TABLE: what views that are created later may read, beside each other. See [`crate::sources`].
    pub sources: String,
    pub functions: Functions,
    /// What the functions' answers depend on beside their arguments, such as a model: another one builds the stores that use it anew.
    pub functions_version: String,
    /// Services whose topics come with transaction marks (`<database>.transaction`).
    pub services: Vec<Service>,
    /// Threads a dataflow; on hosts, of each host.
    pub workers: usize,
    /// The machines that compute the dataflows; `None`: this process.
    pub hosts: Option<Hosts>,
    /// Where checkpoints are kept beside `dir`: those of dataflows that this process computes.
    pub offsite: Option<Offsite>,
    /// What the state of all pipelines may take of memory, about; what is more is on disk.
    pub memory_bytes: usize,
    pub checkpoint_every: Duration,
    pub nudge: Nudge,
}

/// Starts pipelines.
pub struct Runtime;

impl Runtime {
    /// Starts all pipelines of `config`, and the views that were created in its folder. Each goes on from its checkpoint, or is built anew
    /// where its text or its stores have changed.
    pub async fn start(config: Config, context: Arc<Context>) -> Result<Handle, Error> {
        let parse = |name: &str, sql: &str| {
            Program::parse(sql, &config.functions).map_err(|source| Error::Sql { pipeline: name.into(), source: Box::new(source) })
        };
        let mut programs = Vec::new();
        for definition in &config.pipelines {
            programs.push((definition, parse(&definition.name, &definition.sql)?));
        }
        let sources = parse("sources", &config.sources)?.sources;
        let read = programs.iter().flat_map(|(definition, program)| program.sources.iter().map(|table| (definition.name.as_str(), table)));
        let inputs = Arc::new(Inputs::plan(read.chain(sources.iter().map(|table| ("sources", table))), config.services.clone())?);
        let (journal, tail) = Journal::open(context.log.clone()).await?;
        let options = Options {
            workers: config.workers,
            hosts: config.hosts.clone().map(Arc::new),
            memory: memory::of_each(config.memory_bytes, programs.len()),
            checkpoint_every: config.checkpoint_every,
        };
        let engine = Engine::new(options, config.offsite.clone(), context, journal.clone(), tail.epoch, inputs.clone());
        let engine = Arc::new(engine);

        let mut opened = Vec::new();
        for (definition, program) in programs {
            let functions_version = version_in(&definition.sql, &config.functions_version).to_owned();
            let text = hash(&format!("{}\n{functions_version}", definition.sql));
            let (name, folder) = (definition.name.clone(), config.dir.join(&definition.name));
            opened.push(engine.open(Pipeline { name, program, text, functions_version, folder, view_id: None }).await?);
        }
        for opened in opened {
            engine.launch(opened, Joins::Waited, true).await?;
        }
        let (log, epochs, board) = (engine.log.clone(), engine.epochs.clone(), engine.board.clone());
        let clocked = engine.clocked.clone();
        let coordinator = Coordinator { log, journal, tail, inputs, epochs, clocked, board, shutdown: engine.shutdown.clone() };
        engine.tasks.lock().push(tokio::spawn(coordinator.run()));

        let nudge = config.nudge.clone();
        let manager = Manager::start(engine.clone(), config, sources).await?;
        Ok(Handle { engine, manager, nudge })
    }
}

pub(crate) fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
