//! `chimera run`: one file of streaming SQL from its sources to its sinks, without a platform.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chimera_connectors::format::{Encoder, Format};
use chimera_connectors::{Changes, Error as ConnectorError};
use chimera_pipelines::script::{self, Preview, Summary};
use clap::Args;

use super::{Output, ui};

/// Run a file of streaming SQL from its sources to its sinks, without a platform
#[derive(Debug, Args)]
#[command(after_help = "\
It runs until its sources end: then windows close, sinks are completed, and the exit code is 0. Sources that never end are read until
Ctrl-C. A query on its own is shown. `docs/scripts.md` lists connectors, formats and options.

Examples:
  chimera run clicks.sql
  chimera run -c \"CREATE TABLE n WITH (connector = 'nexmark', event_rate = '5'); SELECT bid.price FROM n WHERE bid IS NOT NULL\"
  generate-sql | chimera run --output json - | jq .")]
pub struct Arguments {
    /// The file; `-` is standard input
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    file: Option<PathBuf>,
    /// The text itself
    #[arg(short, long, value_name = "SQL")]
    command: Option<String>,
    /// Threads that compute
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Write rows that come after their windows have closed to this file, a JSON object a line: sinks, watermark, row
    #[arg(long, value_name = "FILE")]
    late: Option<PathBuf>,
    /// Show the dataflow instead of running it
    #[arg(long)]
    explain: bool,
    /// Say nothing on standard error but errors
    #[arg(short, long)]
    quiet: bool,
}

pub async fn run(arguments: Arguments, output: Output) -> anyhow::Result<()> {
    let (name, sql) = text(&arguments)?;
    let program = match script::parse(&sql, &chimera_pipelines::functions(None)) {
        Ok(program) => program,
        Err(error) => bail!("{name}: {error}"),
    };
    if arguments.explain {
        print!("{}", program.explain());
        return Ok(());
    }
    let stop = Arc::new(AtomicBool::new(false));
    let options =
        script::Options { workers: arguments.workers.into(), preview: preview(output), stop: stop.clone(), late: arguments.late.clone() };
    let running = tokio::task::spawn_blocking(move || script::run(&program, options));
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    let summary = match running.await.context("the script's thread ended early")? {
        Ok(summary) => summary,
        // Whoever reads the preview has seen enough.
        Err(chimera_pipelines::Error::Connector(ConnectorError::Io { source, .. })) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            return Ok(());
        }
        Err(error) => bail!("{name}: {error}"),
    };
    if !arguments.quiet {
        report(&summary);
    }
    left_out(&summary);
    if let Some(late) = arguments.late.filter(|_| summary.late > 0) {
        eprintln!("{} late row(s) are in `{}`", summary.late, late.display());
    }
    Ok(())
}

/// What the script is called in messages, and its text.
fn text(arguments: &Arguments) -> anyhow::Result<(String, String)> {
    match (&arguments.command, &arguments.file) {
        (Some(sql), _) => Ok(("-c".into(), sql.clone())),
        (None, Some(file)) if file.as_os_str() == "-" => {
            let mut sql = String::new();
            std::io::stdin().read_to_string(&mut sql).context("cannot read standard input")?;
            Ok(("standard input".into(), sql))
        }
        (None, Some(file)) => {
            let sql = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            Ok((file.display().to_string(), sql))
        }
        (None, None) => bail!("name a file, or give the text with -c"),
    }
}

fn report(summary: &Summary) {
    let rows = |counts: &BTreeMap<String, u64>| {
        let counts = counts.iter().map(|(name, rows)| format!("{name} {rows}"));
        let text = counts.collect::<Vec<_>>().join(", ");
        if text.is_empty() { "nothing".to_owned() } else { text }
    };
    let read: u64 = summary.read.values().sum();
    let rate = (read as f64 / summary.took.as_secs_f64().max(1e-9)).round();
    eprintln!("read     {} ({rate} rows/s)", rows(&summary.read));
    eprintln!("written  {}", rows(&summary.written));
    let end = if summary.ended { "all sources ended" } else { "stopped; windows that were open are not written" };
    eprintln!("{} {end} {}", ui::green("✓"), ui::dim(&format!("({}, {} steps)", ui::seconds(summary.took), summary.steps)));
}

/// Said also where little is to be said: it is as good as an error.
fn left_out(summary: &Summary) {
    if summary.bad > 0 {
        eprintln!("left out {} record(s) that are no rows of their table", summary.bad);
    }
    for (message, rows) in &summary.refused {
        eprintln!("left out {rows} row(s): {message}");
    }
}

/// Writes what queries on their own give to standard output.
fn preview(output: Output) -> Preview {
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    Box::new(move |query, is_changing, changes| {
        let written = match output {
            Output::Json => json(is_changing, changes)?,
            Output::Text => {
                let is_only = shown.is_empty() || (shown.len() == 1 && shown.contains_key(query));
                shown.entry(query.to_owned()).or_default().lines(query, is_only, is_changing, changes)?
            }
        };
        let mut out = stdout().lock();
        let written = out.write_all(&written).and_then(|()| out.flush());
        written.map_err(|source| ConnectorError::Io { what: "cannot write to standard output".into(), source })
    })
}

/// A JSON object a line: rows, or where rows also go, changes in Debezium's form.
fn json(is_changing: bool, changes: &Changes) -> Result<Vec<u8>, ConnectorError> {
    let format = if is_changing { Format::DebeziumJson } else { Format::Json };
    let mut lines = Vec::new();
    Encoder::new(format, &changes.batch.schema(), &[])?.encode(changes, &mut |record| {
        lines.extend_from_slice(record);
        lines.push(b'\n');
        Ok(())
    })?;
    Ok(lines)
}

/// How a query's rows are laid out: as wide as the first ones.
#[derive(Default)]
struct Shown {
    widths: Vec<usize>,
}

const MOST_COLUMNS_WIDE: usize = 40;

impl Shown {
    fn lines(&mut self, query: &str, is_only: bool, is_changing: bool, changes: &Changes) -> Result<Vec<u8>, ConnectorError> {
        let rows = texts(&changes.batch).map_err(|error| ConnectorError::corrupt("preview", error))?;
        let mut text = String::new();
        if self.widths.is_empty() {
            let schema = changes.batch.schema();
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            self.widths = (0..names.len()).map(|column| names[column].chars().count().max(widest(column)).min(MOST_COLUMNS_WIDE)).collect();
            let marker = if is_changing { "  " } else { "" };
            let head = format!("{marker}{}", self.row(names.iter().copied()));
            if !is_only {
                text.push_str(&format!("-- {query}\n"));
            }
            text.push_str(&if stdout().is_terminal() {
                format!("\u{1b}[1m{}\u{1b}[0m\n", head.trim_end())
            } else {
                format!("{}\n", head.trim_end())
            });
        }
        for (row, weight) in rows.iter().zip(&changes.weights) {
            let marker = match (is_changing, *weight > 0) {
                (false, _) => "",
                (true, true) => "+ ",
                (true, false) => "- ",
            };
            let line = format!("{marker}{}", self.row(row.iter().map(String::as_str)));
            for _ in 0..weight.unsigned_abs() {
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        Ok(text.into_bytes())
    }

    fn row<'a>(&self, values: impl Iterator<Item = &'a str>) -> String {
        values.zip(&self.widths).map(|(value, width)| format!("{value:<width$}")).collect::<Vec<_>>().join("  ")
    }
}

/// The values of each row as text.
fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>, arrow::error::ArrowError> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options)).collect::<Result<Vec<_>, _>>()?;
    Ok((0..batch.num_rows()).map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()).collect())
}
