//! Rows to bytes of records.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, SortField};

use super::Format;
use crate::format::json::JsonRows;
use crate::{Changes, Error, Result};

/// Takes a row of a record's key, the `op` of a change, and the record.
pub type Emit<'a> = dyn FnMut(usize, Option<&'static str>, &[u8]) -> Result<()> + 'a;

/// Writes rows of one table as records.
///
/// `debezium_json` records are changes: `c` for a row that comes, `d` for one that goes, and `u` where a row of a key goes and another
/// comes in the same changes. In the other formats a record is a row that comes.
pub struct Encoder {
    format: Format,
    /// Positions of the columns that an update keeps.
    key: Vec<usize>,
}

impl Encoder {
    /// # Errors
    /// [`Error::Config`] when the columns cannot be written in the format.
    pub fn new(format: Format, schema: &SchemaRef, primary_key: &[String]) -> Result<Self> {
        let raw = match format {
            Format::RawString => Some((DataType::Utf8, "TEXT")),
            Format::RawBytes => Some((DataType::Binary, "BYTEA")),
            Format::Json | Format::DebeziumJson => None,
        };
        if let Some((data_type, name)) = raw
            && !matches!(&schema.fields()[..], [field] if *field.data_type() == data_type)
        {
            return Err(Error::config("format", format!("a {} table has exactly one column, and it is {name}", format.as_str())));
        }
        // A type that has no form is found out now.
        JsonRows::new(format.as_str(), &RecordBatch::new_empty(schema.clone()), &[])?;
        let key = primary_key.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        Ok(Encoder { format, key })
    }

    /// Gives `emit` each record. A row that comes several times is several records.
    pub fn encode(&self, changes: &Changes, emit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.encode_rows(changes, &mut |_, _, record| emit(record))
    }

    /// Gives `emit` each record with a row of its key, and with its `op` if it is a change.
    pub fn encode_rows(&self, changes: &Changes, emit: &mut Emit<'_>) -> Result<()> {
        if self.format == Format::DebeziumJson {
            return self.changes(changes, emit);
        }
        let rows = JsonRows::new(self.format.as_str(), &changes.batch, &[])?;
        let mut record = Vec::new();
        for (row, weight) in changes.weights.iter().enumerate() {
            record.clear();
            match self.format {
                Format::RawString | Format::RawBytes if changes.batch.column(0).is_null(row) => {}
                Format::RawString => record.extend_from_slice(changes.batch.column(0).as_string::<i32>().value(row).as_bytes()),
                Format::RawBytes => record.extend_from_slice(changes.batch.column(0).as_binary::<i32>().value(row)),
                Format::Json | Format::DebeziumJson => rows.write(row, &mut record),
            }
            for _ in 0..*weight {
                emit(row, None, &record)?;
            }
        }
        Ok(())
    }

