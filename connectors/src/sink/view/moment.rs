//! All views at one moment, and how their rows are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use fjall::{Guard, Readable, Slice, Snapshot};

use super::CONNECTOR;
use super::index::Index;
use super::key::{KeyRange, Wanted};
use super::views::{OpenView, failed, still_filling};
use crate::format::{Decoder, Format};
use crate::log::{Entry, Record};
use crate::{Error, Result};

/// Rows that are decoded together.
const BATCH_ROWS: usize = 8_192;

/// All views at one moment: each at a whole epoch, whatever is written meanwhile.
pub struct Moment {
    snapshot: Snapshot,
    open: BTreeMap<String, AtMoment>,
}

/// A view, as it was.
pub(super) struct AtMoment {
    pub(super) view: Arc<OpenView>,
    pub(super) is_filled: bool,
    /// Those that were complete.
    pub(super) indexes: Vec<Arc<Index>>,
}

/// How the rows of a view are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// All of them are read, in the order of their keys.
    Scan,
    /// Those whose keys lie in one of the ranges, in the order of their keys.
    Key(Vec<KeyRange>),
    /// Those whose entries in the index of that name lie in one of the ranges, in the order of the index.
    Index { name: String, ranges: Vec<KeyRange> },
}

impl Moment {
    pub(super) fn new(open: BTreeMap<String, AtMoment>, snapshot: Snapshot) -> Self {
        Self { snapshot, open }
    }

    /// The columns of a view. `None`: no such view.
    pub fn schema(&self, name: &str) -> Option<SchemaRef> {
        self.open.get(name).map(|at| at.view.schema.clone())
    }

    /// The positions of the key's columns. `None`: no such view.
    pub fn key(&self, name: &str) -> Option<Vec<usize>> {
        self.open.get(name).map(|at| at.view.keys.columns().to_vec())
    }

    /// How rows with these first columns of the key are found. `None`: no such view.
    pub fn by_key(&self, name: &str, wanted: &Wanted) -> Result<Option<Access>> {
        let Some(at) = self.open.get(name) else { return Ok(None) };
        at.view.keys.ranges(wanted).map(Access::Key).map(Some)
    }

    /// The indexes of a view that are complete, each with its columns' positions.
    pub fn indexes(&self, name: &str) -> Vec<(String, Vec<usize>)> {
        let indexes = self.open.get(name).map(|at| at.indexes.as_slice()).unwrap_or_default();
        indexes.iter().map(|index| (index.name.clone(), index.keys.columns().to_vec())).collect()
    }

    /// How rows with these first columns of an index are found. `None`: no such view or index.
    pub fn by_index(&self, name: &str, index: &str, wanted: &Wanted) -> Result<Option<Access>> {
        let found = self.open.get(name).and_then(|at| at.indexes.iter().find(|other| other.name == index));
        let access = |ranges| Access::Index { name: index.to_owned(), ranges };
        found.map(|index| index.keys.ranges(wanted).map(access)).transpose()
    }

    /// The rows of a view with the columns at these positions. Read as they are asked for: only a batch of them is in memory.
    /// `None`: no such view.
    pub fn rows(self: &Arc<Self>, name: &str, columns: &[usize], access: Access) -> Result<Option<Rows>> {
        let Some(AtMoment { view: open, is_filled, indexes }) = self.open.get(name) else { return Ok(None) };
        if !is_filled {
            return Err(still_filling(name));
        }
        let schema: SchemaRef = Arc::new(Schema::new(columns.iter().map(|&column| open.schema.field(column).clone()).collect::<Vec<_>>()));
        let decoder = Decoder::new(Format::Json, schema.clone(), BTreeMap::new())?;
        let value = |row: Guard| row.value().map_err(failed);
        let values: Values = match access {
            Access::Scan => Box::new(self.snapshot.iter(&open.rows).map(value)),
            Access::Key(ranges) => {
                let (moment, open) = (self.clone(), open.clone());
                Box::new(ranges.into_iter().flat_map(move |range| moment.snapshot.range::<&[u8], _>(&open.rows, range.bounds())).map(value))
            }
            Access::Index { name: wanted, ranges } => {
                let index = indexes.iter().find(|index| index.name == wanted).cloned();
                let index = index.ok_or_else(|| Error::config(CONNECTOR, format!("{name} has no complete index {wanted}")))?;
                let (moment, open) = (self.clone(), open.clone());
                let keys = {
                    let moment = moment.clone();
                    ranges.into_iter().flat_map(move |range| moment.snapshot.range::<&[u8], _>(&index.entries, range.bounds())).map(value)
                };
                let missing =
                    move || Error::corrupt(CONNECTOR, format!("index {wanted} has an entry without a row; drop it and create it again"));
                Box::new(keys.map(move |key| moment.snapshot.get(&open.rows, key?).map_err(failed)?.ok_or_else(&missing)))
            }
        };
        Ok(Some(Rows { view: name.to_owned(), schema, decoder, values }))
    }
}

type Values = Box<dyn Iterator<Item = Result<Slice>> + Send>;

/// Rows of a view, in Arrow batches.
pub struct Rows {
    view: String,
    schema: SchemaRef,
    decoder: Decoder,
    values: Values,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut entries = Vec::new();
        for value in self.values.by_ref().take(BATCH_ROWS) {
            let value = match value {
                Ok(value) => Some(Bytes::copy_from_slice(&value)),
                Err(error) => return Some(Err(error)),
            };
            entries.push(Entry { offset: entries.len() as u64, record: Record::new(None, value, 0) });
        }
        if entries.is_empty() {
            return None;
        }
        if self.schema.fields().is_empty() {
            let count = RecordBatchOptions::new().with_row_count(Some(entries.len()));
            let batch = RecordBatch::try_new_with_options(self.schema.clone(), Vec::new(), &count);
            return Some(batch.map_err(|error| Error::corrupt(CONNECTOR, error)));
        }
        let decoded = self.decoder.decode(&self.view, 0, &entries);
        if let Some(bad) = decoded.bad.first() {
            return Some(Err(Error::corrupt(CONNECTOR, format!("a row of {} does not fit its columns: {}", self.view, bad.error))));
        }
        Some(Ok(decoded.changes.batch))
    }
}

/// Stored rows as a batch with all columns of their view.
pub(super) fn decode<'a>(schema: &SchemaRef, rows: impl Iterator<Item = &'a Slice>) -> Result<RecordBatch> {
    let entry = |(offset, row): (usize, &Slice)| {
        let value = Some(Bytes::copy_from_slice(row));
        Entry { offset: offset as u64, record: Record::new(None, value, 0) }
    };
    let entries: Vec<Entry> = rows.enumerate().map(entry).collect();
    let decoded = Decoder::new(Format::Json, schema.clone(), BTreeMap::new())?.decode("view", 0, &entries);
    match decoded.bad.first() {
        Some(bad) => Err(Error::corrupt(CONNECTOR, format!("a stored row does not fit its columns: {}", bad.error))),
        None => Ok(decoded.changes.batch),
    }
}
