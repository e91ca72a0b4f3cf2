//! The log: topics of partitions of records, appended durably and read by offset.
//!
//! One contract, two implementations: [`embedded`] on one machine, [`kafka`] past one. Both pass the same behavioural suite.

pub mod embedded;
pub mod kafka;
mod rules;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

pub use self::embedded::EmbeddedLog;
pub use self::kafka::{KafkaLog, KafkaOptions};
pub use self::rules::{MAX_APPEND_BYTES, MAX_PARTITIONS, MAX_READ_BYTES, MAX_RECORD_BYTES};

/// A record to append, or one read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Option<Bytes>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// What is to be known about the record beside its value; most have none.
    pub headers: Vec<Header>,
}

/// A name and a value that travel with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub name: String,
    pub value: Bytes,
}

impl Record {
    /// A record without headers.
    pub fn new(key: Option<Bytes>, value: Option<Bytes>, timestamp_ms: i64) -> Self {
        Self { key, value, timestamp_ms, headers: Vec::new() }
    }

    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&Bytes> {
        self.headers.iter().find(|header| header.name == name).map(|header| &header.value)
    }
}

/// A record on its way into a topic.
#[derive(Clone, Debug)]
pub struct Append {
    pub topic: String,
    /// `None`: by the hash of the key (murmur2, as Kafka's clients do), or partition 0 without a key.
    pub partition: Option<u32>,
    pub record: Record,
}

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub offset: u64,
    pub record: Record,
}

/// Where an appended record went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub topic: String,
    pub partition: u32,
    pub offset: u64,
}

/// How a topic is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicConfig {
    pub partitions: u32,
    /// `None`: for ever.
    pub retention: Option<Duration>,
}

impl Default for TopicConfig {
    fn default() -> Self {
        Self { partitions: 1, retention: None }
    }
}

/// A topic as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub partitions: u32,
}

/// A durable, ordered, replayable log.
///
/// Contract: an `append` that returned is on disk and is read by everyone, all of its records or, after a crash, none (also across topics).
/// Offsets of a partition start at 0 and grow by appends; a reader that asks for the next offset sees every record once, in order.
/// Offsets may have gaps (Kafka's transaction markers, retention), so `Entry::offset + 1` is where to go on.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Makes the topic if it is not there; a topic that is there is left as it is.
    async fn create_topic(&self, topic: &str, config: TopicConfig) -> Result<()>;

    async fn topics(&self) -> Result<Vec<Topic>>;

    /// Appends all records atomically and durably. An unknown topic is made with [`TopicConfig::default`].
    async fn append(&self, records: Vec<Append>) -> Result<Vec<Position>>;

    /// Up to `max_records` records from offset `from` on. Waits up to `wait` for the first one; empty when none came. What was appended before
    /// the call is given even if `wait` is zero.
    /// A `from` older than the oldest kept record starts at the oldest.
    async fn read(&self, topic: &str, partition: u32, from: u64, max_records: usize, wait: Duration) -> Result<Vec<Entry>>;

    /// The offset that the next record will get (or a bit more, after Kafka's markers).
    async fn end_offset(&self, topic: &str, partition: u32) -> Result<u64>;

    /// The offset of the oldest kept record; equals `end_offset` when there is none.
    async fn start_offset(&self, topic: &str, partition: u32) -> Result<u64>;

    /// Remembers durably, for a named consumer group, the next offset that it wants.
    async fn commit(&self, group: &str, topic: &str, partition: u32, offset: u64) -> Result<()>;

    /// What [`Log::commit`] remembered.
    async fn committed(&self, group: &str, topic: &str, partition: u32) -> Result<Option<u64>>;

    /// Drops records older than the topic's retention; returns how many.
    async fn enforce_retention(&self) -> Result<u64>;
}
