//! Runs a script by itself: from its sources through its dataflow into its sinks, until its sources end or somebody stops it.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arrow::array::{Array, ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow::datatypes::{Field, Schema};
use chimera_connectors::lookup::{LookupSpec, LookupTable, Patience};
use chimera_connectors::source::{self, Batch, Source, SourceSpec};
use chimera_connectors::writer::{self, Writer, WriterSpec};
use chimera_connectors::{Changes, Error as ConnectorError};
use chimera_sql::{
    ARRIVAL, Dataflow, DataflowConfig, Delta, Functions, ImpliedTable, Lookups, Output, PREVIEW, Program, SinkChanges, Table,
};

use crate::Error;
use crate::late::LateFile;
use crate::lookup::Asker;

/// Rows that a source gives at once.
const SOURCE_ROWS: usize = 8_192;
/// Batches of all sources that wait for the dataflow; sources wait when there are more.
const WAITING: usize = 8;
/// Rows of a step at most, more or less: a backlog is worked off in large steps, and a single row is not kept waiting.
const STEP_ROWS: usize = 65_536;
/// How often it is looked whether somebody stopped the script.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often results that depend on the time are brought up to it.
const TICK: Duration = Duration::from_millis(200);

const CONNECTOR: &str = "connector";
const FORMAT: &str = "format";
const PARQUET: &str = "parquet";
const BAD_DATA: &str = "bad_data";
/// Options that are not the connector's.
const OWN_OPTIONS: [&str; 4] = [CONNECTOR, BAD_DATA, "type", "event_time_field"];

/// Reads and plans a script.
pub fn parse(sql: &str, functions: &Functions) -> Result<Program, chimera_sql::Error> {
    Program::parse_script(sql, functions, &|options: &BTreeMap<String, String>| {
        let (schema, event_time) = source::implied_columns(options.get(CONNECTOR)?)?;
        Some(ImpliedTable { schema, event_time: Some(event_time.to_owned()) })
    })
}

/// Shows what a query on its own gives: its name, whether rows also go, and the changes of a step.
pub type Preview = Box<dyn FnMut(&str, bool, &Changes) -> Result<(), ConnectorError> + Send>;

/// How a script is run.
pub struct Options {
    /// Threads that compute.
    pub workers: usize,
    pub preview: Preview,
    /// Ends the script; what it has written stays, what waits for a window is not written.
    pub stop: Arc<AtomicBool>,
    /// A file for rows that come after their windows have closed; without it they are only counted.
    pub late: Option<PathBuf>,
}

/// What a script did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Rows by source.
    pub read: BTreeMap<String, u64>,
    /// Rows and changes by sink.
    pub written: BTreeMap<String, u64>,
    /// Records that are no rows of their table, and were left out.
    pub bad: u64,
    /// Of the rows that were left out, those that are in the file for late rows.
    pub late: u64,
    /// Rows that were left out while computing: message → rows.
    pub refused: BTreeMap<String, u64>,
    pub steps: u64,
    pub took: Duration,
    /// Whether all sources ended, so that all windows were closed.
    pub ended: bool,
}

/// What a source's thread tells.
enum News {
    /// And when they were read, in nanoseconds since 1970.
    Rows(Batch, i64),
    /// Nothing came until this time; of tables whose rows have no other.
    Still(i64),
    End,
    Failed(ConnectorError),
}

struct Input {
    name: String,
    /// Whether a record that cannot be read ends the script.
    fails: bool,
    /// Its rows have no time but that of their arrival.
    has_arrival: bool,
}

/// A script that runs.
struct Script {
    dataflow: Dataflow,
    inputs: Vec<Input>,
    writers: BTreeMap<String, Box<dyn Writer>>,
    previews: BTreeMap<String, bool>,
    preview: Preview,
    /// Results depend on the time, and so change though no rows come.
    uses_clock: bool,
    stepped: Instant,
    /// It was stopped in the middle of a step.
    is_cut_off: bool,
    late: Option<LateFile>,
    summary: Summary,
}

