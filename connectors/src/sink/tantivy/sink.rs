//! Writes an index.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use async_trait::async_trait;
use parking_lot::Mutex;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::Term;
use tantivy::{IndexWriter, TantivyDocument};

use super::config::TantivyConfig;
use super::reader::SearchIndex;
use super::{CONNECTOR, failed};
use crate::format::json::{JsonRows, Values};
use crate::sink::blocking::blocking;
use crate::sink::mark::pending;
use crate::sink::merge::{Merged, Merger};
use crate::sink::{Applied, Sink, SinkSpec};
use crate::{Context, EpochChanges, Error, Result};

/// Documents are held in this much memory before they are written; a commit writes them anyway.
const HEAP_BYTES: usize = 32 << 20;

struct TantivySink(Arc<Shared>);

struct Shared {
    config: TantivyConfig,
    merger: Merger,
    index: Arc<SearchIndex>,
    /// `None` after a failure that could not be rolled back, and before the first write.
    writer: Mutex<Option<IndexWriter>>,
}

/// Opens the index in `<data_dir>/search/<index>` and makes it known to readers.
pub fn open(spec: &SinkSpec, context: &Context) -> Result<Box<dyn Sink>> {
    let config = TantivyConfig::new(spec)?;
    let folder = context.data_dir.join("search").join(&config.index);
    let index = context.search.get_or_open(&config.index, || SearchIndex::open(&folder, config.clone()))?;
    let merger = Merger::new(CONNECTOR, spec.schema.clone(), config.key.clone())?;
    Ok(Box::new(TantivySink(Arc::new(Shared { config, merger, index, writer: Mutex::new(None) }))))
}

impl Shared {
    fn open_writer(&self) -> Result<IndexWriter> {
        let options = IndexWriterOptions::builder().num_worker_threads(1).memory_budget_per_thread(HEAP_BYTES).num_merge_threads(1).build();
        let writer: IndexWriter = self.index.index().writer_with_options(options).map_err(failed)?;
        let mut merges = LogMergePolicy::default();
        // Frequent commits make small segments, and a search looks into each; but a document that changes often is written anew with
        // every merge too.
        merges.set_min_num_segments(8);
        merges.set_min_layer_size(1_000);
        merges.set_del_docs_ratio_before_merge(0.75);
        writer.set_merge_policy(Box::new(merges));
        Ok(writer)
    }

    /// Changes the index and commits it with `payload`; leaves it as it was if that fails.
    fn commit(&self, payload: &str, change: impl FnOnce(&IndexWriter) -> Result<()>) -> Result<()> {
        let mut slot = self.writer.lock();
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => self.open_writer()?,
        };
        let result = change(&writer).and_then(|()| {
            let mut commit = writer.prepare_commit().map_err(failed)?;
            commit.set_payload(payload);
            commit.commit().map_err(failed)
        });
        match result {
            Ok(_) => *slot = Some(writer),
            Err(error) => {
                // A writer that cannot go back is dropped, and with it what it had not committed.
                if writer.rollback().is_ok() {
                    *slot = Some(writer);
                }
                return Err(error);
            }
        }
        self.index.reload()
    }

    fn apply(&self, epochs: &[EpochChanges]) -> Result<()> {
        let epochs = pending(CONNECTOR, self.index.committed()?, epochs)?;
        let Some(mark) = Applied::after(epochs) else { return Ok(()) };
        let merged = self.merger.merge(epochs)?;
        self.commit(&mark.encode(), |writer| self.write(writer, &merged))
    }

    fn write(&self, writer: &IndexWriter, Merged { upserts, deletes }: &Merged) -> Result<()> {
        let fields = self.index.fields();
        let keys = Keys::new(&self.config.key, deletes)?;
        for row in 0..deletes.num_rows() {
            writer.delete_term(Term::from_field_text(fields.key, &keys.get(row)));
        }
        let keys = Keys::new(&self.config.key, upserts)?;
        let rows = JsonRows::new(CONNECTOR, upserts, &[])?;
        let numbers = self.config.fast.iter().map(|field| Numbers::new(upserts.column(field.column.position), field.integer));
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        for row in 0..upserts.num_rows() {
            let key = keys.get(row);
            let mut document = TantivyDocument::default();
            document.add_text(fields.key, &key);
            document.add_bytes(fields.row, &rows.row(row));
            for (text, (field, _)) in self.config.text.iter().zip(&fields.text) {
                if let Some(value) = text_value(upserts, text.column.position, row) {
                    document.add_text(*field, value);
                    document.add_text(fields.words, value);
                }
            }
            for (facet, field) in self.config.facets.iter().zip(&fields.facets) {
                if let Some(value) = text_value(upserts, facet.position, row) {
                    document.add_text(*field, value);
                }
            }
            for (numbers, field) in numbers.iter().zip(&fields.fast) {
                match numbers {
                    Numbers::Integers(values) if values.is_valid(row) => document.add_i64(*field, values.value(row)),
                    Numbers::Floats(values) if values.is_valid(row) => document.add_f64(*field, values.value(row)),
                    _ => {}
                }
            }
            writer.delete_term(Term::from_field_text(fields.key, &key));
            writer.add_document(document).map_err(failed)?;
        }
        Ok(())
    }
}

