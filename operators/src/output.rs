//! What a step gives to a sink: the chunks that its rows come in, and how they become one delta in which each row comes once.

use crate::Error;
use crate::codec::Codec;
use crate::delta::{Chunk, Delta, batch_of};
use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take, take_record_batch};
use arrow::datatypes::SchemaRef;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A sink's chunks of one step, with the worker that each is of. Shared by all workers of a circuit.
#[derive(Clone, Default, Debug)]
pub(crate) struct Output(Arc<Mutex<Vec<(usize, Chunk)>>>);

impl Output {
    pub fn push(&self, worker: usize, chunks: &[Chunk]) {
        let chunks = chunks.iter().filter(|chunk| chunk.rows() > 0);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend(chunks.map(|chunk| (worker, chunk.clone())));
    }

    /// Forgets everything since the last call.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Everything since the last call as one delta: each row once, deletes first. In the same order for the same changes.
    pub fn take(&self, codec: &Codec, schema: &SchemaRef) -> Result<Delta, String> {
        let mut chunks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        chunks.sort_by_key(|(worker, _)| *worker);
        let chunks: Vec<Chunk> = chunks.into_iter().map(|(_, chunk)| chunk).collect();
        let joined = joined(&chunks, schema)?;
        let weights = consolidated(&joined, codec)?;
        deletes_first(joined.batch, weights).map_err(|e| e.to_string())
    }
}

/// What the processes of a circuit gave out in a step, as one delta: each row once, deletes first.
pub fn merge(deltas: Vec<Delta>, schema: &SchemaRef) -> Result<Delta, Error> {
    let chunk = |delta: Delta| Chunk { batch: delta.batch, weights: delta.weights.map(Arc::new) };
    let output = Output::default();
    deltas.into_iter().enumerate().for_each(|(host, delta)| output.push(host, &[chunk(delta)]));
    output.take(&Codec::for_schema(schema)?, schema).map_err(Error::Engine)
}

/// All rows, one after another.
fn joined(chunks: &[Chunk], schema: &SchemaRef) -> Result<Chunk, String> {
    let weights = chunks.iter().flat_map(|chunk| (0..chunk.rows()).map(|row| chunk.weight(row))).collect();
    let batch = match chunks {
        // Names and nullability are the sink's.
        [chunk] => batch_of(schema, chunk.batch.columns().to_vec(), chunk.rows()),
        _ => concat_batches(schema, chunks.iter().map(|chunk| &chunk.batch)),
    };
    Ok(Chunk { batch: batch.map_err(|e| e.to_string())?, weights: Some(Arc::new(weights)) })
}

/// The weight of each row, with that of equal rows added to the first of them. Rows are only written out as bytes, and compared, where
/// their hashes are equal: in most steps nowhere.
fn consolidated(chunk: &Chunk, codec: &Codec) -> Result<Vec<i64>, String> {
    let mut weights: Vec<i64> = (0..chunk.rows()).map(|row| chunk.weight(row)).collect();
    let hashes = codec.hashes(chunk.batch.columns(), chunk.rows())?;
    let mut first_rows: HashTable<u32> = HashTable::with_capacity(hashes.len());
    let mut suspects: Vec<u32> = Vec::new();
    for (row, hash) in hashes.iter().enumerate() {
        match first_rows.entry(*hash, |first| hashes[*first as usize] == *hash, |first| hashes[*first as usize]) {
            Entry::Occupied(first) => suspects.extend([*first.get(), row as u32]),
            Entry::Vacant(place) => {
                place.insert(row as u32);
            }
        }
    }
    if suspects.is_empty() {
        return Ok(weights);
    }
    suspects.sort_unstable();
    suspects.dedup();
    let indices = UInt32Array::from(suspects);
    let columns = chunk.batch.columns().iter().map(|column| take(column, &indices, None)).collect::<Result<Vec<_>, _>>();
    let rows = codec.encode(&columns.map_err(|e| e.to_string())?)?;
    let mut firsts: HashMap<&[u8], usize> = HashMap::with_capacity(indices.len());
    for (index, row) in indices.values().iter().enumerate() {
        let row = *row as usize;
        let first = *firsts.entry(rows.get(index)).or_insert(row);
        if first != row {
            weights[first] = weights[first].wrapping_add(weights[row]);
            weights[row] = 0;
        }
    }
    Ok(weights)
}

/// Rows of weight zero are left out.
fn deletes_first(batch: RecordBatch, weights: Vec<i64>) -> Result<Delta, arrow::error::ArrowError> {
    if weights.iter().all(|weight| *weight > 0) {
        return Ok(Delta { batch, weights: Some(weights) });
    }
    let rows = 0..weights.len() as u32;
    let deletes = rows.clone().filter(|row| weights[*row as usize] < 0);
    let order: Vec<u32> = deletes.chain(rows.filter(|row| weights[*row as usize] > 0)).collect();
    let weights = order.iter().map(|row| weights[*row as usize]).collect();
    let order: ArrayRef = Arc::new(UInt32Array::from(order));
    Ok(Delta { batch: take_record_batch(&batch, &order)?, weights: Some(weights) })
}
