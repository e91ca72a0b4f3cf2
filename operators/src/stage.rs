//! Stateless work on whole batches: filters, projections and expansions, fused.

use crate::column::{self, RowsFn, Term};
use crate::delta::{Chunk, batch_of};
use crate::panics;
use crate::row_errors::RowErrors;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;

/// A step that needs no state.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Keeps rows for which the term is true (not false, not null).
    Filter(Term),
    /// Replaces the columns.
    Project { terms: Vec<Term>, schema: SchemaRef },
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

/// Rows that are expanded at once: each may become thousands.
const EXPANDED_ROWS: usize = 256;

/// Runs `stages` and then `last` on `chunk`. When a row makes any of it fail, the rows are tried in halves, so that only the
/// refused ones are dropped (and counted). `last` must not change anything before it succeeds.
pub(crate) fn run_each(stages: &[Stage], chunk: Chunk, errors: &RowErrors, last: &mut dyn FnMut(&Chunk) -> Result<(), String>) {
    if chunk.rows() == 0 {
        return;
    }
    let rows = chunk.rows();
    if rows > EXPANDED_ROWS && stages.iter().any(|stage| matches!(stage, Stage::Expand { .. })) {
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
