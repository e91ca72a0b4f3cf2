//! How records lie in the store: many in one value, a chunk, at the key of the first one's offset.
//!
//! A chunk is `version:u8 count:u32 newest_ms:i64`, then each record as `timestamp_ms:i64 key_bytes:u32 value_bytes:u32 headers:u8 key
//! value`, then each of its headers as `name_bytes:u8 value_bytes:u32 name value`, all little-endian; a length of `u32::MAX` stands for an
//! absent key or value. Offsets follow from the place in the chunk. Records of a chunk of version 1 have no headers, nor their number.

use bytes::Bytes;

use crate::log::{Entry, Header, Record};
use crate::{Error, Result};

use super::super::rules::CONNECTOR;

/// A chunk is closed when it has this many bytes; only a single larger record makes a larger one.
pub(super) const TARGET_BYTES: usize = 64 << 10;
const VERSION: u8 = 2;
const HEADER_BYTES: usize = 13;
/// What stands before a record's key; one less in version 1.
const RECORD_HEADER_BYTES: usize = 17;
/// What stands before the name of a record's header.
const NAME_HEADER_BYTES: usize = 5;
const ABSENT: u32 = u32::MAX;

/// Records of one partition, encoded but for their offsets.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) count: u32,
    newest_ms: i64,
    bytes: Vec<u8>,
}

impl Chunk {
    pub(super) fn new() -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.resize(HEADER_BYTES, 0);
        Self { count: 0, newest_ms: i64::MIN, bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether `more` bytes of records still belong in here.
    pub(super) fn has_room_for(&self, more: usize) -> bool {
        self.count == 0 || self.bytes.len() + more <= TARGET_BYTES
    }

    pub(super) fn push(&mut self, record: &Record) {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(ABSENT, |bytes| bytes.len() as u32);
        self.bytes.extend_from_slice(&record.timestamp_ms.to_le_bytes());
        self.bytes.extend_from_slice(&length(&record.key).to_le_bytes());
        self.bytes.extend_from_slice(&length(&record.value).to_le_bytes());
        self.bytes.push(record.headers.len() as u8);
        self.bytes.extend_from_slice(record.key.as_deref().unwrap_or_default());
        self.bytes.extend_from_slice(record.value.as_deref().unwrap_or_default());
        for header in &record.headers {
            self.bytes.push(header.name.len() as u8);
            self.bytes.extend_from_slice(&(header.value.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(header.name.as_bytes());
            self.bytes.extend_from_slice(&header.value);
        }
        self.count += 1;
        self.newest_ms = self.newest_ms.max(record.timestamp_ms);
    }

    /// Puts the records of `other` behind ours.
    pub(super) fn append(&mut self, other: &Chunk) {
        self.bytes.extend_from_slice(&other.bytes[HEADER_BYTES..]);
        self.count += other.count;
        self.newest_ms = self.newest_ms.max(other.newest_ms);
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes[0] = VERSION;
        self.bytes[1..5].copy_from_slice(&self.count.to_le_bytes());
        self.bytes[5..13].copy_from_slice(&self.newest_ms.to_le_bytes());
        self.bytes
    }

    /// What a record takes in a chunk.
    pub(super) fn bytes_of(record: &Record) -> usize {
        RECORD_HEADER_BYTES + NAME_HEADER_BYTES * record.headers.len() + super::super::rules::size(record)
    }
}

/// A chunk that was read: its records one after the other. They share the chunk's memory.
pub(super) struct Records {
    bytes: Bytes,
    version: u8,
    at: usize,
    next: u64,
    end: u64,
    pub(super) newest_ms: i64,
}

impl Records {
    /// `base` is the offset of the chunk's first record.
    pub(super) fn new(bytes: Bytes, base: u64) -> Result<Self> {
        let version = bytes.first().copied().unwrap_or_default();
        if !(1..=VERSION).contains(&version) || bytes.len() < HEADER_BYTES {
            return Err(corrupt(base));
        }
        let count = u32_at(&bytes, 1);
        let newest_ms = i64_at(&bytes, 5);
        Ok(Self { bytes, version, at: HEADER_BYTES, next: base, end: base + u64::from(count), newest_ms })
    }

    /// The offset after the last record.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    fn decode(&mut self) -> Result<Entry> {
        let offset = self.next;
        let body = self.at + RECORD_HEADER_BYTES - usize::from(self.version == 1);
        if body > self.bytes.len() {
            return Err(corrupt(offset));
        }
        let timestamp_ms = i64_at(&self.bytes, self.at);
        let (key_bytes, value_bytes) = (u32_at(&self.bytes, self.at + 8), u32_at(&self.bytes, self.at + 12));
        let headers = if self.version == 1 { 0 } else { self.bytes[body - 1] };
        self.at = body;
        let key = self.take(key_bytes).ok_or_else(|| corrupt(offset))?;
        let value = self.take(value_bytes).ok_or_else(|| corrupt(offset))?;
        let headers = (0..headers).map(|_| self.header().ok_or_else(|| corrupt(offset))).collect::<Result<_>>()?;
        Ok(Entry { offset, record: Record { key, value, timestamp_ms, headers } })
    }

    /// `None` where the chunk ends too early, or a name is no text.
    fn header(&mut self) -> Option<Header> {
        let name_bytes = u32::from(*self.bytes.get(self.at)?);
        let value_bytes = u32::from_le_bytes(self.bytes.get(self.at + 1..self.at + NAME_HEADER_BYTES)?.try_into().ok()?);
        self.at += NAME_HEADER_BYTES;
        let name = String::from_utf8(self.take(name_bytes)??.into()).ok()?;
        Some(Header { name, value: self.take(value_bytes)?? })
    }

    /// `None` where the chunk ends too early.
    fn take(&mut self, length: u32) -> Option<Option<Bytes>> {
        if length == ABSENT {
            return Some(None);
        }
        let end = self.at + length as usize;
        let taken = (end <= self.bytes.len()).then(|| self.bytes.slice(self.at..end))?;
        self.at = end;
        Some(Some(taken))
    }
}

impl Iterator for Records {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            return None;
        }
        let entry = self.decode();
        self.next = if entry.is_ok() { self.next + 1 } else { self.end };
        Some(entry)
    }
}

