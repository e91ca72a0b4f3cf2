//! A declared table.

use crate::dialect::CreateTable;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table as CREATE TABLE declares it: a source that changes are pushed to, or a sink that changes come out of.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// What a source is pushed, without the columns that are generated; what a sink gets.
    pub schema: SchemaRef,
    /// Column names; empty for a source without a key, and for a sink that keeps no rows by key.
    pub primary_key: Vec<String>,
    /// All WITH options; keys in lower case.
    pub options: BTreeMap<String, String>,
    /// Columns declared `METADATA FROM 'key'`: column → key.
    pub metadata: BTreeMap<String, String>,
    /// The column of `WATERMARK FOR column AS …`, or of the option `event_time_field`.
    pub event_time: Option<String>,
    /// The event time, the last column, is when a row arrives: who reads the rows adds it.
    pub has_arrival: bool,
    /// What comes to it, if it is a sink.
    pub changes: SinkChanges,
    /// Whether its rows, if it is a source, only ever come.
    pub(crate) append_only: bool,
}

/// What comes to a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkChanges {
    /// Inserts and deletes; it keeps rows by its primary key.
    Keyed,
    /// Inserts and deletes, all of them: it is a log of changes.
    Logged,
    /// Inserts alone. What is grouped by a window of time comes once, when the window has closed.
    Appended,
}

/// What a connector says of its tables that are declared without columns.
#[derive(Debug, Clone)]
pub struct ImpliedTable {
    pub schema: SchemaRef,
    pub event_time: Option<String>,
}

/// Columns by the options of a table, for tables declared without any.
pub type Implied<'a> = &'a dyn Fn(&BTreeMap<String, String>) -> Option<ImpliedTable>;

const FORMAT: &str = "format";
const CHANGELOG_FORMAT: &str = "debezium_json";
const EVENT_TIME: &str = "event_time_field";

impl From<&CreateTable> for Table {
    fn from(declared: &CreateTable) -> Self {
        let is_key = |name: &str| declared.primary_key.iter().any(|key| key.text == name);
        let fields = declared.columns.iter().filter(|column| column.generated.is_none()).map(|column| {
            let name = &column.name.text;
            Field::new(name, column.data_type.clone(), !column.not_null && !is_key(name))
        });
        let metadata = declared.columns.iter().filter_map(|column| Some((column.name.text.clone(), column.metadata.clone()?)));
        let watermark = declared.watermark.as_ref().map(|(column, _)| column.text.clone());
        Table {
            name: declared.name.text.clone(),
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            primary_key: declared.primary_key.iter().map(|key| key.text.clone()).collect(),
            options: declared.options.clone(),
            metadata: metadata.collect(),
            event_time: watermark.or_else(|| declared.options.get(EVENT_TIME).cloned()),
            has_arrival: false,
            changes: SinkChanges::Keyed,
            // Events are written once. A table without a format is pushed to by a program, which may delete.
            append_only: declared.options.get(FORMAT).is_some_and(|format| format != CHANGELOG_FORMAT),
        }
    }
}

impl Table {
    /// The same columns, all nullable: what may really be in a batch.
    pub(crate) fn nullable_schema(&self) -> SchemaRef {
        nullable(&self.schema)
    }

    /// Whether its records are changes of rows, rather than rows.
    pub(crate) fn is_changelog(&self) -> bool {
        self.options.get(FORMAT).is_some_and(|format| format == CHANGELOG_FORMAT)
    }

    /// Whether it is asked for rows by its key.
    pub(crate) fn is_lookup(&self) -> bool {
        self.options.get("type").is_some_and(|kind| kind == "lookup")
    }

    /// What comes to it as a sink of a script: its format says so, or that it has none but a key.
    pub(crate) fn sink_changes(&self) -> SinkChanges {
        match (self.is_changelog(), self.primary_key.is_empty() || self.options.contains_key(FORMAT)) {
            (true, _) => SinkChanges::Logged,
            (false, true) => SinkChanges::Appended,
            (false, false) => SinkChanges::Keyed,
        }
    }
}

/// `schema` with every column nullable and without metadata.
pub(crate) fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
