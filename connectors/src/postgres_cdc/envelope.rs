//! Debezium's change envelope.

use super::batch::Batch;
use super::json::{write_escaped, write_number, write_string};
use super::pgoutput::Cell;
use super::table::Table;
use super::transaction::Transaction;

/// What happened to a row.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// Seen by the snapshot.
    Read {
        new: &'a [Cell<'a>],
    },
    Create {
        new: &'a [Cell<'a>],
    },
    /// `old` is `None` unless the table has REPLICA IDENTITY FULL.
    Update {
        old: Option<&'a [Cell<'a>]>,
        new: &'a [Cell<'a>],
    },
    Delete {
        old: &'a [Cell<'a>],
    },
}

impl<'a> Change<'a> {
    /// Its rows, the old one first.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'a [Cell<'a>]> {
        let (old, new) = match *self {
            Self::Read { new } | Self::Create { new } => (None, Some(new)),
            Self::Update { old, new } => (old, Some(new)),
            Self::Delete { old } => (Some(old), None),
        };
        old.into_iter().chain(new)
    }
}

/// Where in the database's history a change stands.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// `false`, or which row of a snapshot it is.
    pub snapshot: &'a str,
    /// Position just after the transaction before.
    pub last_commit_lsn: Option<u64>,
    pub lsn: u64,
    /// When the reader came by, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Writes changes of one database.
pub(super) struct Writer {
    /// `"source":{…,"ts_ms":`
    head: Vec<u8>,
    /// `","db":"…","sequence":"[`
    database: Vec<u8>,
}

impl Writer {
    pub(super) fn new(service: &str, database: &str) -> Self {
        let mut head = b",\"source\":{\"version\":\"".to_vec();
        write_escaped(&mut head, env!("CARGO_PKG_VERSION").as_bytes());
        head.extend_from_slice(b"\",\"connector\":\"postgresql\",\"name\":");
        write_string(&mut head, service.as_bytes());
        head.extend_from_slice(b",\"ts_ms\":");
        let mut middle = b"\",\"db\":".to_vec();
        write_string(&mut middle, database.as_bytes());
        middle.extend_from_slice(b",\"sequence\":\"[");
        Self { head, database: middle }
    }

    /// Writes a change, with its tombstone if it is a delete; an update of the key becomes a delete and a create.
    pub(super) fn write(&self, batch: &mut Batch, transaction: &mut Transaction, table: &Table, change: Change<'_>, origin: &Origin<'_>) {
        batch.begin(transaction);
        match change {
            Change::Update { old: Some(old), new } if table.key_changed(Some(old), new) => {
                self.write_one(batch, transaction, table, Change::Delete { old }, None, origin);
                batch.tombstone();
                self.write_one(batch, transaction, table, Change::Create { new }, Some(old), origin);
            }
            Change::Update { old, new } => {
                let old = old.filter(|_| table.has_whole_old_rows);
                self.write_one(batch, transaction, table, Change::Update { old, new }, old, origin);
            }
            Change::Delete { .. } => {
                self.write_one(batch, transaction, table, change, None, origin);
                // A tombstone means something only for a key.
                if !table.key.is_empty() {
                    batch.tombstone();
                }
            }
            Change::Read { .. } | Change::Create { .. } => self.write_one(batch, transaction, table, change, None, origin),
        }
    }