/// Runs `program` in the calling thread and some of its own.
pub fn run(program: &Program, options: Options) -> Result<Summary, Error> {
    let started = Instant::now();
    let (mut inputs, mut sources) = (vec![], vec![]);
    for table in &program.sources {
        sources.push(open_source(program, table)?);
        inputs.push(Input { name: table.name.clone(), fails: fails_on_bad_data(table)?, has_arrival: table.has_arrival });
    }
    let (mut writers, mut previews) = (BTreeMap::new(), BTreeMap::new());
    for table in &program.sinks {
        if table.options.is_empty() && table.name.starts_with(PREVIEW) {
            previews.insert(table.name.clone(), table.changes == SinkChanges::Logged);
        } else {
            writers.insert(table.name.clone(), open_writer(table)?);
        }
    }
    let bad_answers = Arc::new(AtomicU64::new(0));
    let mut lookups = Lookups::new();
    for table in &program.lookups {
        lookups.insert(table.name.clone(), Arc::new(open_lookup(table, &options.stop, &bad_answers)?));
    }
    let late = options.late.as_deref().map(LateFile::create).transpose()?;
    let config = DataflowConfig { workers: options.workers, lookups, keep_late: late.is_some(), ..DataflowConfig::default() };
    let dataflow = program.start(config).map_err(failed)?;
    let (uses_clock, preview) = (program.uses_clock(), options.preview);
    let mut script = Script {
        dataflow,
        inputs,
        writers,
        previews,
        preview,
        uses_clock,
        stepped: started,
        is_cut_off: false,
        late,
        summary: Summary::default(),
    };
    let left = sources.len();
    let (sender, receiver) = sync_channel(WAITING);
    let threads: Vec<_> = sources
        .into_iter()
        .enumerate()
        .map(|(index, source)| {
            let (sender, stop, has_arrival) = (sender.clone(), options.stop.clone(), program.sources[index].has_arrival);
            let spawned = std::thread::Builder::new().name(format!("source-{index}")).spawn(move || {
                let attempt = std::panic::catch_unwind(AssertUnwindSafe(|| read(index, source, has_arrival, &sender, &stop)));
                if attempt.is_err() {
                    // Nobody listens any more if this cannot be sent.
                    let _ = sender.send((index, News::Failed(ConnectorError::corrupt("source", "reading broke off: a fault of ours"))));
                }
            });
            spawned.map_err(|source| Error::Io { what: "cannot start a thread".into(), source })
        })
        .collect::<Result<_, _>>()?;
    drop(sender);
    let done = script.drive(&receiver, left, &options.stop);
    // Sources that wait to be taken from find that nobody is there.
    options.stop.store(true, Ordering::Relaxed);
    drop(receiver);
    for thread in threads {
        // A source that panicked has said so.
        drop(thread.join());
    }
    script.summary.took = started.elapsed();
    script.summary.bad += bad_answers.load(Ordering::Relaxed);
    let Script { dataflow, summary, .. } = script;
    dataflow.stop();
    done.map(|()| summary)
}

fn failed(error: chimera_sql::EngineError) -> Error {
    if let chimera_sql::EngineError::Lookup(message) = error {
        return Error::Lookup(message);
    }
    Error::Dataflow { pipeline: "script".into(), message: error.to_string() }
}

/// Reads a source until it ends, or nobody listens.
fn read(index: usize, mut source: Box<dyn Source>, has_arrival: bool, sender: &SyncSender<(usize, News)>, stop: &AtomicBool) {
    let (mut latest, mut told) = (i64::MIN, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let next = source.next(SOURCE_ROWS);
        // A clock that is set back does not take time back.
        latest = latest.max(now_ns());
        let news = match next {
            Ok(Some(batch)) if batch.changes.is_empty() && batch.bad.is_empty() => {
                if !has_arrival || told.elapsed() < TICK {
                    continue;
                }
                told = Instant::now();
                News::Still(latest)
            }
            Ok(Some(batch)) => News::Rows(batch, latest),
            Ok(None) => News::End,
            Err(error) => News::Failed(error),
        };
        let is_last = matches!(news, News::End | News::Failed(_));
        if sender.send((index, news)).is_err() || is_last {
            return;
        }
    }
}

