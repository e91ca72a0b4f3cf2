//! Statements and commands, one after the other: typed, from a file, or from a pipe.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::signal::unix::{SignalKind, signal};

use super::catalog::Names;
use super::complete::{Helper, is_complete};
use super::drawn::Table;
use super::session::{Column, Event, Session};
use super::{Format, format, meta, said};
use crate::commands::{Exit, ui};
use crate::pg::split;

/// Lines of history that are kept.
const HISTORY_LINES: usize = 5_000;
/// Rows that come within this time are drawn together.
const GATHER: Duration = Duration::from_millis(100);
const GATHER_ROWS: usize = 1_000;

/// When rows are shown a value a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expanded {
    Off,
    On,
    /// Where they are wider than the terminal.
    Auto,
}

pub struct Shell {
    pub session: Session,
    pub format: Format,
    pub expanded: Expanded,
    pub timing: bool,
    /// Where rows go instead of standard output.
    pub file: Option<File>,
    /// What `\watch` and `\e` take.
    pub last: String,
    pub is_interactive: bool,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    GoOn,
    Quit,
}

impl Shell {
    pub fn new(session: Session, format: Format) -> Self {
        Self { session, format, expanded: Expanded::Off, timing: false, file: None, last: String::new(), is_interactive: false }
    }

    /// Reads from the terminal until the end of input.
    pub async fn interact(&mut self, history: PathBuf) -> anyhow::Result<()> {
        self.is_interactive = true;
        let config = Config::builder()
            .max_history_size(HISTORY_LINES)?
            .history_ignore_dups(true)?
            .completion_type(CompletionType::List)
            .auto_add_history(false)
            .build();
        let mut editor: Editor<Helper, FileHistory> = Editor::with_config(config)?;
        editor.set_helper(Some(Helper::default()));
        // There is none before the first time.
        let _ = editor.load_history(&history);
        eprintln!("Live views of chimera {}. \\? says what can be typed, \\q leaves.", env!("CARGO_PKG_VERSION"));
        loop {
            if let Ok(names) = Names::read(&self.session).await
                && let Some(helper) = editor.helper_mut()
            {
                helper.names = names;
            }
            let line = match tokio::task::block_in_place(|| editor.readline("chimera=> ")) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(error).context("the terminal cannot be read"),
            };
            if line.trim().is_empty() {
                continue;
            }
            editor.add_history_entry(line.trim_end())?;
            // What cannot be kept is not worth an end of the session.
            let _ = editor.append_history(&history);
            if self.run_typed(&line).await? == Next::Quit {
                break;
            }
        }
        Ok(())
    }

    /// What was typed: its errors are shown, and nothing ends.
    async fn run_typed(&mut self, text: &str) -> anyhow::Result<Next> {
        match self.run_lines(text).await {
            Ok(next) => Ok(next),
            Err(error) if matches!(error.downcast_ref(), Some(Exit::Found)) => Ok(Next::GoOn),
            Err(error) => {
                eprintln!("{} {error:#}", ui::red("error:"));
                Ok(Next::GoOn)
            }
        }
    }

    /// Statements and commands, up to the first error, which has been shown then.
    pub async fn run_text(&mut self, text: &str) -> anyhow::Result<()> {
        self.run_lines(text).await.map(|_| ())
    }

    pub async fn run_lines(&mut self, text: &str) -> anyhow::Result<Next> {
        let mut statement = String::new();
        for line in text.split_inclusive('\n') {
            if statement.trim().is_empty() && line.trim_start().starts_with('\\') {
                statement.clear();
                if Box::pin(meta::run(self, line.trim())).await? == Next::Quit {
                    return Ok(Next::Quit);
                }
                continue;
            }
            statement.push_str(line);
            if is_complete(&statement) {
                self.run_statements(&std::mem::take(&mut statement)).await?;
            }
        }
        self.run_statements(&statement).await?;
        Ok(Next::GoOn)
    }

    async fn run_statements(&mut self, text: &str) -> anyhow::Result<()> {
        for piece in split(text) {
            self.run(piece.text.trim()).await?;
        }
        Ok(())
    }

    /// Runs one statement and shows what comes of it. Ctrl-C breaks it off.
    pub async fn run(&mut self, statement: &str) -> anyhow::Result<()> {
        if statement.is_empty() {
            return Ok(());
        }
        if self.session.is_closed() {
            self.session.connect_again().await?;
            eprintln!("{}", ui::dim("connected again"));
        }
        self.last = statement.to_owned();
        let began = Instant::now();
        let done = self.answer(statement).await;
        for notice in self.session.notices() {
            eprintln!("{}", said::notice(&notice));
        }
        let rows = match done? {
            Ok(rows) => rows,
            Err(error) => {
                eprintln!("{}", said::error(&error, statement));
                return Err(Exit::Found.into());
            }
        };
        let time = if self.timing { format!("{:.1} ms", began.elapsed().as_secs_f64() * 1_000.0) } else { String::new() };
        let rows = match rows {
            Some(1) if self.is_interactive => "1 row".to_owned(),
            Some(rows) if self.is_interactive => format!("{rows} rows"),
            None if self.is_interactive => "done".to_owned(),
            _ => String::new(),
        };
        let said = [rows, time].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        if !said.is_empty() {
            eprintln!("{}", ui::dim(&format!("({said})")));
        }
        Ok(())
    }

    /// The number of rows that were shown; `None`: the statement has none.
    async fn answer(&mut self, statement: &str) -> anyhow::Result<Result<Option<u64>, tokio_postgres::Error>> {
        let first = statement.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_uppercase();
        let with_types = ["SELECT", "WITH", "VALUES"].contains(&first.as_str());
        let mut interrupts = signal(SignalKind::interrupt()).context("Ctrl-C cannot be listened to")?;
        let mut printer = Printer { shell: (self.format, self.expanded), is_plan: first == "EXPLAIN", ..Printer::new(self.file.as_ref())? };
        let mut answer = tokio::select! {
            answer = self.session.begin(statement, with_types) => match answer {
                Ok(answer) => answer,
                Err(error) => return Ok(Err(error)),
            },
            _ = interrupts.recv() => {
                self.session.cancel().await;
                anyhow::bail!("cancelled");
            }
        };
        loop {
            let event = tokio::select! {
                event = answer.next() => event,
                _ = interrupts.recv() => {
                    self.session.cancel().await;
                    continue;
                }
                () = tokio::time::sleep(GATHER), if !printer.pending.is_empty() => {
                    printer.flush()?;
                    continue;
                }
            };
            match event {
                None => break,
                Some(Err(error)) => {
                    printer.flush()?;
                    return Ok(Err(error));
                }
                Some(Ok(Event::Columns(columns))) => printer.begin(columns)?,
                Some(Ok(Event::Row(row))) => printer.row(row)?,
                Some(Ok(Event::Done)) => printer.flush()?,
            }
        }
        Ok(Ok(printer.table.is_some().then_some(printer.count)))
    }
}

