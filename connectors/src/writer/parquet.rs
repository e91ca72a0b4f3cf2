//! Files of Parquet, which can be read when they are finished.

use std::fs::File;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::Writer;
use crate::{Changes, Error, Result};

pub(super) const FORMAT: &str = "parquet";

struct Parquet {
    /// `None` when finished.
    writer: Option<ArrowWriter<File>>,
    name: String,
}

pub(super) fn open(file: File, name: &str, schema: &SchemaRef) -> Result<Box<dyn Writer>> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|error| Error::config(FORMAT, error.to_string()))?;
    Ok(Box::new(Parquet { writer: Some(writer), name: name.to_owned() }))
}

impl Writer for Parquet {
    fn write(&mut self, changes: &Changes) -> Result<()> {
        let rows = repeated(changes).map_err(|error| Error::corrupt(FORMAT, error))?;
        match &mut self.writer {
            Some(writer) => writer.write(&rows).map_err(|error| Error::corrupt(FORMAT, format!("{}: {error}", self.name))),
            None => Ok(()),
        }
    }

    /// A file of Parquet has its directory at its end: it is readable when it is finished.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let closed = self.writer.take().map(ArrowWriter::close).transpose();
        closed.map(drop).map_err(|error| Error::corrupt(FORMAT, format!("{}: {error}", self.name)))
    }
}

/// Each row as often as it comes.
fn repeated(changes: &Changes) -> Result<RecordBatch, arrow::error::ArrowError> {
    if changes.weights.iter().all(|weight| *weight == 1) {
        return Ok(changes.batch.clone());
    }
    let rows = (0u64..).zip(&changes.weights).flat_map(|(row, weight)| std::iter::repeat_n(row, (*weight).max(0) as usize));
    take_record_batch(&changes.batch, &UInt64Array::from_iter_values(rows))
}
