//! Primary keys as bytes that compare like the key's values, so that a scan runs in key order.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};

use super::CONNECTOR;
use crate::{Error, Result};

pub(crate) struct KeyEncoder {
    schema: SchemaRef,
    columns: Vec<usize>,
    converter: RowConverter,
}

impl KeyEncoder {
    /// `columns`: positions of the key's columns in `schema`.
    pub(crate) fn new(schema: SchemaRef, columns: Vec<usize>) -> Result<Self> {
        let fields = columns.iter().map(|&column| SortField::new(schema.field(column).data_type().clone())).collect();
        let converter =
            RowConverter::new(fields).map_err(|error| Error::config(CONNECTOR, format!("the primary key cannot be a key: {error}")))?;
        Ok(Self { schema, columns, converter })
    }

    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    pub(crate) fn encode(&self, batch: &RecordBatch) -> Result<Rows> {
        let columns: Vec<ArrayRef> = self.columns.iter().map(|&column| batch.column(column).clone()).collect();
        self.converter.convert_columns(&columns).map_err(|error| Error::corrupt(CONNECTOR, error))
    }

    /// One key from the text of its values.
    pub(crate) fn parse(&self, values: &[&str]) -> Result<Vec<u8>> {
        if values.len() != self.columns.len() {
            let message = format!("a key of {} values was asked for; the view's key has {}", values.len(), self.columns.len());
            return Err(Error::config(CONNECTOR, message));
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(values.len());
        for (value, &column) in values.iter().zip(&self.columns) {
            let field = self.schema.field(column);
            let text: ArrayRef = Arc::new(StringArray::from(vec![*value]));
            let typed = cast(&text, field.data_type()).ok().filter(|typed| typed.null_count() == 0);
            let refused =
                || Error::config(CONNECTOR, format!("`{value}` is not a {} as key column '{}' wants", field.data_type(), field.name()));
            columns.push(typed.ok_or_else(refused)?);
        }
        let rows = self.converter.convert_columns(&columns).map_err(|error| Error::corrupt(CONNECTOR, error))?;
        Ok(rows.row(0).data().to_vec())
    }
}