fn corrupt(offset: u64) -> Error {
    Error::corrupt(CONNECTOR, format!("the records stored at offset {offset} are damaged"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: Option<&'static str>, value: Option<&'static str>, timestamp_ms: i64) -> Record {
        Record::new(key.map(Bytes::from), value.map(Bytes::from), timestamp_ms)
    }

    #[test]
    fn records_come_back_as_they_were_and_damage_is_seen() {
        let mut records =
            [record(Some("k"), Some("value"), 3), record(None, Some(""), -1), record(Some(""), None, 7), record(None, None, 0)];
        let header = |name: &str, value: &'static str| Header { name: name.to_owned(), value: Bytes::from(value) };
        records[1].headers = vec![header("first", "1"), header("second", "")];
        records[3].headers = vec![header("last", "x")];
        let (mut chunk, mut second) = (Chunk::new(), Chunk::new());
        chunk.push(&records[0]);
        records[1..].iter().for_each(|record| second.push(record));
        chunk.append(&second);
        let bytes = Bytes::from(chunk.into_bytes());
        let read = Records::new(bytes.clone(), 41).expect("a chunk");
        assert_eq!((read.newest_ms, read.end()), (7, 45));
        let entries: Vec<Entry> = read.collect::<Result<_>>().expect("records");
        assert_eq!(entries.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [41, 42, 43, 44]);
        assert_eq!(entries.into_iter().map(|entry| entry.record).collect::<Vec<_>>(), records);
        for length in 0..bytes.len() {
            let cut = bytes.slice(..length);
            assert!(Records::new(cut, 0).and_then(|records| records.collect::<Result<Vec<_>>>()).is_err(), "{length}");
        }
    }

    #[test]
    fn chunks_from_before_there_were_headers_are_read() {
        let mut bytes = vec![1];
        bytes.extend_from_slice(&1u32.to_le_bytes());
        for number in [5i64, 5] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for length in [1u32, 2] {
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        bytes.extend_from_slice(b"kv1");
        let entries: Vec<Entry> = Records::new(Bytes::from(bytes), 9).and_then(Iterator::collect).expect("records");
        assert_eq!(entries, [Entry { offset: 9, record: record(Some("k"), Some("v1"), 5) }]);
    }
}
