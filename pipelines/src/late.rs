//! Rows that came after their windows had closed, as JSON lines in a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder, StructArray, TimestampNanosecondArray};
use chimera_connectors::format::json::JsonRows;
use chimera_sql::Late;

use crate::Error;

/// Writes a line a row: the sinks that lack it, where the watermark stood, and the columns that the window is made of.
pub(crate) struct LateFile {
    path: PathBuf,
    file: BufWriter<File>,
    pub rows: u64,
}

impl LateFile {
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(|source| Error::Io { what: format!("cannot write `{}`", path.display()), source })?;
        Ok(LateFile { path: path.to_owned(), file: BufWriter::new(file), rows: 0 })
    }

    pub(crate) fn write(&mut self, late: Late) -> Result<(), Error> {
        let rows = lines(&late).map_err(|error| chimera_connectors::Error::corrupt("late rows", error))?;
        let lines = JsonRows::new("late rows", &rows, &[])?;
        let mut text = vec![];
        for row in 0..rows.num_rows() {
            text.clear();
            lines.write(row, &mut text);
            text.push(b'\n');
            for _ in 0..late.rows.weight(row) {
                self.write_all(&text)?;
                self.rows += 1;
            }
        }
        Ok(())
    }

    fn write_all(&mut self, text: &[u8]) -> Result<(), Error> {
        self.file.write_all(text).map_err(|source| self.failed(source))
    }

    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Io { what: format!("cannot write `{}`", self.path.display()), source }
    }
}

/// The columns of the lines.
fn lines(late: &Late) -> Result<RecordBatch, arrow::error::ArrowError> {
    let rows = late.rows.batch.num_rows();
    let mut sinks = ListBuilder::new(StringBuilder::new());
    for _ in 0..rows {
        late.sinks.iter().for_each(|sink| sinks.values().append_value(sink));
        sinks.append(true);
    }
    let row: ArrayRef = match late.rows.batch.num_columns() {
        0 => Arc::new(StringArray::new_null(rows)),
        _ => Arc::new(StructArray::from(late.rows.batch.clone())),
    };
    let watermark: ArrayRef = Arc::new(TimestampNanosecondArray::from_value(late.watermark, rows));
    RecordBatch::try_from_iter([("sinks", Arc::new(sinks.finish()) as ArrayRef), ("watermark", watermark), ("row", row)])
}
