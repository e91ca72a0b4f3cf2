//! A transaction's marks: `BEGIN`, `END` and the numbers in between, as Debezium's transaction metadata has them.

use super::json;

/// A transaction on its way into the log.
#[derive(Debug)]
pub(super) struct Transaction {
    pub id: String,
    /// `None` for a snapshot.
    pub xid: Option<u32>,
    /// Milliseconds since 1970.
    pub commit_ms: i64,
    /// Whether it holds one of our heartbeats: such a transaction is marked in the log even if it is empty.
    pub heartbeat: bool,
    begun: bool,
    changes: u64,
    /// Topic, `schema.table` and number of changes, in the order of first appearance.
    collections: Vec<(usize, String, u64)>,
}

/// A change's number in its transaction and in its table, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub total: u64,
    pub collection: u64,
}

impl Transaction {
    pub(super) fn new(id: String, xid: Option<u32>, commit_ms: i64) -> Self {
        Self { id, xid, commit_ms, heartbeat: false, begun: false, changes: 0, collections: Vec::new() }
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Says, once, that `BEGIN` has to be written.
    pub(super) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    /// Counts a change of a table.
    pub(super) fn count(&mut self, topic: usize, qualified_name: impl FnOnce() -> String) -> Order {
        self.changes += 1;
        let known = self.collections.iter_mut().find(|(known, ..)| *known == topic);
        let collection = match known {
            Some((_, _, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.collections.push((topic, qualified_name(), 1));
                1
            }
        };
        Order { total: self.changes, collection }
    }

    pub(super) fn write_key(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        json::write_string(out, self.id.as_bytes());
        out.push(b'}');
    }

    pub(super) fn write_begin(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"status\":\"BEGIN\",\"id\":");
        json::write_string(out, self.id.as_bytes());
        out.extend_from_slice(b",\"event_count\":null,\"data_collections\":null,\"ts_ms\":");
        json::write_number(out, self.commit_ms);
        out.push(b'}');
    }

    /// `lsn` is the position just after the commit.
    pub(super) fn write_end(&self, out: &mut Vec<u8>, lsn: u64) {
        out.extend_from_slice(b"{\"status\":\"END\",\"id\":");
        json::write_string(out, self.id.as_bytes());
        out.extend_from_slice(b",\"event_count\":");
        json::write_number(out, self.changes);
        out.extend_from_slice(b",\"data_collections\":[");
        for (nth, (_, name, count)) in self.collections.iter().enumerate() {
            out.extend_from_slice(if nth > 0 { b",{\"data_collection\":" } else { b"{\"data_collection\":" });
            json::write_string(out, name.as_bytes());
            out.extend_from_slice(b",\"event_count\":");
            json::write_number(out, count);
            out.push(b'}');
        }
        out.extend_from_slice(b"],\"ts_ms\":");
        json::write_number(out, self.commit_ms);
        out.extend_from_slice(b",\"lsn\":");
        json::write_number(out, lsn);
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{MarkStatus, TransactionMark};

    #[test]
    fn marks_are_read_back_by_the_readers_of_the_log() {
        let mut transaction = Transaction::new("7:99".into(), Some(7), 1_000);
        for (topic, name) in [(1, "public.orders"), (2, "public.order_items"), (1, "public.orders")] {
            transaction.count(topic, || name.to_owned());
        }
        let (mut begin, mut end) = (Vec::new(), Vec::new());
        transaction.write_begin(&mut begin);
        transaction.write_end(&mut end, 120);
        let begin = TransactionMark::parse(&begin).expect("a mark");
        assert_eq!((begin.status, begin.id.as_str(), begin.lsn), (MarkStatus::Begin, "7:99", None));
        let end = TransactionMark::parse(&end).expect("a mark");
        assert_eq!((end.status, end.id.as_str(), end.lsn, end.event_count, end.ts_ms), (MarkStatus::End, "7:99", Some(120), 3, 1_000));
        let collections: Vec<(&str, u64)> = end.collections.iter().map(|c| (c.name.as_str(), c.event_count)).collect();
        assert_eq!(collections, [("public.orders", 2), ("public.order_items", 1)]);
    }
}
