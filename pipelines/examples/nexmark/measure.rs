//! One query, measured.

use crate::files::Files;
use crate::queries::{self, Query};
use crate::uniform::Uniform;
use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use chimera_connectors::nexmark::{Config, Generator};
use chimera_sql::{Dataflow, DataflowConfig, Delta, Functions, Program};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A busy site, and enough time for windows of ten seconds to come and go.
const EVENTS_PER_SECOND: u64 = 100_000;

#[derive(Debug)]
pub struct Settings {
    pub events: usize,
    /// Events a step.
    pub batch: usize,
}

impl Settings {
    /// The sizes of the steps.
    pub fn batches(&self) -> impl Iterator<Item = usize> {
        (0..self.events).step_by(self.batch.max(1)).map(|start| self.batch.min(self.events - start))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Pushing and stepping, without making the events.
    pub seconds: f64,
    /// Of all threads, without making the events.
    pub cpu_seconds: f64,
    /// Rows of all changes that came out.
    pub changes: u64,
    /// The most memory that the process had, with the batches that were pushed.
    pub peak_mib: u64,
    /// State in files after the last checkpoint.
    pub disk_mib: u64,
    pub checkpoint_seconds: f64,
    /// DataFusion, once over all events, in memory.
    pub batch_seconds: f64,
    pub batch_cpu_seconds: f64,
    /// The same rows from Parquet files, where they are events.
    pub files: Option<FromFiles>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct FromFiles {
    /// Of the tables that the query reads.
    pub rows: u64,
    /// Reading, pushing and stepping.
    pub seconds: f64,
    /// Of all threads.
    pub cpu_seconds: f64,
    /// Rows of all changes that came out.
    pub changes: u64,
}

/// `files`: the folder with the events, see [`files::write`].
pub fn run(query: &Query, settings: &Settings, files: &Path) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let schema = runtime.block_on(async {
        let none = [Source::new(false).next(0)?, Source::new(true).next(0)?].concat();
        anyhow::Ok(context(group(none)?)?.sql(query.batch()).await?.schema().as_arrow().clone())
    })?;
    let mut measured = stream(query, &schema, settings)?;
    if !query.is_uniform {
        let from_files = read(query, &schema, settings, files)?;
        anyhow::ensure!(from_files.changes > 0 || measured.changes == 0, "{}: nothing came of the files", query.name);
        measured.files = Some(from_files);
    }
    let mut tables = vec![];
    let mut source = Source::new(query.is_uniform);
    for size in settings.batches() {
        tables.extend(source.next(size)?);
    }
    let context = context(group(tables)?)?;
    let (start, cpu) = (Instant::now(), process_cpu()?);
    let rows = runtime.block_on(async { context.sql(query.batch()).await?.collect().await })?;
    measured.batch_seconds = start.elapsed().as_secs_f64();
    measured.batch_cpu_seconds = (process_cpu()? - cpu).as_secs_f64();
    drop(rows);
    Ok(measured)
}

/// Where the rows come from.
pub enum Source {
    Events(Generator),
    Uniform(Uniform),
}

impl Source {
    pub fn new(is_uniform: bool) -> Self {
        match is_uniform {
            true => Source::Uniform(Uniform::new()),
            false => Source::Events(Generator::new(Config { events_per_second: EVENTS_PER_SECOND, ..Config::default() })),
        }
    }