    /// `unsent_from`: the row that values come from that PostgreSQL did not send.
    fn write_one(
        &self,
        batch: &mut Batch,
        transaction: &mut Transaction,
        table: &Table,
        change: Change<'_>,
        unsent_from: Option<&[Cell<'_>]>,
        origin: &Origin<'_>,
    ) {
        let (op, before, after) = match change {
            Change::Read { new } => (b'r', None, Some(new)),
            Change::Create { new } => (b'c', None, Some(new)),
            Change::Update { old, new } => (b'u', old, Some(new)),
            Change::Delete { old } => (b'd', Some(old), None),
        };
        let order = transaction.count(table.topic, || table.qualified_name());
        let key_from = batch.bytes();
        let out = &mut batch.buffer;
        if !table.key.is_empty() {
            table.write_key(out, after.or(before).unwrap_or(&[]), unsent_from);
        }
        let value_from = out.len();
        out.extend_from_slice(b"{\"before\":");
        match before {
            Some(row) => table.write_row(out, row, None),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"after\":");
        match after {
            Some(row) => table.write_row(out, row, unsent_from),
            None => out.extend_from_slice(b"null"),
        }
        self.write_source(out, transaction, table, origin);
        out.extend_from_slice(b",\"transaction\":{\"id\":");
        write_string(out, transaction.id.as_bytes());
        out.extend_from_slice(b",\"total_order\":");
        write_number(out, order.total);
        out.extend_from_slice(b",\"data_collection_order\":");
        write_number(out, order.collection);
        out.extend_from_slice(b"},\"op\":\"");
        out.push(op);
        out.extend_from_slice(b"\",\"ts_ms\":");
        write_number(out, origin.now_ms);
        out.push(b'}');
        batch.record(table.topic, key_from, value_from, transaction.commit_ms);
    }

    fn write_source(&self, out: &mut Vec<u8>, transaction: &Transaction, table: &Table, origin: &Origin<'_>) {
        out.extend_from_slice(&self.head);
        write_number(out, transaction.commit_ms);
        out.extend_from_slice(b",\"snapshot\":\"");
        out.extend_from_slice(origin.snapshot.as_bytes());
        out.extend_from_slice(&self.database);
        match origin.last_commit_lsn {
            Some(lsn) => {
                out.extend_from_slice(b"\\\"");
                write_number(out, lsn);
                out.extend_from_slice(b"\\\",\\\"");
            }
            None => out.extend_from_slice(b"null,\\\""),
        }
        write_number(out, origin.lsn);
        out.extend_from_slice(b"\\\"]\",\"schema\":");
        write_string(out, table.schema.as_bytes());
        out.extend_from_slice(b",\"table\":");
        write_string(out, table.name.as_bytes());
        out.extend_from_slice(b",\"txId\":");
        match transaction.xid {
            Some(xid) => write_number(out, xid),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"lsn\":");
        write_number(out, origin.lsn);
        out.extend_from_slice(b",\"xmin\":null}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::postgres_cdc::column_type::ColumnType;
    use crate::postgres_cdc::table::Column;

    const ORIGIN: Origin<'static> = Origin { snapshot: "false", last_commit_lsn: Some(90), lsn: 95, now_ms: 1_001 };

    fn written(change: Change<'_>) -> Vec<(Option<Value>, Option<Value>)> {
        let columns = [("id", 23), ("name", 25)].map(|(name, oid)| Column::new(name, ColumnType::builtin(oid, -1).expect("built in")));
        let table = Table {
            topic: 1,
            schema: "public".into(),
            name: "brands".into(),
            columns: columns.into(),
            key: vec![0],
            has_whole_old_rows: true,
        };
        let mut batch = Batch::default();
        let mut transaction = Transaction::new("7:99".into(), Some(7), 1_000);
        Writer::new("catalog", "shop").write(&mut batch, &mut transaction, &table, change, &ORIGIN);
        let read = |bytes: &Option<bytes::Bytes>| bytes.as_deref().map(|b| serde_json::from_slice(b).expect("JSON"));
        let piece = batch.take_all(&["catalog.transaction".into(), "catalog.public.brands".into()]);
        piece.records.iter().skip(1).map(|r| (read(&r.record.key), read(&r.record.value))).collect()
    }

    fn envelope(op: &str, before: Value, after: Value, order: u64) -> Value {
        json!({
            "before": before, "after": after,
            "source": {
                "version": env!("CARGO_PKG_VERSION"), "connector": "postgresql", "name": "catalog", "ts_ms": 1000,
                "snapshot": "false", "db": "shop",
                "sequence": "[\"90\",\"95\"]", "schema": "public", "table": "brands", "txId": 7, "lsn": 95, "xmin": null
            },
            "transaction": {"id": "7:99", "total_order": order, "data_collection_order": order},
            "op": op, "ts_ms": 1001
        })
    }

    #[test]
    fn an_update_and_a_delete_with_its_tombstone() {
        let (old, new) = ([Cell::Text(b"1"), Cell::Text(b"a")], [Cell::Text(b"1"), Cell::Text(b"b")]);
        let update = written(Change::Update { old: Some(&old), new: &new });
        let expected = envelope("u", json!({"id": 1, "name": "a"}), json!({"id": 1, "name": "b"}), 1);
        assert_eq!(update, [(Some(json!({"id": 1})), Some(expected))]);
        let delete = written(Change::Delete { old: &old });
        let expected = envelope("d", json!({"id": 1, "name": "a"}), Value::Null, 1);
        assert_eq!(delete, [(Some(json!({"id": 1})), Some(expected)), (Some(json!({"id": 1})), None)]);
    }

    #[test]
    fn a_key_change_is_a_delete_a_tombstone_and_a_create() {
        let (old, new) = ([Cell::Text(b"1"), Cell::Text(b"a")], [Cell::Text(b"2"), Cell::Unchanged]);
        let records = written(Change::Update { old: Some(&old), new: &new });
        let deleted = envelope("d", json!({"id": 1, "name": "a"}), Value::Null, 1);
        let created = envelope("c", Value::Null, json!({"id": 2, "name": "a"}), 2);
        assert_eq!(
            records,
            [(Some(json!({"id": 1})), Some(deleted)), (Some(json!({"id": 1})), None), (Some(json!({"id": 2})), Some(created))]
        );
    }
}
