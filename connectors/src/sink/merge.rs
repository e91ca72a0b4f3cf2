//! Several epochs' changes merged by key into what a store has to do: rows to set, rows to delete.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};

use crate::{EpochChanges, Error, Result};

/// What several epochs come to, key by key. No key is in both parts, nor twice in one.
pub(crate) struct Merged {
    /// Rows to set, whole.
    pub(crate) upserts: RecordBatch,
    /// Rows to delete, as they were last; only the key columns matter.
    pub(crate) deletes: RecordBatch,
}

/// Merges changes by key columns.
pub(crate) struct Merger {
    connector: &'static str,
    schema: SchemaRef,
    key: Vec<usize>,
    converter: RowConverter,
}

#[derive(Clone, Copy)]
struct Change {
    batch: usize,
    row: usize,
    upsert: bool,
}

impl Merger {
    /// `key`: positions of the columns that identify a row.
    pub(crate) fn new(connector: &'static str, schema: SchemaRef, key: Vec<usize>) -> Result<Self> {
        let fields = key.iter().map(|&column| SortField::new(schema.field(column).data_type().clone())).collect();
        let converter =
            RowConverter::new(fields).map_err(|error| Error::config(connector, format!("the primary key cannot be a key: {error}")))?;
        Ok(Self { connector, schema, key, converter })
    }

    /// The last thing that happened to each key: set if its newest epoch inserted a row, gone if that epoch only deleted.
    pub(crate) fn merge(&self, epochs: &[EpochChanges]) -> Result<Merged> {
        let corrupt =
            |error: arrow::error::ArrowError| Error::corrupt(self.connector, format!("changes that do not fit the table: {error}"));
        let mut batches: Vec<&RecordBatch> = Vec::with_capacity(epochs.len());
        let mut keys: Vec<Rows> = Vec::with_capacity(epochs.len());
        for epoch in epochs.iter().filter(|epoch| !epoch.changes.is_empty()) {
            let batch = &epoch.changes.batch;
            self.check(batch, epoch.changes.weights.len())?;
            let columns: Vec<_> = self.key.iter().map(|&column| batch.column(column).clone()).collect();
            keys.push(self.converter.convert_columns(&columns).map_err(corrupt)?);
            batches.push(batch);
        }
        let rows: usize = keys.iter().map(Rows::num_rows).sum();
        let mut changes: Vec<Change> = Vec::with_capacity(rows);
        let mut seen: HashMap<&[u8], usize> = HashMap::with_capacity(rows);
        let filled = epochs.iter().filter(|epoch| !epoch.changes.is_empty());
        for (batch, (epoch, keys)) in filled.zip(&keys).enumerate() {
            for (row, &weight) in epoch.changes.weights.iter().enumerate() {
                let change = Change { batch, row, upsert: weight > 0 };
                match seen.entry(keys.row(row).data()) {
                    std::collections::hash_map::Entry::Vacant(vacant) => {
                        vacant.insert(changes.len());
                        changes.push(change);
                    }
                    std::collections::hash_map::Entry::Occupied(occupied) => {
                        let last = &mut changes[*occupied.get()];
                        // Within an epoch the inserted row wins, wherever it stands; a later epoch always does.
                        if last.batch < batch || change.upsert {
                            *last = change;
                        }
                    }
                }
            }
        }
        let pick = |upsert: bool| -> Result<RecordBatch> {
            let rows: Vec<(usize, usize)> = changes.iter().filter(|c| c.upsert == upsert).map(|c| (c.batch, c.row)).collect();
            if rows.is_empty() {
                return Ok(RecordBatch::new_empty(self.schema.clone()));
            }
            interleave_record_batch(&batches, &rows).map_err(corrupt)
        };
        Ok(Merged { upserts: pick(true)?, deletes: pick(false)? })
    }

    fn check(&self, batch: &RecordBatch, weights: usize) -> Result<()> {
        let same = batch.schema_ref().fields().len() == self.schema.fields().len()
            && batch
                .schema_ref()
                .fields()
                .iter()
                .zip(self.schema.fields())
                .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
        if !same {
            let message = format!("changes have the columns {:?}, the table {:?}", batch.schema_ref().fields(), self.schema.fields());
            return Err(Error::corrupt(self.connector, message));
        }
        if batch.num_rows() != weights {
            return Err(Error::corrupt(self.connector, format!("{} rows came with {weights} weights", batch.num_rows())));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use uuid::Uuid;

    use super::*;
    use crate::{Changes, EpochInfo, Frontier};

    fn epoch(schema: &SchemaRef, number: u64, rows: &[(&str, i64, i64)]) -> EpochChanges {
        let keys = StringArray::from_iter_values(rows.iter().map(|row| row.0));
        let values = Int64Array::from_iter_values(rows.iter().map(|row| row.1));
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(keys), Arc::new(values)]).unwrap();
        let info = EpochInfo { incarnation: Uuid::nil(), epoch: number, frontier: Frontier::default(), committed_ms: 0 };
        EpochChanges { info: Arc::new(info), changes: Changes { batch, weights: rows.iter().map(|row| row.2).collect() } }
    }

    fn pairs(batch: &RecordBatch) -> Vec<(String, i64)> {
        let keys = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
        let values = batch.column(1).as_any().downcast_ref::<Int64Array>().unwrap();
        let mut pairs: Vec<_> = keys.iter().zip(values.iter()).map(|(k, v)| (k.unwrap().to_owned(), v.unwrap())).collect();
        pairs.sort();
        pairs
    }

    #[test]
    fn the_newest_epoch_decides_and_within_one_an_insert_wins() {
        let schema: SchemaRef =
            Arc::new(Schema::new(vec![Field::new("k", DataType::Utf8, false), Field::new("v", DataType::Int64, false)]));
        let merger = Merger::new("test", schema.clone(), vec![0]).unwrap();
        let epochs = [
            epoch(&schema, 1, &[("a", 1, 1), ("b", 1, 1), ("c", 0, -1), ("c", 1, 1), ("d", 1, 1)]),
            epoch(&schema, 2, &[]),
            epoch(&schema, 3, &[("a", 2, 1), ("a", 1, -1), ("b", 1, -1)]),
            epoch(&schema, 4, &[("d", 1, -1), ("e", 5, 2)]),
            epoch(&schema, 5, &[("d", 9, 1)]),
        ];
        let merged = merger.merge(&epochs).unwrap();
        assert_eq!(pairs(&merged.upserts), [("a".into(), 2), ("c".into(), 1), ("d".into(), 9), ("e".into(), 5)]);
        assert_eq!(pairs(&merged.deletes), [("b".into(), 1)]);
        let nothing = merger.merge(&epochs[1..2]).unwrap();
        assert_eq!((nothing.upserts.num_rows(), nothing.deletes.num_rows()), (0, 0));
    }
}