/// Writes the rows of an answer.
struct Printer {
    shell: (Format, Expanded),
    /// The text of EXPLAIN stands without a frame.
    is_plan: bool,
    table: Option<Table>,
    columns: Vec<Column>,
    pending: Vec<Vec<Option<String>>>,
    count: u64,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl Printer {
    fn new(file: Option<&File>) -> anyhow::Result<Self> {
        let out: Box<dyn Write + Send> = match file {
            Some(file) => Box::new(file.try_clone().context("the file for rows cannot be written")?),
            None => Box::new(std::io::stdout()),
        };
        let shell = (Format::Table, Expanded::Off);
        let (table, columns, pending) = (None, Vec::new(), Vec::new());
        Ok(Self { shell, is_plan: false, table, columns, pending, count: 0, out: BufWriter::new(out) })
    }

    fn begin(&mut self, columns: Vec<Column>) -> anyhow::Result<()> {
        self.table = Some(Table::new(columns.clone()));
        if self.shell.0 == Format::Csv {
            let names = format::csv(columns.iter().map(|column| Some(column.name.as_str())));
            self.line(&names)?;
        }
        self.columns = columns;
        Ok(())
    }

    fn row(&mut self, row: Vec<Option<String>>) -> anyhow::Result<()> {
        self.pending.push(row);
        if self.pending.len() >= GATHER_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let rows = std::mem::take(&mut self.pending);
        let before = self.count;
        self.count += rows.len() as u64;
        let Some(mut table) = self.table.take() else { return Ok(()) };
        let lines = match self.shell {
            (Format::Json, _) => rows.iter().map(|row| format::json(&self.columns, row)).collect(),
            (Format::Csv, _) => rows.iter().map(|row| format::csv(row.iter().map(Option::as_deref))).collect(),
            (Format::Table, _) if self.is_plan => rows.iter().map(|row| plan(row)).collect(),
            (Format::Table, expanded) => {
                if self.shell.1 == Expanded::Auto {
                    self.shell.1 = if table.overflows(&rows) { Expanded::On } else { Expanded::Off };
                }
                match if expanded == Expanded::Auto { self.shell.1 } else { expanded } {
                    Expanded::On => (before + 1..).zip(&rows).flat_map(|(number, row)| table.expanded(number, row)).collect(),
                    _ => table.draw(&rows),
                }
            }
        };
        self.table = Some(table);
        lines.iter().try_for_each(|line: &String| self.line(line))?;
        match self.out.flush() {
            // Whoever read has enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Exit::Found.into()),
            done => done.context("rows cannot be written"),
        }
    }

    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        match writeln!(self.out, "{line}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Exit::Found.into()),
            done => done.context("rows cannot be written"),
        }
    }
}

/// A line of EXPLAIN, or a plan with its name before it.
fn plan(row: &[Option<String>]) -> String {
    row.iter().map(|value| value.as_deref().unwrap_or_default().trim_end()).collect::<Vec<_>>().join(":\n")
}
