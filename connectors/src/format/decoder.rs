//! Records to batches.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::builder::Builder;
use super::json_reader::JsonReader;
use super::value::{Cell, ColumnKind, Dialect, ValueError};
use super::{Format, debezium, transaction_id};
use crate::log::Entry;
use crate::{Changes, Error};

/// Turns records of one source table into rows.
pub struct Decoder {
    format: Format,
    schema: SchemaRef,
    rows: RowReader,
    /// Columns that do not come from the record's value: place and source.
    metadata: Vec<(usize, Metadata)>,
}

/// What a batch of records holds.
#[derive(Debug)]
pub struct Decoded {
    /// In the records' order; an update's old row before its new one.
    pub changes: Changes,
    /// For each row of `changes`, the index of its record in the batch.
    pub origins: Vec<usize>,
    pub bad: Vec<BadRecord>,
}

/// A record that does not fit the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// Index in the batch.
    pub index: usize,
    pub offset: u64,
    /// A sentence that names the field.
    pub error: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metadata {
    Offset,
    Partition,
    Topic,
    /// Milliseconds since 1970, or a timestamp, as the column's type has it.
    Timestamp,
    Key,
    TransactionId,
}

impl Metadata {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "offset" => Self::Offset,
            "partition" => Self::Partition,
            "topic" => Self::Topic,
            "timestamp" => Self::Timestamp,
            "key" => Self::Key,
            "transaction_id" => Self::TransactionId,
            _ => return None,
        })
    }

    fn fits(self, kind: &ColumnKind) -> bool {
        match self {
            Self::Offset => *kind == ColumnKind::Int64,
            Self::Partition => matches!(kind, ColumnKind::Int32 | ColumnKind::Int64),
            Self::Timestamp => matches!(kind, ColumnKind::Int64 | ColumnKind::Timestamp),
            Self::Key => matches!(kind, ColumnKind::Text | ColumnKind::Bytes),
            Self::Topic | Self::TransactionId => *kind == ColumnKind::Text,
        }
    }
}

/// The rows that a record takes away and brings.
pub(super) struct Rows<'a> {
    pub leaves: Option<Row<'a>>,
    pub comes: Option<Row<'a>>,
}

/// A cell a column, in the schema's order.
pub(super) type Row<'a> = Vec<Cell<'a>>;

/// Reads objects as rows.
pub(super) struct RowReader {
    columns: Vec<Column>,
    dialect: Dialect,
}

struct Column {
    name: String,
    kind: ColumnKind,
    nullable: bool,
    is_metadata: bool,
}

impl ValueError {
    /// Puts where it happened before the message.
    pub(super) fn within(self, place: &str) -> Self {
        match self {
            Self::Unfit(message) => Self::Unfit(format!("{place}.{message}")),
            other => other,
        }
    }
}

impl RowReader {
    /// Reads an object; fields that are no columns are skipped, columns without a field are NULL.
    pub(super) fn read<'a>(&self, reader: &mut JsonReader<'a>) -> Result<Row<'a>, ValueError> {
        let mut row = vec![Cell::Null; self.columns.len()];
        // Fields mostly come in the columns' order.
        let mut expected = 0;
        reader.object::<ValueError>(|reader, name| {
            let is = |column: &Column| !column.is_metadata && column.name == name;
            let place = match self.columns.get(expected) {
                Some(column) if is(column) => Some(expected),
                _ => self.columns.iter().position(is),
            };
            let Some(place) = place else {
                reader.skip()?;
                return Ok(());
            };
            expected = place + 1;
            row[place] = self.columns[place].kind.read(reader, self.dialect).map_err(|error| match error {
                ValueError::Unfit(message) => ValueError::Unfit(format!("{name}: {message}")),
                other => other,
            })?;
            Ok(())
        })?;
        let missing = self.columns.iter().zip(&row).find(|(column, cell)| !column.nullable && !column.is_metadata && **cell == Cell::Null);
        match missing {
            Some((column, _)) => Err(ValueError::Unfit(format!("{}: is missing or null, and the column is NOT NULL", column.name))),
            None => Ok(row),
        }
    }
}