    pub fn next(&mut self, rows: usize) -> anyhow::Result<Vec<(&'static str, RecordBatch)>> {
        Ok(match self {
            Source::Events(generator) => generator.next(rows)?.tables(),
            Source::Uniform(uniform) => uniform.next(rows)?,
        })
    }
}

/// A query's program, and its dataflow, which has the bounded table.
fn start(query: &Query, schema: &Schema, folder: &Path) -> anyhow::Result<(Program, Dataflow)> {
    let program = Program::parse(&query.program(schema), &Functions::new()).with_context(|| query.name)?;
    let mut dataflow = program.start(DataflowConfig { storage: Some(folder.to_path_buf()), ..DataflowConfig::default() })?;
    dataflow.push("side_input", Delta::insert(queries::side_input()?))?;
    dataflow.step()?;
    Ok((program, dataflow))
}

/// The query maintained over what the files hold.
fn read(query: &Query, schema: &Schema, settings: &Settings, files: &Path) -> anyhow::Result<FromFiles> {
    let folder = tempfile::tempdir()?;
    let (program, mut dataflow) = start(query, schema, folder.path())?;
    let (cpu, began) = (process_cpu()?, Instant::now());
    let (mut rows, mut changes) = (0, 0);
    let mut files = Files::open(files, &program, settings.batch)?;
    loop {
        let tables = files.next()?;
        if tables.is_empty() {
            break;
        }
        for (table, batch) in tables {
            rows += batch.num_rows() as u64;
            dataflow.push(table, Delta::insert(batch))?;
        }
        changes += dataflow.step()?.iter().map(|output| output.changes.len() as u64).sum::<u64>();
    }
    let (seconds, cpu_seconds) = (began.elapsed().as_secs_f64(), (process_cpu()? - cpu).as_secs_f64());
    dataflow.stop();
    Ok(FromFiles { rows, seconds, cpu_seconds, changes })
}

/// The query maintained: all that is measured but for the batch and the files.
fn stream(query: &Query, schema: &Schema, settings: &Settings) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let (_, mut dataflow) = start(query, schema, folder.path())?;
    let mut source = Source::new(query.is_uniform);
    let (mut seconds, mut making, mut changes) = (Duration::ZERO, Duration::ZERO, 0);
    let cpu = process_cpu()?;
    for size in settings.batches() {
        let own = thread_cpu()?;
        let tables = source.next(size)?;
        making += thread_cpu()? - own;
        let start = Instant::now();
        for (table, batch) in tables {
            dataflow.push(table, Delta::insert(batch))?;
        }
        changes += dataflow.step()?.iter().map(|output| output.changes.len() as u64).sum::<u64>();
        seconds += start.elapsed();
    }
    let cpu_seconds = (process_cpu()? - cpu).saturating_sub(making).as_secs_f64();
    let peak_mib = peak_mib()?;
    let errors = dataflow.take_row_errors();
    anyhow::ensure!(errors.is_empty(), "{}: rows were refused: {errors:?}", query.name);
    let start = Instant::now();
    dataflow.checkpoint()?;
    let checkpoint_seconds = start.elapsed().as_secs_f64();
    let disk_mib = size_bytes(folder.path())? >> 20;
    dataflow.stop();
    let seconds = seconds.as_secs_f64();
    let (batch_seconds, batch_cpu_seconds, files) = (0.0, 0.0, None);
    Ok(Measured { seconds, cpu_seconds, changes, peak_mib, disk_mib, checkpoint_seconds, batch_seconds, batch_cpu_seconds, files })
}

fn group(batches: Vec<(&str, RecordBatch)>) -> anyhow::Result<BTreeMap<String, Vec<RecordBatch>>> {
    let mut tables: BTreeMap<String, Vec<RecordBatch>> = BTreeMap::new();
    for (table, batch) in batches {
        tables.entry(table.to_string()).or_default().push(batch);
    }
    tables.insert("side_input".into(), vec![queries::side_input()?]);
    Ok(tables)
}

/// DataFusion on one thread, with the types that programs have.
fn context(tables: BTreeMap<String, Vec<RecordBatch>>) -> anyhow::Result<SessionContext> {
    let mut config = SessionConfig::new().with_target_partitions(1);
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let context = SessionContext::new_with_config(config);
    for (name, batches) in tables {
        let schema = batches.first().with_context(|| format!("{name} has no batch"))?.schema();
        context.register_table(name, Arc::new(MemTable::try_new(schema, vec![batches])?))?;
    }
    Ok(context)
}

/// CPU time of all threads of this process, in steps of ten milliseconds.
fn process_cpu() -> anyhow::Result<Duration> {
    const TICKS_A_SECOND: u64 = 100;
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may have spaces; fields 14 and 15 are user and system time.
    let (_, fields) = text.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
}

fn thread_cpu() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split_whitespace().next().context("schedstat is empty")?.parse()?))
}

fn peak_mib() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    Ok(line.split_whitespace().next().context("VmHWM is empty")?.parse::<u64>()? >> 10)
}

fn size_bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        total += if entry.file_type()?.is_dir() { size_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(total)
}