/// The primary key as one text: the value, or of several columns the JSON array of them.
struct Keys<'a>(Vec<Values<'a>>);

impl<'a> Keys<'a> {
    fn new(columns: &[usize], batch: &'a RecordBatch) -> Result<Self> {
        let values = |&column: &usize| Values::new(CONNECTOR, batch.schema_ref().field(column).name(), batch.column(column));
        Ok(Self(columns.iter().map(values).collect::<Result<_>>()?))
    }

    fn get(&self, row: usize) -> String {
        let mut key = Vec::new();
        if let [single] = self.0.as_slice() {
            single.write_text(row, &mut key);
        } else {
            for (position, values) in self.0.iter().enumerate() {
                key.push(if position == 0 { b'[' } else { b',' });
                values.write(row, &mut key);
            }
            key.push(b']');
        }
        String::from_utf8_lossy(&key).into_owned()
    }
}

enum Numbers {
    Integers(Int64Array),
    Floats(Float64Array),
}

impl Numbers {
    fn new(column: &ArrayRef, integer: bool) -> Result<Self> {
        let wanted = if integer { DataType::Int64 } else { DataType::Float64 };
        let column = cast(column, &wanted).map_err(|error| Error::corrupt(CONNECTOR, error))?;
        Ok(if integer { Self::Integers(column.as_primitive().clone()) } else { Self::Floats(column.as_primitive().clone()) })
    }
}

fn text_value(batch: &RecordBatch, column: usize, row: usize) -> Option<&str> {
    let column = batch.column(column).as_string::<i32>();
    (column.is_valid(row) && !column.value(row).is_empty()).then(|| column.value(row))
}

#[async_trait]
impl Sink for TantivySink {
    async fn applied(&mut self) -> Result<Option<Applied>> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.index.committed()).await
    }

    async fn reset(&mut self) -> Result<()> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || {
            shared.commit("", |writer| {
                writer.delete_all_documents().map_err(failed)?;
                Ok(())
            })?;
            shared.index.persist()
        })
        .await
    }

    async fn apply(&mut self, epochs: &[EpochChanges]) -> Result<()> {
        let (shared, epochs) = (self.0.clone(), epochs.to_vec());
        blocking(CONNECTOR, move || shared.apply(&epochs)).await
    }

    async fn flush(&mut self) -> Result<()> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.index.persist()).await
    }

    /// A commit costs milliseconds and a segment, however few documents it has.
    fn pace(&self) -> Duration {
        Duration::from_millis(100)
    }

    async fn len(&mut self) -> Result<u64> {
        Ok(self.0.index.len())
    }
}
