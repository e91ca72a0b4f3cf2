//! Writes a vector index.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, RecordBatch};
use arrow::datatypes::Float32Type;
use arrow::row::{RowConverter, Rows as Keys, SortField};
use async_trait::async_trait;
use fjall::Slice;

use super::CONNECTOR;
use super::config::VectorConfig;
use super::reader::{Step, VectorIndex, refusal};
use super::rows::Entry;
use crate::format::json::JsonRows;
use crate::sink::blocking::blocking;
use crate::sink::mark::pending;
use crate::sink::merge::{Merged, Merger};
use crate::sink::{Applied, Sink, SinkSpec};
use crate::{Context, EpochChanges, Error, Result};

struct VectorSink(Arc<Shared>);

struct Shared {
    store: String,
    config: VectorConfig,
    merger: Merger,
    keys: RowConverter,
    index: Arc<VectorIndex>,
}

/// Opens the index in `<data_dir>/vectors/<index>` and makes it known to readers.
pub fn open(spec: &SinkSpec, context: &Context) -> Result<Box<dyn Sink>> {
    let config = VectorConfig::new(spec)?;
    let folder = context.data_dir.join("vectors").join(&config.index);
    let index = context.vectors.get_or_open(&config.index, || VectorIndex::open(&folder))?;
    let fields = config.key.iter().map(|&column| SortField::new(spec.schema.field(column).data_type().clone())).collect();
    let keys = RowConverter::new(fields).map_err(|error| Error::config(CONNECTOR, format!("the primary key cannot be a key: {error}")))?;
    let merger = Merger::new(CONNECTOR, spec.schema.clone(), config.key.clone())?;
    let store = format!("{}.{}", spec.pipeline, spec.table);
    Ok(Box::new(VectorSink(Arc::new(Shared { store, config, merger, keys, index }))))
}

impl Shared {
    fn apply(&self, epochs: &[EpochChanges]) -> Result<()> {
        let mut unsaved = self.index.unsaved.lock();
        let rows = self.index.rows();
        let epochs = pending(CONNECTOR, rows.applied()?, epochs)?;
        let Some(mark) = Applied::after(epochs) else { return Ok(()) };
        let step = self.step(self.merger.merge(epochs)?)?;
        let vectors: Vec<(u64, Vec<f32>)> = step.entries.iter().map(|entry| (entry.number, entry.vector.clone())).collect();
        // First into the graph, where searches pass over numbers without a row; then, all at once, the rows; then out of the graph.
        if let Some(dimensions) = step.dimensions.filter(|_| !vectors.is_empty()) {
            let graph = self.index.graph(dimensions)?;
            let numbers: Vec<u64> = vectors.iter().map(|(number, _)| *number).collect();
            if let Err(error) = graph.add(&vectors) {
                graph.remove(&numbers)?;
                return Err(error);
            }
        }
        *unsaved += vectors.len() + step.gone.len();
        rows.write(step.entries, step.removed, &step.gone, step.next, step.dimensions, mark)?;
        if let Some(dimensions) = step.dimensions {
            self.index.graph(dimensions)?.remove(&step.gone)?;
        }
        Ok(())
    }

    fn step(&self, Merged { upserts, deletes }: Merged) -> Result<Step> {
        let rows = self.index.rows();
        let snapshot = rows.snapshot();
        let mut step = Step {
            entries: Vec::with_capacity(upserts.num_rows()),
            removed: Vec::with_capacity(deletes.num_rows()),
            gone: Vec::new(),
            next: rows.next_number()?,
            dimensions: rows.dimensions()?.or(self.config.dimensions),
        };
        let keys = self.keys(&deletes)?;
        for row in 0..deletes.num_rows() {
            let key = keys.row(row);
            step.gone.extend(rows.find(&snapshot, key.data())?);
            step.removed.push(Slice::from(key.data()));
        }
        let keys = self.keys(&upserts)?;
        let payloads = JsonRows::new(CONNECTOR, &upserts, &[self.config.embedding])?;
        let vectors: &ListArray = upserts.column(self.config.embedding).as_list();
        for row in 0..upserts.num_rows() {
            let key = keys.row(row);
            step.gone.extend(rows.find(&snapshot, key.data())?);
            let vector = vector(vectors, row);
            let dimensions = step.dimensions.or(vector.as_ref().map(Vec::len)).unwrap_or(0);
            let reason = vector.as_ref().map_or(Some("is null".to_owned()), |vector| refusal(vector, dimensions));
            match (vector, reason) {
                (Some(vector), None) => {
                    step.entries.push(Entry { key: Slice::from(key.data()), number: step.next, vector, payload: payloads.row(row) });
                    step.next += 1;
                    step.dimensions = Some(dimensions);
                }
                (_, reason) => {
                    // A row that cannot be found by its vector is not in the index; it does not stop the others.
                    metrics::counter!("chimera_sink_rows_refused_total", "store" => self.store.clone()).increment(1);
                    let row = String::from_utf8_lossy(&payloads.row(row)).into_owned();
                    tracing::warn!(store = self.store, row, reason, "a row is left out of the index because of its vector");
                    step.removed.push(Slice::from(key.data()));
                }
            }
        }
        Ok(step)
    }

    fn keys(&self, batch: &RecordBatch) -> Result<Keys> {
        let columns: Vec<_> = self.config.key.iter().map(|&column| batch.column(column).clone()).collect();
        self.keys.convert_columns(&columns).map_err(|error| Error::corrupt(CONNECTOR, error))
    }
}

/// The vector in `row`; `None` for null and for one with a null in it.
fn vector(vectors: &ListArray, row: usize) -> Option<Vec<f32>> {
    if vectors.is_null(row) {
        return None;
    }
    let vector = vectors.value(row);
    let vector = vector.as_primitive::<Float32Type>();
    (vector.null_count() == 0).then(|| vector.values().to_vec())
}

#[async_trait]
impl Sink for VectorSink {
    async fn applied(&mut self) -> Result<Option<Applied>> {
        self.0.index.applied()
    }

    async fn reset(&mut self) -> Result<()> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.index.reset()).await
    }

    async fn apply(&mut self, epochs: &[EpochChanges]) -> Result<()> {
        let (shared, epochs) = (self.0.clone(), epochs.to_vec());
        blocking(CONNECTOR, move || shared.apply(&epochs)).await
    }

    async fn flush(&mut self) -> Result<()> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.index.flush()).await
    }

    async fn len(&mut self) -> Result<u64> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.index.len()).await
    }
}
