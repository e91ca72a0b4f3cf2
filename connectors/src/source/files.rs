//! Files: lines of JSON or text, or Parquet; plain or compressed with gzip.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::{BadRow, Batch, Source, SourceSpec};
use crate::format::{Decoder, Format, conform};
use crate::log::{Entry, MAX_RECORD_BYTES, Record};
use crate::{Changes, Error, Result};

pub(super) const SINGLE_FILE: &str = "single_file";
pub(super) const FILESYSTEM: &str = "filesystem";
const PARQUET: &str = "parquet";
/// Lines are decoded once this many bytes have come, if not earlier.
const BATCH_BYTES: usize = 4 << 20;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

pub(super) fn open_single(spec: SourceSpec) -> Result<Box<dyn Source>> {
    let mut options = super::options(SINGLE_FILE, &spec);
    let path = PathBuf::from(options.required("path")?);
    let format = options.required("format")?;
    options.finish()?;
    // A file that is not there is found out now.
    File::open(&path).map_err(|source| cannot_read(&path, source))?;
    Files::of(spec, &format, vec![path])
}

pub(super) fn open_folder(spec: SourceSpec) -> Result<Box<dyn Source>> {
    let mut options = super::options(FILESYSTEM, &spec);
    let path = PathBuf::from(options.required("path")?);
    let format = options.required("format")?;
    options.finish()?;
    let mut paths = Vec::new();
    list(&path, &mut paths)?;
    paths.sort();
    Files::of(spec, &format, paths)
}

/// The files of a folder and of those in it; hidden ones are not data.
fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|source| cannot_read(folder, source))? {
        let entry = entry.map_err(|source| cannot_read(folder, source))?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.file_type().map_err(|source| cannot_read(&entry.path(), source))?.is_dir() {
            true => list(&entry.path(), paths)?,
            false => paths.push(entry.path()),
        }
    }
    Ok(())
}

fn cannot_read(path: &Path, source: std::io::Error) -> Error {
    Error::Io { what: format!("cannot read `{}`", path.display()), source }
}

/// Files, one after another.
struct Files {
    schema: SchemaRef,
    /// `None`: Parquet.
    decoder: Option<Decoder>,
    left: VecDeque<PathBuf>,
    open: Option<Open>,
}

/// The file that is being read.
enum Open {
    Lines { path: PathBuf, reader: Box<dyn BufRead + Send>, line: u64, modified_ms: i64 },
    Columns { path: PathBuf, reader: ParquetRecordBatchReader },
}

impl Files {
    fn of(spec: SourceSpec, format: &str, paths: Vec<PathBuf>) -> Result<Box<dyn Source>> {
        let decoder = match format {
            PARQUET if !spec.metadata.is_empty() => {
                return Err(Error::config(SINGLE_FILE, format!("table {}: rows of Parquet files have no METADATA", spec.table)));
            }
            PARQUET => None,
            format => Some(Decoder::new(format.parse::<Format>()?, spec.schema.clone(), spec.metadata)?),
        };
        Ok(Box::new(Files { schema: spec.schema, decoder, left: paths.into(), open: None }))
    }

    fn open(&self, path: PathBuf, rows: usize) -> Result<Open> {
        let file = File::open(&path).map_err(|source| cannot_read(&path, source))?;
        if self.decoder.is_none() {
            let reader =
                columns(file, &self.schema, rows).map_err(|error| Error::corrupt(PARQUET, format!("`{}`: {error}", path.display())))?;
            return Ok(Open::Columns { path, reader });
        }
        let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
        let since_1970 = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let is_gzip = reader.fill_buf().map_err(|source| cannot_read(&path, source))?.starts_with(&GZIP_MAGIC);
        let reader: Box<dyn BufRead + Send> =
            if is_gzip { Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader))) } else { Box::new(reader) };
        Ok(Open::Lines { path, reader, line: 0, modified_ms: since_1970.as_millis() as i64 })
    }
}

impl Source for Files {
    fn next(&mut self, rows: usize) -> Result<Option<Batch>> {
        loop {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => match self.left.pop_front() {
                    Some(path) => self.open(path, rows)?,
                    None => return Ok(None),
                },
            };
            let batch = match (&mut open, &self.decoder) {
                (Open::Lines { path, reader, line, modified_ms }, Some(decoder)) => {
                    lines(reader.as_mut(), path, line, *modified_ms, rows)?.map(|entries| decode(decoder, path, &entries))
                }
                (Open::Columns { path, reader }, _) => {
                    let corrupt = |error: String| Error::corrupt(PARQUET, format!("`{}`: {error}", path.display()));
                    match reader.next() {
                        Some(batch) => {
                            let batch = batch.map_err(|error| error.to_string()).and_then(|batch| conform(&batch, &self.schema));
                            let batch = batch.map_err(corrupt)?;
                            let weights = vec![1; batch.num_rows()];
                            Some(Batch { changes: Changes { batch, weights }, bad: vec![] })
                        }
                        None => None,
                    }
                }
                (Open::Lines { .. }, None) => None,
            };
            if let Some(batch) = batch {
                self.open = Some(open);
                return Ok(Some(batch));
            }
        }
    }
}

/// The next lines of a file, `None` at its end. A last line without an end counts; empty lines do not.
fn lines(reader: &mut (dyn BufRead + Send), path: &Path, line: &mut u64, timestamp_ms: i64, rows: usize) -> Result<Option<Vec<Entry>>> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while entries.len() < rows && bytes < BATCH_BYTES {
        let mut text = Vec::new();
        let read = reader.take(MAX_RECORD_BYTES as u64 + 2).read_until(b'\n', &mut text).map_err(|source| cannot_read(path, source))?;
        if read == 0 {
            return Ok((!entries.is_empty()).then_some(entries));
        }
        *line += 1;
        if read > MAX_RECORD_BYTES + 1 {
            let message = format!("`{}`, line {line}: longer than {MAX_RECORD_BYTES} bytes", path.display());
            return Err(Error::corrupt(SINGLE_FILE, message));
        }
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !text.is_empty() {
            bytes += text.len();
            let record = Record::new(None, Some(Bytes::copy_from_slice(text)), timestamp_ms);
            entries.push(Entry { offset: *line, record });
        }
    }
    Ok(Some(entries))
}

fn decode(decoder: &Decoder, path: &Path, entries: &[Entry]) -> Batch {
    let name = path.display().to_string();
    let decoded = decoder.decode(&name, 0, entries);
    let bad = decoded.bad.into_iter().map(|bad| BadRow { place: format!("{name}, line {}", bad.offset), error: bad.error });
    Batch { changes: decoded.changes, bad: bad.collect() }
}

/// Reads the columns of `schema`, in batches of `rows`.
fn columns(file: File, schema: &SchemaRef, rows: usize) -> Result<ParquetRecordBatchReader, parquet::errors::ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let found = builder.schema().clone();
    let wanted = found.fields().iter().enumerate().filter(|(_, field)| schema.index_of(field.name()).is_ok()).map(|(index, _)| index);
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.collect::<Vec<_>>());
    builder.with_projection(mask).with_batch_size(rows).build()
}
