//! Consumers, each at a place in a partition. A read that goes on where another one ended gets that one's consumer back, with what it
//! has fetched ahead.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use parking_lot::Mutex;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset};
use tokio::time::Instant;

use super::admin::{Admin, READER_GROUP, one};
use super::{CONNECTOR, PATIENCE, consumer, error};
use crate::log::rules::{MAX_READ_BYTES, size};
use crate::log::{Entry, Header, Record};
use crate::{Error, Result};

/// Consumers kept for the next read. Each has threads and connections of its own.
const MAX_IDLE: usize = 48;
/// How often a reader that is ahead of the end looks whether the end has come.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(super) struct Readers {
    config: ClientConfig,
    admin: Arc<Admin>,
    /// The one that was used last is at the back.
    idle: Mutex<VecDeque<Reader>>,
}

/// A consumer whose next record of this partition has offset `next`, or a later one.
struct Reader {
    topic: String,
    partition: u32,
    next: u64,
    /// No record stands before this offset from `next` on: the marks of transactions take offsets as well.
    empty_to: u64,
    consumer: Arc<StreamConsumer>,
}

/// Until when a consumer is asked for a first record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Deadline,
    /// Until it says that there is none.
    End,
}

impl Readers {
    pub(super) fn new(config: ClientConfig, admin: Arc<Admin>) -> Self {
        Self { config, admin, idle: Mutex::default() }
    }

    pub(super) async fn read(&self, topic: &str, partition: u32, from: u64, max_records: usize, wait: Duration) -> Result<Vec<Entry>> {
        let deadline = Instant::now().checked_add(wait).unwrap_or_else(|| Instant::now() + Duration::from_secs(365 * 86_400));
        let at_place = |reader: &Reader| reader.partition == partition && reader.next == from && reader.topic == topic;
        let kept = {
            let mut idle = self.idle.lock();
            idle.iter().rposition(at_place).and_then(|place| idle.remove(place))
        };
        let mut reader = match kept {
            Some(reader) => reader,
            None => match self.position(topic, partition, from, deadline).await? {
                Some(reader) => reader,
                None => return Ok(Vec::new()),
            },
        };
        // A consumer that met an error is not kept.
        let mut entries = reader.take(from, max_records, deadline, Until::Deadline).await?;
        if entries.is_empty() {
            // Fetching takes its time, however short the wait was: what is in the log by now is given.
            let (_, end) = self.admin.bounds(topic, partition).await?;
            if end > reader.empty_to.max(from) {
                reader.go_to(from)?;
                entries = reader.take(from, max_records, Instant::now() + PATIENCE, Until::End).await?;
                if entries.is_empty() {
                    reader.empty_to = end;
                }
            }
        }
        let closed = {
            let mut idle = self.idle.lock();
            idle.push_back(reader);
            if idle.len() > MAX_IDLE { idle.pop_front() } else { None }
        };
        if let Some(reader) = closed {
            // Closing waits for threads to end.
            tokio::task::spawn_blocking(move || drop(reader));
        }
        Ok(entries)
    }

    /// A consumer at `from`, or at the oldest record if that is later. `None` if the log has not come as far by the deadline: a consumer
    /// that is told to start past the end would start elsewhere.
    async fn position(&self, topic: &str, partition: u32, from: u64, deadline: Instant) -> Result<Option<Reader>> {
        let start = loop {
            let (low, high) = self.admin.bounds(topic, partition).await?;
            if from <= high {
                break from.max(low);
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_AGAIN)).await;
        };
        let mut config = consumer(self.config.clone(), READER_GROUP);
        let consumer: StreamConsumer = config.set("enable.partition.eof", "true").create().map_err(error)?;
        let reader = Reader { topic: topic.to_owned(), partition, next: from, empty_to: 0, consumer: Arc::new(consumer) };
        reader.go_to(start)?;
        Ok(Some(reader))
    }
}

impl Reader {
    /// Fetches anew from `offset` on; when it comes to the end it says so once more.
    fn go_to(&self, offset: u64) -> Result<()> {
        self.consumer.assign(&one(&self.topic, self.partition, Offset::Offset(offset as i64))?).map_err(error)
    }

    async fn take(&mut self, from: u64, max_records: usize, deadline: Instant, until: Until) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let (mut bytes, mut trouble) = (0, None);
        // What has been fetched is taken at any rate, what has not only until the deadline, and only as long as there is nothing.
        while entries.len() < max_records && bytes < MAX_READ_BYTES {
            let received = match self.consumer.recv().now_or_never() {
                Some(received) => received,
                None if !entries.is_empty() => break,
                None => match tokio::time::timeout_at(deadline, self.consumer.recv()).await {
                    Ok(received) => received,
                    Err(_) if until == Until::End && trouble.is_none() => {
                        return Err(Error::unavailable(CONNECTOR, format!("topic `{}` gives neither a record nor its end", self.topic)));
                    }
                    Err(_) => break,
                },
            };
            let message = match received {
                Ok(message) => message,
                Err(KafkaError::PartitionEOF(_)) if until == Until::End => return Ok(entries),
                Err(KafkaError::PartitionEOF(_)) => continue,
                // The client goes on by itself; a topic that was just made may be unknown to it for a moment.
                Err(passing) if passes(&passing) => {
                    trouble = Some(passing);
                    continue;
                }
                Err(lasting) => return Err(error(lasting)),
            };
            let offset = message.offset().max(0) as u64;
            if offset < from {
                continue;
            }
            let header = |header: rdkafka::message::Header<'_, &[u8]>| Header {
                name: header.key.to_owned(),
                value: Bytes::copy_from_slice(header.value.unwrap_or_default()),
            };
            let record = Record {
                key: message.key().map(Bytes::copy_from_slice),
                value: message.payload().map(Bytes::copy_from_slice),
                timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
                headers: message.headers().map(|headers| headers.iter().map(header).collect()).unwrap_or_default(),
            };
            bytes += size(&record);
            self.next = offset + 1;
            entries.push(Entry { offset, record });
        }
        match trouble {
            Some(trouble) if entries.is_empty() && (until == Until::End || is_away(&trouble)) => Err(error(trouble)),
            _ => Ok(entries),
        }
    }
}

fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::*;
    let passing = [UnknownTopicOrPartition, UnknownPartition, UnknownTopic, LeaderNotAvailable, NotLeaderForPartition, OperationTimedOut];
    is_away(error) || error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}

/// No broker can be reached.
fn is_away(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown))
}
