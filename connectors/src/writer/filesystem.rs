//! Files of a folder. A file is written under a hidden name and gets its own when it is complete.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Layout, Writer, WriterSpec, lines, options};
use crate::{Changes, Error, Result};

pub(super) const CONNECTOR: &str = "filesystem";
const ROLLOVER_ROWS: u64 = 1_000_000;
const ROLLOVER: Duration = Duration::from_secs(30);

struct Folder {
    spec: WriterSpec,
    path: PathBuf,
    /// Names of one run sort by time and are never those of another.
    run: uuid::Uuid,
    part: u32,
    rollover: Duration,
    rollover_rows: u64,
    open: Option<Part>,
}

struct Part {
    writer: Box<dyn Writer>,
    hidden: PathBuf,
    complete: PathBuf,
    rows: u64,
    since: Instant,
}

pub(super) fn open(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    let mut options = options(CONNECTOR, spec);
    let path = PathBuf::from(options.required("path")?);
    let seconds: Option<u64> = options.parsed("rollover_seconds", "a number of seconds")?;
    let rows = options.parsed("rollover_rows", "a number of rows")?;
    Layout::new(&mut options, spec)?;
    options.finish()?;
    std::fs::create_dir_all(&path).map_err(|source| Error::Io { what: format!("cannot make the folder `{}`", path.display()), source })?;
    Ok(Box::new(Folder {
        spec: spec.clone(),
        path,
        run: uuid::Uuid::now_v7(),
        part: 0,
        rollover: seconds.map_or(ROLLOVER, Duration::from_secs),
        rollover_rows: rows.unwrap_or(ROLLOVER_ROWS),
        open: None,
    }))
}

impl Folder {
    fn next_part(&mut self) -> Result<Part> {
        let layout = Layout::new(&mut options(CONNECTOR, &self.spec), &self.spec)?;
        let name = format!("{}-{:05}.{}", self.run.simple(), self.part, layout.extension());
        self.part += 1;
        let hidden = self.path.join(format!(".{name}"));
        let writer = lines::write_file(&hidden, layout, &self.spec)?;
        Ok(Part { writer, hidden, complete: self.path.join(name), rows: 0, since: Instant::now() })
    }

    fn complete(&mut self) -> Result<()> {
        let Some(mut part) = self.open.take() else { return Ok(()) };
        part.writer.finish()?;
        let renamed = std::fs::rename(&part.hidden, &part.complete);
        renamed.map_err(|source| Error::Io { what: format!("cannot name `{}`", part.complete.display()), source })
    }
}

impl Writer for Folder {
    fn write(&mut self, changes: &Changes) -> Result<()> {
        let mut part = match self.open.take() {
            Some(part) => part,
            None => self.next_part()?,
        };
        part.rows += changes.weights.iter().map(|weight| weight.unsigned_abs()).sum::<u64>();
        part.writer.write(changes)?;
        let is_full = part.rows >= self.rollover_rows;
        self.open = Some(part);
        if is_full { self.complete() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        match &self.open {
            Some(part) if part.since.elapsed() >= self.rollover => self.complete(),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.complete()
    }
}
