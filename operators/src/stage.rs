//! Stateless work on whole batches: filters, projections and expansions, fused.

use crate::codec::{self, Codec};
use crate::column::{self, RowsFn, Term};
use crate::delta::{Chunk, batch_of};
use crate::panics;
use crate::row_errors::RowErrors;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter_record_batch, prep_null_mask_filter, take_record_batch};
use arrow::datatypes::SchemaRef;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::sync::Arc;

/// A step that needs no state.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Keeps rows for which the term is true (not false, not null).
    Filter(Term),
    /// Replaces the columns.
    Project { terms: Vec<Term>, schema: SchemaRef },
    /// Makes equal rows of a batch one, as often there as all of them: before work that is done for each row.
    Combine,
    /// Replaces each row by the rows that the function makes of it, each as often as the row is there.
    Expand { function: Arc<dyn RowsFn>, schema: SchemaRef },
}

impl Stage {
    pub fn describe(&self) -> String {
        match self {
            Stage::Filter(term) => format!("filter {}", term.function.describe()),
            Stage::Project { terms, schema } => {
                let columns = terms.iter().zip(schema.fields());
                let columns: Vec<_> =
                    columns.map(|(t, f)| format!("{} AS {}: {}", t.function.describe(), f.name(), f.data_type())).collect();
                format!("project {}", columns.join(", "))
            }
            Stage::Combine => "combine".into(),
            Stage::Expand { function, .. } => format!("expand {}", function.describe()),
        }
    }
}

/// Runs `stages` one after another on `chunk`.
fn run(stages: &[Stage], chunk: Chunk) -> Result<Chunk, String> {
    stages.iter().try_fold(chunk, |chunk, stage| match stage {
        Stage::Filter(term) => filter(term, chunk),
        Stage::Project { terms, schema } => {
            let rows = chunk.rows();
            let columns = column::evaluate(terms, &chunk.batch)?;
            let batch = batch_of(schema, columns, rows).map_err(|e| e.to_string())?;
            Ok(Chunk { batch, weights: chunk.weights })
        }
        Stage::Combine => combine(chunk),
        Stage::Expand { function, schema } => {
            let (columns, rows) = function.evaluate(&chunk.batch)?;
            let batch = batch_of(schema, columns, rows.len()).map_err(|e| e.to_string())?;
            let weights = chunk.weights.map(|weights| Arc::new(rows.iter().map(|row| weights[*row as usize]).collect()));
            Ok(Chunk { batch, weights })
        }
    })
}

fn filter(term: &Term, chunk: Chunk) -> Result<Chunk, String> {
    let mask = term.function.evaluate(&chunk.batch)?;
    let mask = mask.as_any().downcast_ref::<BooleanArray>().ok_or("a filter must be a condition")?;
    let mask = if mask.null_count() > 0 { prep_null_mask_filter(mask) } else { mask.clone() };
    if mask.true_count() == mask.len() {
        return Ok(chunk);
    }
    let weights = chunk.weights.map(|weights| {
        let kept = weights.iter().enumerate().filter(|(row, _)| mask.value(*row)).map(|(_, weight)| *weight);
        Arc::new(kept.collect::<Vec<_>>())
    });
    Ok(Chunk { batch: filter_record_batch(&chunk.batch, &mask).map_err(|e| e.to_string())?, weights })
}

fn combine(chunk: Chunk) -> Result<Chunk, String> {
    let codec = Codec::for_schema(&chunk.batch.schema()).map_err(|e| e.to_string())?;
    let rows = codec.encode(chunk.batch.columns())?;
    let mut firsts: HashTable<u32> = HashTable::new();
    // Each different row's first place and weight.
    let (mut places, mut weights): (Vec<u32>, Vec<i64>) = (vec![], vec![]);
    for row in 0..rows.len() {
        let bytes = rows.get(row);
        let is_same = |first: &u32| rows.get(places[*first as usize] as usize) == bytes;
        let hash = |first: &u32| codec::of_bytes(rows.get(places[*first as usize] as usize));
        match firsts.entry(codec::of_bytes(bytes), is_same, hash) {
            Entry::Occupied(first) => weights[*first.get() as usize] += chunk.weight(row),
            Entry::Vacant(place) => {
                place.insert(places.len() as u32);
                places.push(row as u32);
                weights.push(chunk.weight(row));
            }
        }
    }
    if places.len() == chunk.rows() {
        return Ok(chunk);
    }
    let batch = take_record_batch(&chunk.batch, &UInt32Array::from(places)).map_err(|e| e.to_string())?;
    Ok(Chunk { batch, weights: Some(Arc::new(weights)) })
}

/// Rows that are expanded at once: each may become thousands.
const EXPANDED_ROWS: usize = 256;

/// Runs `stages` and then `last` on `chunk`. When a row makes any of it fail, the rows are tried in halves, so that only the
/// refused ones are dropped (and counted). `last` must not change anything before it succeeds.
pub(crate) fn run_each(stages: &[Stage], chunk: Chunk, errors: &RowErrors, last: &mut dyn FnMut(&Chunk) -> Result<(), String>) {
    if chunk.rows() == 0 {
        return;
    }
    let rows = chunk.rows();
    let expands = |stage: &Stage| matches!(stage, Stage::Expand { .. });
    let before = stages.iter().position(expands).unwrap_or(0);
    if rows > EXPANDED_ROWS && before > 0 {
        let mut chunks = vec![];
        run_each(&stages[..before], chunk, errors, &mut |chunk| {
            chunks.push(chunk.clone());
            Ok(())
        });
        chunks.into_iter().for_each(|chunk| run_each(&stages[before..], chunk, errors, last));
        return;
    }
    if rows > EXPANDED_ROWS && stages.first().is_some_and(expands) {
        chunk.split(rows.div_ceil(EXPANDED_ROWS)).for_each(|part| run_each(stages, part, errors, last));
        return;
    }
    let attempt = panics::catch(|| {
        let chunk = run(stages, chunk.clone())?;
        if chunk.rows() > 0 { last(&chunk) } else { Ok(()) }
    });
    let Err(message) = attempt else { return };
    if rows == 1 {
        // A deleted row was counted when it was inserted.
        if chunk.weight(0) > 0 {
            errors.add(&message, chunk.weight(0) as u64);
        }
        return;
    }
    for half in chunk.split(2) {
        run_each(stages, half, errors, last);
    }
}

/// The columns of `terms` for `batch`, checked to have as many rows as it.
pub(crate) fn columns_of(terms: &[Term], batch: &RecordBatch) -> Result<Vec<ArrayRef>, String> {
    let columns = column::evaluate(terms, batch)?;
    match columns.iter().find(|column| column.len() != batch.num_rows()) {
        Some(column) => Err(format!("an expression gave {} values for {} rows", column.len(), batch.num_rows())),
        None => Ok(columns),
    }
}