impl Decoder {
    /// A decoder for a table: `metadata` says which columns hold what is known about a record (`offset`, `partition`, `topic`, `timestamp`,
    /// `key`, `transaction_id`) instead of a part of its value.
    ///
    /// # Errors
    /// [`Error::Config`] for a column type that no record can fill, unknown metadata, or metadata in a column of an unfit type.
    pub fn new(format: Format, schema: SchemaRef, metadata: BTreeMap<String, String>) -> Result<Self, Error> {
        let config = |message: String| Error::config("format", message);
        let mut columns = Vec::with_capacity(schema.fields().len());
        let mut from_metadata = Vec::new();
        for (place, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            let kind = ColumnKind::of(field.data_type()).ok_or_else(|| {
                config(format!("column `{name}` has the type {}, which no {} record can fill", field.data_type(), format.as_str()))
            })?;
            if let Some(source) = metadata.get(name) {
                let known = Metadata::named(source).ok_or_else(|| {
                    config(format!(
                        "column `{name}` asks for the metadata `{source}`; offset, partition, topic, timestamp, key and \
                         transaction_id are known"
                    ))
                })?;
                if !known.fits(&kind) {
                    return Err(config(format!(
                        "column `{name}` has the type {}, which does not fit the metadata `{source}`",
                        field.data_type()
                    )));
                }
                from_metadata.push((place, known));
            }
            columns.push(Column { name: name.clone(), kind, nullable: field.is_nullable(), is_metadata: metadata.contains_key(name) });
        }
        if let Some(unknown) = metadata.keys().find(|name| schema.index_of(name).is_err()) {
            return Err(config(format!("metadata is asked for column `{unknown}`, which the table does not have")));
        }
        let raw = match format {
            Format::RawString => Some((ColumnKind::Text, "TEXT")),
            Format::RawBytes => Some((ColumnKind::Bytes, "BYTEA")),
            Format::DebeziumJson | Format::Json => None,
        };
        if let Some((kind, name)) = raw {
            let values: Vec<&Column> = columns.iter().filter(|column| !column.is_metadata).collect();
            if !matches!(values[..], [column] if column.kind == kind) {
                return Err(config(format!("a {} table has exactly one column of its own, and it is {name}", format.as_str())));
            }
        }
        let is_debezium = format == Format::DebeziumJson;
        let dialect = Dialect { timestamp_unit_ns: if is_debezium { 1_000 } else { 1_000_000 }, has_unavailable: is_debezium };
        Ok(Self { format, schema, rows: RowReader { columns, dialect }, metadata: from_metadata })
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// Decodes records of one partition.
    pub fn decode(&self, topic: &str, partition: u32, entries: &[Entry]) -> Decoded {
        let fields = self.schema.fields();
        let mut builders: Vec<Builder> =
            self.rows.columns.iter().zip(fields).map(|(column, field)| Builder::new(&column.kind, field, entries.len())).collect();
        let (mut weights, mut origins, mut bad) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            let Some(value) = entry.record.value.as_deref() else { continue };
            let rows = self.rows(topic, value).and_then(|mut rows| {
                for row in rows.leaves.iter_mut().chain(&mut rows.comes) {
                    self.fill_metadata(row, topic, partition, entry)?;
                }
                Ok(rows)
            });
            match rows {
                Ok(rows) => {
                    for (row, weight) in rows.leaves.iter().map(|row| (row, -1)).chain(rows.comes.iter().map(|row| (row, 1))) {
                        builders.iter_mut().zip(row).for_each(|(builder, cell)| builder.append(cell));
                        weights.push(weight);
                        origins.push(index);
                    }
                }
                Err(error) => bad.push(BadRecord { index, offset: entry.offset, error }),
            }
        }
        let arrays: Vec<ArrayRef> = builders.into_iter().map(Builder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(weights.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("the builders were made from the schema, and no NULL went into a column that is NOT NULL");
        Decoded { changes: Changes { batch, weights }, origins, bad }
    }

    fn rows<'a>(&self, topic: &str, value: &'a [u8]) -> Result<Rows<'a>, String> {
        match self.format {
            Format::DebeziumJson => debezium::read(&self.rows, topic, value),
            Format::Json => {
                let row = (|| {
                    let mut reader = JsonReader::new(value)?;
                    let row = self.rows.read(&mut reader)?;
                    reader.end()?;
                    Ok(row)
                })();
                match row {
                    Ok(row) => Ok(Rows { leaves: None, comes: Some(row) }),
                    Err(ValueError::Json(error)) => Err(error.to_string()),
                    Err(ValueError::Unfit(message)) => Err(message),
                    Err(ValueError::NotSent) => Err("a value was not sent".to_owned()),
                }
            }
            Format::RawBytes => {
                let cell = |column: &Column| if column.is_metadata { Cell::Null } else { Cell::Bytes(value.to_vec()) };
                Ok(Rows { leaves: None, comes: Some(self.rows.columns.iter().map(cell).collect()) })
            }
            Format::RawString => {
                let text = std::str::from_utf8(value).map_err(|error| format!("the text is not UTF-8 at byte {}", error.valid_up_to()))?;
                let cell = |column: &Column| if column.is_metadata { Cell::Null } else { Cell::Text(Cow::Borrowed(text)) };
                Ok(Rows { leaves: None, comes: Some(self.rows.columns.iter().map(cell).collect()) })
            }
        }
    }

    fn fill_metadata<'a>(&self, row: &mut Row<'a>, topic: &'a str, partition: u32, entry: &'a Entry) -> Result<(), String> {
        for &(place, metadata) in &self.metadata {
            let column = &self.rows.columns[place];
            row[place] = match metadata {
                Metadata::Offset => Cell::Int(entry.offset as i64),
                Metadata::Partition => Cell::Int(i64::from(partition)),
                Metadata::Topic => Cell::Text(Cow::Borrowed(topic)),
                Metadata::Timestamp if column.kind == ColumnKind::Int64 => Cell::Int(entry.record.timestamp_ms),
                Metadata::Timestamp => Cell::Timestamp(entry.record.timestamp_ms.saturating_mul(1_000_000)),
                Metadata::Key => match entry.record.key.as_deref() {
                    None => Cell::Null,
                    Some(key) if column.kind == ColumnKind::Bytes => Cell::Bytes(key.to_vec()),
                    Some(key) => {
                        Cell::Text(Cow::Borrowed(std::str::from_utf8(key).map_err(|_| format!("{}: the key is not UTF-8", column.name))?))
                    }
                },
                Metadata::TransactionId => {
                    let id = entry.record.value.as_deref().and_then(transaction_id);
                    id.map_or(Cell::Null, |id| Cell::Text(Cow::Borrowed(id)))
                }
            };
            if !column.nullable && row[place] == Cell::Null {
                return Err(format!("{}: the record has none, and the column is NOT NULL", column.name));
            }
        }
        Ok(())
    }
}