    fn changes(&self, changes: &Changes, emit: &mut Emit<'_>) -> Result<()> {
        let rows = JsonRows::new(self.format.as_str(), &changes.batch, &[])?;
        let mut successors = self.updates(changes)?;
        let mut record = Vec::new();
        let mut write = |before: Option<usize>, after: Option<usize>, op: &'static str| {
            record.clear();
            for (name, row) in [(&b"{\"before\":"[..], before), (&b",\"after\":"[..], after)] {
                record.extend_from_slice(name);
                match row {
                    Some(row) => rows.write(row, &mut record),
                    None => record.extend_from_slice(b"null"),
                }
            }
            record.extend_from_slice(format!(",\"op\":\"{op}\"}}").as_bytes());
            emit(before.or(after).unwrap_or_default(), Some(op), &record)
        };
        let mut written = vec![false; changes.weights.len()];
        for (row, weight) in changes.weights.iter().enumerate().filter(|(_, weight)| **weight < 0) {
            match successors.remove(&row) {
                Some(after) => {
                    written[after] = true;
                    write(Some(row), Some(after), "u")?;
                }
                None => (0..-weight).try_for_each(|_| write(Some(row), None, "d"))?,
            }
        }
        for (row, weight) in changes.weights.iter().enumerate().filter(|(row, weight)| **weight > 0 && !written[*row]) {
            (0..*weight).try_for_each(|_| write(None, Some(row), "c"))?;
        }
        Ok(())
    }

    /// For each row that goes the one of the same key that comes.
    fn updates(&self, changes: &Changes) -> Result<HashMap<usize, usize>> {
        if self.key.is_empty() {
            return Ok(HashMap::new());
        }
        let corrupt = |error: arrow::error::ArrowError| Error::corrupt(self.format.as_str(), error);
        let columns: Vec<_> = self.key.iter().map(|column| changes.batch.column(*column).clone()).collect();
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let keys = RowConverter::new(fields).and_then(|converter| converter.convert_columns(&columns)).map_err(corrupt)?;
        let once = |weight: i64| changes.weights.iter().enumerate().filter(move |(_, found)| **found == weight).map(|(row, _)| row);
        let mut comes: HashMap<&[u8], usize> = once(1).map(|row| (keys.row(row).data(), row)).collect();
        Ok(once(-1).filter_map(|row| Some((row, comes.remove(keys.row(row).data())?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, StringArray};
    use arrow::datatypes::{Field, Schema};

    use super::*;
    use crate::format::Decoder;
    use crate::log::{Entry, Record};

    fn changes(rows: &[(i32, Option<&str>, i64)]) -> Changes {
        let schema = Schema::new(vec![Field::new("id", DataType::Int32, true), Field::new("name", DataType::Utf8, true)]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.0))),
            Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1))),
        ];
        Changes { batch: RecordBatch::try_new(Arc::new(schema), columns).unwrap(), weights: rows.iter().map(|row| row.2).collect() }
    }

    fn changes_of_one_key() -> Changes {
        changes(&[(1, Some("a"), -1), (1, Some("b"), -1), (1, Some("c"), 1)])
    }

    fn records(format: Format, key: &[&str], changes: &Changes) -> Vec<String> {
        let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
        let encoder = Encoder::new(format, &changes.batch.schema(), &key).unwrap();
        let mut records = vec![];
        encoder
            .encode(changes, &mut |record| {
                records.push(String::from_utf8(record.to_vec()).unwrap());
                Ok(())
            })
            .unwrap();
        records
    }

    #[test]
    fn changes_of_a_key_are_updates() {
        let changes = changes(&[(1, Some("a"), -1), (2, None, -2), (1, Some("b"), 1), (3, Some("c"), 1)]);
        let expected = [
            r#"{"before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"},"op":"u"}"#,
            r#"{"before":{"id":2,"name":null},"after":null,"op":"d"}"#,
            r#"{"before":{"id":2,"name":null},"after":null,"op":"d"}"#,
            r#"{"before":null,"after":{"id":3,"name":"c"},"op":"c"}"#,
        ];
        assert_eq!(records(Format::DebeziumJson, &["id"], &changes), expected);
        // A key that is none: the row that comes is the successor of one of them.
        let double = records(Format::DebeziumJson, &["id"], &changes_of_one_key());
        assert_eq!(double.iter().filter(|record| record.contains("\"op\":\"u\"")).count(), 1, "{double:?}");
        assert_eq!(double.len(), 2);
        let without_key = records(Format::DebeziumJson, &[], &changes);
        assert!(without_key.len() == 5 && without_key.iter().all(|record| !record.contains("\"op\":\"u\"")), "{without_key:?}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let written = changes(&[(1, Some("a"), -1), (1, Some("b\"\n"), 1), (2, None, 2)]);
        let decoder = Decoder::new(Format::DebeziumJson, written.batch.schema(), Default::default()).unwrap();
        let entries: Vec<Entry> = (0..)
            .zip(records(Format::DebeziumJson, &["id"], &written))
            .map(|(offset, record)| Entry { offset, record: Record::new(None, Some(record.into()), 0) })
            .collect();
        let read = decoder.decode("t", 0, &entries);
        assert_eq!(read.bad, []);
        let expected = changes(&[(1, Some("a"), -1), (1, Some("b\"\n"), 1), (2, None, 1), (2, None, 1)]);
        assert_eq!((read.changes.batch, read.changes.weights), (expected.batch, expected.weights));
    }

    #[test]
    fn rows_that_come_several_times_are_several_records() {
        assert_eq!(records(Format::Json, &[], &changes(&[(7, Some("x"), 2)])), [r#"{"id":7,"name":"x"}"#; 2]);
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("n", DataType::Int32, true)]));
        assert!(Encoder::new(Format::RawString, &schema, &[]).err().unwrap().to_string().contains("exactly one column"));
    }
}
