//! Functions of a batch's columns: how expressions get into operators.

use crate::Encoding;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use std::fmt::Debug;
use std::sync::Arc;

/// A deterministic function from the columns of a batch to one column of as many rows.
pub trait ColumnFn: Debug + Send + Sync {
    /// Fails when it refuses at least one row; the caller then finds out which.
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, String>;

    /// Text that is different for different functions: plans are compared, and state is found again, by it.
    fn describe(&self) -> String;
}

/// A deterministic function from each row of a batch to any number of rows.
pub trait RowsFn: Debug + Send + Sync {
    /// The columns of the new rows, and for each of these the row of `batch` that it comes from. Fails when it refuses at least
    /// one row; the caller then finds out which.
    fn evaluate(&self, batch: &RecordBatch) -> Result<(Vec<ArrayRef>, Vec<u32>), String>;

    /// Text that is different for different functions.
    fn describe(&self) -> String;
}

/// A column function with its result type and, where rows are sorted by it, its direction.
#[derive(Clone, Debug)]
pub struct Term {
    pub function: Arc<dyn ColumnFn>,
    pub data_type: DataType,
    pub order: Option<SortOptions>,
}

impl Term {
    /// Without an order.
    pub fn new(function: Arc<dyn ColumnFn>, data_type: DataType) -> Self {
        Term { function, data_type, order: None }
    }

    /// The column at `index`.
    pub fn column(index: usize, name: &str, data_type: DataType) -> Self {
        Term::new(Arc::new(Column { index, name: name.to_string() }), data_type)
    }

    /// The column at `index`, with this term's type and order.
    pub(crate) fn at(&self, index: usize) -> Self {
        Term { order: self.order, ..Term::column(index, "c", self.data_type.clone()) }
    }

    pub fn ordered(mut self, order: SortOptions) -> Self {
        self.order = Some(order);
        self
    }

    pub fn encoding(&self) -> Encoding {
        Encoding { data_type: self.data_type.clone(), order: self.order }
    }

    pub fn describe(&self) -> String {
        let mut text = format!("{}: {}", self.function.describe(), self.data_type);
        if let Some(order) = self.order {
            text.push_str(if order.descending { " DESC" } else { " ASC" });
            if order.nulls_first == order.descending {
                text.push_str(if order.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
        text
    }
}

/// The encodings of `terms`, in their order.
pub(crate) fn encodings(terms: &[Term]) -> Vec<Encoding> {
    terms.iter().map(Term::encoding).collect()
}

/// The columns that `terms` yield for `batch`.
pub(crate) fn evaluate(terms: &[Term], batch: &RecordBatch) -> Result<Vec<ArrayRef>, String> {
    terms.iter().map(|term| term.function.evaluate(batch)).collect()
}

/// A column as it is.
#[derive(Debug)]
struct Column {
    index: usize,
    name: String,
}

impl ColumnFn for Column {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, String> {
        Ok(batch.column(self.index).clone())
    }

    fn describe(&self) -> String {
        format!("{}@{}", self.name, self.index)
    }
}
