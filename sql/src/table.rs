//! A declared table.

use crate::dialect::CreateTable;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table as CREATE TABLE declares it: a source that changes are pushed to, or a sink that changes come out of.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub schema: SchemaRef,
    /// Column names; empty for a source without a key.
    pub primary_key: Vec<String>,
    /// All WITH options; keys in lower case.
    pub options: BTreeMap<String, String>,
    /// Columns declared `METADATA FROM 'key'`: column → key.
    pub metadata: BTreeMap<String, String>,
    /// The column of `WATERMARK FOR column AS …`.
    pub event_time: Option<String>,
}

impl From<&CreateTable> for Table {
    fn from(declared: &CreateTable) -> Self {
        let is_key = |name: &str| declared.primary_key.iter().any(|key| key.text == name);
        let fields = declared.columns.iter().map(|column| {
            let name = &column.name.text;
            Field::new(name, column.data_type.clone(), !column.not_null && !is_key(name))
        });
        let metadata = declared.columns.iter().filter_map(|column| Some((column.name.text.clone(), column.metadata.clone()?)));
        Table {
            name: declared.name.text.clone(),
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            primary_key: declared.primary_key.iter().map(|key| key.text.clone()).collect(),
            options: declared.options.clone(),
            metadata: metadata.collect(),
            event_time: declared.watermark.as_ref().map(|(column, _)| column.text.clone()),
        }
    }
}

impl Table {
    /// The same columns, all nullable: what may really be in a batch.
    pub(crate) fn nullable_schema(&self) -> SchemaRef {
        nullable(&self.schema)
    }
}

/// `schema` with every column nullable and without metadata.
pub(crate) fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