impl Script {
    fn drive(&mut self, receiver: &Receiver<(usize, News)>, mut left: usize, stop: &AtomicBool) -> Result<(), Error> {
        // Constants are there from the beginning.
        let mut is_due = left == 0;
        while left > 0 || is_due {
            let mut rows = 0;
            if left > 0 {
                let first = match receiver.recv_timeout(PATIENCE) {
                    Ok(news) => Some(news),
                    Err(RecvTimeoutError::Timeout) => None,
                    // Who is told to stop leaves without a word.
                    Err(RecvTimeoutError::Disconnected) if stop.load(Ordering::Relaxed) => break,
                    Err(RecvTimeoutError::Disconnected) => return Err(ConnectorError::corrupt("source", "it ended without a word").into()),
                };
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let Some(first) = first else {
                    match self.uses_clock && self.stepped.elapsed() >= TICK {
                        true => self.step(stop)?,
                        false => self.flush()?,
                    }
                    continue;
                };
                let mut news = Some(first);
                while let Some((index, item)) = news.take() {
                    match item {
                        News::Rows(batch, at) => rows += self.push(index, batch, at)?,
                        News::Still(at) => self.dataflow.arrived(&self.inputs[index].name, at),
                        News::End => {
                            self.dataflow.end(&self.inputs[index].name);
                            left -= 1;
                        }
                        News::Failed(error) => return Err(error.into()),
                    }
                    if rows < STEP_ROWS {
                        news = receiver.try_recv().ok();
                    }
                }
            }
            self.step(stop)?;
            is_due = false;
        }
        self.summary.ended = left == 0 && !self.is_cut_off;
        for writer in self.writers.values_mut() {
            writer.finish()?;
        }
        Ok(())
    }

    fn push(&mut self, index: usize, batch: Batch, at: i64) -> Result<usize, Error> {
        let input = &self.inputs[index];
        if let Some(bad) = batch.bad.first() {
            if input.fails {
                let message = format!("{}: {}; with the option bad_data = 'drop' such records are left out", bad.place, bad.error);
                return Err(Error::ScriptTable { table: input.name.clone(), message });
            }
            tracing::warn!(table = input.name, place = bad.place, error = bad.error, records = batch.bad.len(), "bad data");
            self.summary.bad += batch.bad.len() as u64;
        }
        let rows = batch.changes.weights.len();
        *self.summary.read.entry(input.name.clone()).or_default() += rows as u64;
        let is_plain = batch.changes.weights.iter().all(|weight| *weight == 1);
        let rows_read = if input.has_arrival { arriving(batch.changes.batch, at)? } else { batch.changes.batch };
        let delta = Delta { batch: rows_read, weights: (!is_plain).then_some(batch.changes.weights) };
        self.dataflow.push(&input.name, delta).map_err(failed)?;
        Ok(rows)
    }

    fn step(&mut self, stop: &AtomicBool) -> Result<(), Error> {
        if self.uses_clock {
            self.dataflow.advance(now_ns());
        }
        self.stepped = Instant::now();
        let outputs = match self.dataflow.step() {
            // Who waits for a lookup that does not come is not kept waiting.
            Err(chimera_sql::EngineError::Lookup(_)) if stop.load(Ordering::Relaxed) => {
                self.is_cut_off = true;
                return Ok(());
            }
            outputs => outputs.map_err(failed)?,
        };
        for Output { table, changes } in outputs {
            let weights = changes.weights.unwrap_or_else(|| vec![1; changes.batch.num_rows()]);
            let changes = Changes { batch: changes.batch, weights };
            *self.summary.written.entry(table.clone()).or_default() +=
                changes.weights.iter().map(|weight| weight.unsigned_abs()).sum::<u64>();
            match (self.writers.get_mut(&table), self.previews.get(&table)) {
                (Some(writer), _) => writer.write(&changes)?,
                (None, Some(changing)) => (self.preview)(&table, *changing, &changes)?,
                (None, None) => {}
            }
        }
        if let Some(file) = &mut self.late {
            self.dataflow.take_late().into_iter().try_for_each(|late| file.write(late))?;
            self.summary.late = file.rows;
        }
        for error in self.dataflow.take_row_errors() {
            tracing::warn!(rows = error.count, error = error.message, "rows were left out");
            *self.summary.refused.entry(error.message).or_default() += error.count;
        }
        self.summary.steps += 1;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.late.iter_mut().try_for_each(LateFile::flush)?;
        Ok(self.writers.values_mut().try_for_each(|writer| writer.flush())?)
    }
}

fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as i64
}

/// Rows with the time of their arrival as the last column.
fn arriving(rows: RecordBatch, at: i64) -> Result<RecordBatch, Error> {
    let time: ArrayRef = Arc::new(TimestampNanosecondArray::from_value(at, rows.num_rows()));
    let schema = rows.schema();
    let fields = schema.fields().iter().map(|field| field.as_ref().clone());
    let fields = fields.chain([Field::new(ARRIVAL, time.data_type().clone(), false)]);
    let columns = rows.columns().iter().cloned().chain([time]).collect();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns);
    Ok(rows.map_err(|error| ConnectorError::corrupt("source", error))?)
}

/// The connector of a table and its options.
fn connector(table: &Table) -> Result<(&str, BTreeMap<String, String>), Error> {
    let connector = table.options.get(CONNECTOR).ok_or_else(|| wrong(table, "the option `connector` is missing"))?;
    let options = table.options.iter().filter(|(name, _)| !OWN_OPTIONS.contains(&name.as_str()));
    Ok((connector, options.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

fn wrong(table: &Table, message: impl Into<String>) -> Error {
    Error::ScriptTable { table: table.name.clone(), message: message.into() }
}

fn fails_on_bad_data(table: &Table) -> Result<bool, Error> {
    match table.options.get(BAD_DATA).map(String::as_str) {
        None | Some("fail") => Ok(true),
        Some("drop") => Ok(false),
        Some(other) => Err(wrong(table, format!("option 'bad_data' = '{other}' must be fail or drop"))),
    }
}

fn open_source(program: &Program, table: &Table) -> Result<Box<dyn Source>, Error> {
    let (connector, options) = connector(table)?;
    // Of files of columns only those are decoded that are read. Lines are decoded whole: what is wrong in them is told.
    let is_columns = options.get(FORMAT).is_some_and(|format| format == PARQUET);
    let read = if is_columns { program.columns_read(&table.name) } else { None };
    let schema = read.unwrap_or_else(|| table.schema.clone());
    // The time of arrival is none of the source's columns.
    let own: Vec<usize> = (0..schema.fields().len()).filter(|index| !table.has_arrival || schema.field(*index).name() != ARRIVAL).collect();
    let schema = schema.project(&own).map_err(|error| wrong(table, error.to_string()))?;
    let spec = SourceSpec { table: table.name.clone(), schema: Arc::new(schema), metadata: table.metadata.clone(), options };
    Ok(source::open(connector, spec)?)
}

fn open_lookup(table: &Table, stop: &Arc<AtomicBool>, bad: &Arc<AtomicU64>) -> Result<Asker, Error> {
    let (connector, options) = connector(table)?;
    let spec = LookupSpec {
        table: table.name.clone(),
        schema: table.schema.clone(),
        primary_key: table.primary_key.clone(),
        options,
        drop_bad: !fails_on_bad_data(table)?,
    };
    let mut opened = LookupTable::open(connector, &spec, Patience::default(), stop.clone())?;
    opened.check()?;
    Asker::start(&table.name, opened, bad.clone())
}

fn open_writer(table: &Table) -> Result<Box<dyn Writer>, Error> {
    let (connector, options) = connector(table)?;
    if table.changes == SinkChanges::Keyed && !writer::keeps_by_key(connector) {
        let message = format!("a script does not keep rows by key, as connector '{connector}' would: give the table a format");
        return Err(wrong(table, message));
    }
    let spec = WriterSpec { table: table.name.clone(), schema: table.schema.clone(), primary_key: table.primary_key.clone(), options };
    Ok(writer::open(connector, &spec)?)
}
