//! Changes as Arrow batches.

use crate::Error;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use std::sync::Arc;

/// Changes of a table: rows and how often each is inserted (positive) or deleted (negative).
#[derive(Clone, Debug)]
pub struct Delta {
    pub batch: RecordBatch,
    /// One weight a row; `None`: every row is inserted once.
    pub weights: Option<Vec<i64>>,
}

impl Delta {
    /// Every row inserted once.
    pub fn insert(batch: RecordBatch) -> Self {
        Delta { batch, weights: None }
    }

    /// Every row deleted once.
    pub fn delete(batch: RecordBatch) -> Self {
        let weights = vec![-1; batch.num_rows()];
        Delta { batch, weights: Some(weights) }
    }

    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn is_empty(&self) -> bool {
        self.batch.num_rows() == 0
    }

    pub fn weight(&self, row: usize) -> i64 {
        self.weights.as_ref().map_or(1, |weights| weights[row])
    }
}

/// A delta on its way through a circuit: cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub batch: RecordBatch,
    pub weights: Option<Arc<Vec<i64>>>,
}

impl Chunk {
    #[inline]
    pub fn weight(&self, row: usize) -> i64 {
        self.weights.as_ref().map_or(1, |weights| weights[row])
    }

    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn slice(&self, offset: usize, length: usize) -> Chunk {
        Chunk {
            batch: self.batch.slice(offset, length),
            weights: self.weights.as_ref().map(|weights| Arc::new(weights[offset..offset + length].to_vec())),
        }
    }

    /// `pieces` equal parts, as even as can be; fewer when there are fewer rows.
    pub fn split(&self, pieces: usize) -> impl Iterator<Item = Chunk> + '_ {
        let size = self.rows().div_ceil(pieces.max(1)).max(1);
        (0..self.rows()).step_by(size).map(move |start| self.slice(start, size.min(self.rows() - start)))
    }
}

/// A batch of `rows` rows; unlike `RecordBatch::try_new`, also without columns.
pub(crate) fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new_with_options(schema.clone(), columns, &RecordBatchOptions::new().with_row_count(Some(rows)))
}

/// The columns of `schema` in `batch`, by name. Types must be equal; a missing column is an error.
pub(crate) fn conform(table: &str, batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Error> {
    let found = batch.schema();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let Some((index, _)) = found.fields().find(field.name()) else {
            let found = found.fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::MissingColumn { table: table.into(), column: field.name().clone(), found });
        };
        let column = batch.column(index);
        if column.data_type() != field.data_type() {
            return Err(Error::ColumnType {
                table: table.into(),
                column: field.name().clone(),
                found: column.data_type().to_string(),
                declared: field.data_type().to_string(),
            });
        }
        columns.push(column.clone());
    }
    batch_of(schema, columns, batch.num_rows()).map_err(|e| Error::Engine(e.to_string()))
}
