//! Records on their way into the log: one buffer for all keys and values, cut without copying when it is appended.

use std::ops::Range;

use bytes::Bytes;

use super::transaction::Transaction;
use crate::log::{Append, Record};

/// The topic of transaction marks comes first.
pub(super) const TRANSACTIONS: usize = 0;

struct Slot {
    topic: usize,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    timestamp_ms: i64,
}

/// What a piece of the batch means for the reader's progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub transactions: u64,
    pub changes: u64,
    /// Position just after the last whole transaction; `None` if there is none.
    pub end_lsn: Option<u64>,
    /// Commit time of that transaction, in milliseconds since 1970.
    pub commit_ms: i64,
}

/// Records to append at once.
pub(super) struct Piece {
    pub records: Vec<Append>,
    pub summary: Summary,
}

/// Whole transactions, and perhaps the beginning of another.
#[derive(Default)]
pub(super) struct Batch {
    /// Keys and values are written to its end, and then recorded.
    pub buffer: Vec<u8>,
    slots: Vec<Slot>,
    whole_bytes: usize,
    whole_slots: usize,
    summary: Summary,
}

impl Batch {
    pub(super) fn bytes(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn has_whole(&self) -> bool {
        self.whole_slots > 0
    }

    /// Records what was written since `key_from`: the key up to `value_from`, then the value. An empty key is none.
    pub(super) fn record(&mut self, topic: usize, key_from: usize, value_from: usize, timestamp_ms: i64) {
        let key = (key_from < value_from).then_some(key_from..value_from);
        self.slots.push(Slot { topic, key, value: Some(value_from..self.buffer.len()), timestamp_ms });
    }

    /// Records a tombstone for the key that the record before has.
    pub(super) fn tombstone(&mut self) {
        let Some(Slot { topic, key, timestamp_ms, .. }) = self.slots.last() else { return };
        let slot = Slot { topic: *topic, key: key.clone(), value: None, timestamp_ms: *timestamp_ms };
        self.slots.push(slot);
    }

    /// Writes `BEGIN` if it is not there yet.
    pub(super) fn begin(&mut self, transaction: &mut Transaction) {
        if transaction.begin() {
            let key_from = self.buffer.len();
            transaction.write_key(&mut self.buffer);
            let value_from = self.buffer.len();
            transaction.write_begin(&mut self.buffer);
            self.record(TRANSACTIONS, key_from, value_from, transaction.commit_ms);
        }
    }

    /// Writes `END`: everything so far is whole.
    pub(super) fn end(&mut self, transaction: &Transaction, lsn: u64) {
        let key_from = self.buffer.len();
        transaction.write_key(&mut self.buffer);
        let value_from = self.buffer.len();
        transaction.write_end(&mut self.buffer, lsn);
        self.record(TRANSACTIONS, key_from, value_from, transaction.commit_ms);
        (self.whole_bytes, self.whole_slots) = (self.buffer.len(), self.slots.len());
        self.summary = Summary {
            transactions: self.summary.transactions + 1,
            changes: self.summary.changes + transaction.changes(),
            end_lsn: Some(lsn),
            commit_ms: transaction.commit_ms,
        };
    }

    /// Takes the whole transactions; what has begun after them stays.
    pub(super) fn take_whole(&mut self, topics: &[String]) -> Piece {
        let rest_bytes = self.buffer[self.whole_bytes..].to_vec();
        let shift = |range: Range<usize>| range.start - self.whole_bytes..range.end - self.whole_bytes;
        let rest_slots = self
            .slots
            .drain(self.whole_slots..)
            .map(|slot| Slot { key: slot.key.map(shift), value: slot.value.map(shift), ..slot })
            .collect();
        self.buffer.truncate(self.whole_bytes);
        let piece = self.take_all(topics);
        (self.buffer, self.slots) = (rest_bytes, rest_slots);
        piece
    }

    /// Takes everything, also the beginning of a transaction that is too large to wait for.
    pub(super) fn take_all(&mut self, topics: &[String]) -> Piece {
        let Batch { buffer, slots, summary, .. } = std::mem::take(self);
        let buffer = Bytes::from(buffer);
        let records = slots
            .into_iter()
            .map(|slot| Append {
                topic: topics[slot.topic].clone(),
                partition: Some(0),
                record: Record::new(
                    slot.key.map(|range| buffer.slice(range)),
                    slot.value.map(|range| buffer.slice(range)),
                    slot.timestamp_ms,
                ),
            })
            .collect();
        Piece { records, summary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(piece: &Piece) -> Vec<&str> {
        piece.records.iter().map(|r| r.record.value.as_deref().map_or("-", |v| std::str::from_utf8(v).expect("text"))).collect()
    }

    #[test]
    fn whole_transactions_leave_and_the_begun_one_stays() {
        let topics = ["t".to_owned(), "a".to_owned()];
        let mut batch = Batch::default();
        let mut first = Transaction::new("1:1".into(), Some(1), 5);
        batch.begin(&mut first);
        batch.buffer.extend_from_slice(b"kv");
        let end = batch.bytes();
        batch.record(1, end - 2, end - 1, 5);
        batch.tombstone();
        first.count(1, || "public.a".into());
        batch.end(&first, 10);
        let mut second = Transaction::new("2:11".into(), Some(2), 6);
        batch.begin(&mut second);

        let piece = batch.take_whole(&topics);
        assert_eq!(piece.summary, Summary { transactions: 1, changes: 1, end_lsn: Some(10), commit_ms: 5 });
        assert_eq!(values(&piece)[1..3], ["v", "-"]);
        assert_eq!(piece.records[2].record.key.as_deref(), Some(b"k".as_slice()), "a tombstone has the key");
        assert!(!batch.has_whole() && batch.bytes() > 0);
        batch.end(&second, 20);
        let piece = batch.take_whole(&topics);
        assert_eq!((piece.records.len(), piece.summary.end_lsn, batch.bytes()), (2, Some(20), 0));
        assert!(values(&piece).iter().all(|mark| mark.contains("2:11")));
    }
}
