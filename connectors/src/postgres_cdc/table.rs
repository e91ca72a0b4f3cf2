//! A published table as the reader writes it: its topic, its columns and its key.

use super::column_type::ColumnType;
use super::json;
use super::pgoutput::Cell;

/// Stands for a value that PostgreSQL did not send (kept out of line and untouched, without REPLICA IDENTITY FULL), as in Debezium.
pub(super) const UNAVAILABLE: &[u8] = b"__debezium_unavailable_value";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// `"name":`, ready to be written.
    label: Vec<u8>,
    kind: ColumnType,
}

impl Column {
    pub(super) fn new(name: &str, kind: ColumnType) -> Self {
        let mut label = Vec::new();
        json::write_string(&mut label, name.as_bytes());
        label.push(b':');
        Self { label, kind }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Index into the reader's topics.
    pub topic: usize,
    pub schema: String,
    pub name: String,
    pub columns: Vec<Column>,
    /// Places of the key's columns, in the key's order; empty for a table without one.
    pub key: Vec<usize>,
    /// REPLICA IDENTITY FULL: old rows are whole. Else they have the key alone, and NULL for everything else.
    pub has_whole_old_rows: bool,
}

impl Table {
    /// `schema.name`.
    pub(super) fn qualified_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Writes a row as an object. Values that were not sent are taken from `old`, the same row before the change.
    pub(super) fn write_row(&self, out: &mut Vec<u8>, row: &[Cell<'_>], old: Option<&[Cell<'_>]>) {
        let old = old.filter(|_| self.has_whole_old_rows);
        out.push(b'{');
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            column.write(out, cell(place, row, old));
        }
        out.push(b'}');
    }

    /// Writes the key as an object. Only for a table with a key.
    pub(super) fn write_key(&self, out: &mut Vec<u8>, row: &[Cell<'_>], old: Option<&[Cell<'_>]>) {
        out.push(b'{');
        for (nth, &place) in self.key.iter().enumerate() {
            if nth > 0 {
                out.push(b',');
            }
            self.columns[place].write(out, cell(place, row, old));
        }
        out.push(b'}');
    }

    /// Whether an update made another row of the row. `old` is `None` when PostgreSQL says that the key was not touched.
    pub(super) fn key_changed(&self, old: Option<&[Cell<'_>]>, new: &[Cell<'_>]) -> bool {
        let Some(old) = old else { return false };
        self.key.iter().any(|&place| cell(place, new, Some(old)) != old.get(place).copied().unwrap_or(Cell::Null))
    }
}

/// A row's value, or the old row's where it was not sent.
fn cell<'a>(place: usize, row: &[Cell<'a>], old: Option<&[Cell<'a>]>) -> Cell<'a> {
    match row.get(place).copied().unwrap_or(Cell::Null) {
        Cell::Unchanged => old.and_then(|old| old.get(place)).copied().unwrap_or(Cell::Unchanged),
        cell => cell,
    }
}

impl Column {
    fn write(&self, out: &mut Vec<u8>, cell: Cell<'_>) {
        out.extend_from_slice(&self.label);
        match cell {
            Cell::Null => out.extend_from_slice(b"null"),
            Cell::Unchanged => json::write_string(out, UNAVAILABLE),
            Cell::Text(text) => {
                let from = out.len();
                // What its type cannot read goes out as text: whoever needs the column refuses the one record, and the stream goes on.
                if self.kind.write(out, text).is_err() {
                    out.truncate(from);
                    json::write_string(out, text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns =
            [("id", 23), ("sku", 25), ("note", 25)].map(|(name, oid)| Column::new(name, ColumnType::builtin(oid, -1).expect("built in")));
        Table { topic: 1, schema: "public".into(), name: "t".into(), columns: columns.into(), key: vec![1, 0], has_whole_old_rows: true }
    }

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_was_not_sent_comes_from_the_old_row_or_is_named_unavailable() {
        let old = [Cell::Text(b"1"), Cell::Text(b"a"), Cell::Text(b"long")];
        let new = [Cell::Text(b"1"), Cell::Null, Cell::Unchanged];
        assert_eq!(text(|out| table().write_row(out, &new, Some(&old))), r#"{"id":1,"sku":null,"note":"long"}"#);
        assert_eq!(text(|out| table().write_row(out, &new, None)), r#"{"id":1,"sku":null,"note":"__debezium_unavailable_value"}"#);
    }

    #[test]
    fn an_old_row_of_a_key_alone_says_nothing_of_the_rest() {
        let (old, new) = ([Cell::Text(b"1"), Cell::Text(b"a"), Cell::Null], [Cell::Text(b"2"), Cell::Unchanged, Cell::Unchanged]);
        let table = Table { has_whole_old_rows: false, ..table() };
        let unavailable = r#"{"id":2,"sku":"__debezium_unavailable_value","note":"__debezium_unavailable_value"}"#;
        assert_eq!(text(|out| table.write_row(out, &new, Some(&old))), unavailable);
        assert_eq!(text(|out| table.write_key(out, &new, Some(&old))), r#"{"sku":"a","id":2}"#, "but it has the key");
    }

    #[test]
    fn the_key_has_the_order_of_the_primary_key() {
        let old = [Cell::Text(b"1"), Cell::Text(b"a"), Cell::Null];
        assert_eq!(text(|out| table().write_key(out, &old, None)), r#"{"sku":"a","id":1}"#);
        assert!(table().key_changed(Some(&old), &[Cell::Text(b"2"), Cell::Text(b"a"), Cell::Null]));
        assert!(!table().key_changed(Some(&old), &[Cell::Text(b"1"), Cell::Unchanged, Cell::Text(b"x")]));
        assert!(!table().key_changed(None, &old));
    }

    #[test]
    fn a_value_that_its_type_cannot_read_goes_out_as_text() {
        let table = Table { columns: vec![Column::new("d", ColumnType::Date)], key: vec![], ..table() };
        assert_eq!(text(|out| table.write_row(out, &[Cell::Text(b"soon")], None)), r#"{"d":"soon"}"#);
    }
}
