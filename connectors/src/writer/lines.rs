//! Standard output and single files: a record a line, or one file of Parquet.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use super::{Layout, Writer, WriterSpec, encoder, options, parquet};
use crate::format::Encoder;
use crate::{Changes, Error, Result};

pub(super) const STDOUT: &str = "stdout";
pub(super) const SINGLE_FILE: &str = "single_file";

/// Records on their way to a file.
pub(super) struct Lines {
    encoder: Encoder,
    out: BufWriter<Box<dyn Write + Send>>,
    /// For messages.
    name: String,
}

impl Lines {
    pub(super) fn new(encoder: Encoder, out: Box<dyn Write + Send>, name: String) -> Self {
        Lines { encoder, out: BufWriter::with_capacity(1 << 16, out), name }
    }
}

impl Writer for Lines {
    fn write(&mut self, changes: &Changes) -> Result<()> {
        let (out, name) = (&mut self.out, &self.name);
        self.encoder.encode(changes, &mut |record| {
            let written = out.write_all(record).and_then(|()| out.write_all(b"\n"));
            written.map_err(|source| Error::Io { what: format!("cannot write to {name}"), source })
        })
    }

    fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(|source| Error::Io { what: format!("cannot write to {}", self.name), source })
    }
}

pub(super) fn open_stdout(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    let mut options = options(STDOUT, spec);
    let encoder = encoder(&mut options, spec)?;
    options.finish()?;
    Ok(Box::new(Lines::new(encoder, Box::new(stdout()), "standard output".into())))
}

pub(super) fn open_file(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    let mut options = options(SINGLE_FILE, spec);
    let path = PathBuf::from(options.required("path")?);
    let layout = Layout::new(&mut options, spec)?;
    options.finish()?;
    write_file(&path, layout, spec)
}

/// A writer of one file, which is emptied.
pub(super) fn write_file(path: &Path, layout: Layout, spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    let name = format!("`{}`", path.display());
    let file = File::create(path).map_err(|source| Error::Io { what: format!("cannot write {name}"), source })?;
    match layout {
        Layout::Records(encoder) => Ok(Box::new(Lines::new(encoder, Box::new(file), name))),
        Layout::Parquet => parquet::open(file, &name, &spec.schema),
    }
}
