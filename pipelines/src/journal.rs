//! The epoch journal: which records of the log each epoch is made of, written down before the epoch runs.
//!
//! A topic of the log like any other, so it is as durable as what it speaks of. Record 0 names the incarnation; then one record an epoch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chimera_connectors::Frontier;
use chimera_connectors::log::{Append, Log, Record, TopicConfig};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;

/// The journal's topic.
pub const TOPIC: &str = "__chimera.epochs";

/// Every so many epochs an entry names the position in every topic, so that a start need not read further back.
const BASE_EVERY: u64 = 64;

/// Next offset to read, per topic (partition 0).
pub type Positions = BTreeMap<String, u64>;

/// One epoch: the records `from..to` of each topic that it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub epoch: u64,
    /// Topic → (first offset, next offset).
    pub ranges: BTreeMap<String, (u64, u64)>,
    pub frontier: Frontier,
    /// Commit time of the newest change, milliseconds since 1970; 0 when there is none.
    pub committed_ms: i64,
    /// When it was formed, milliseconds since 1970: what `now()` is in it. Never before the epoch before it.
    #[serde(default)]
    pub formed_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<Positions>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Incarnation { incarnation: Uuid },
    Epoch(Entry),
}

/// Reads and appends epochs.
#[derive(Clone)]
pub struct Journal {
    log: Arc<dyn Log>,
    pub incarnation: Uuid,
    /// Offsets at which some epochs stand, so that finding one in a log with gaps does not begin far before it.
    places: Arc<Mutex<BTreeMap<u64, u64>>>,
}

/// Where the journal ends.
pub struct Tail {
    pub epoch: u64,
    pub positions: Positions,
    pub frontier: Frontier,
    pub formed_ms: i64,
}

impl Journal {
    /// Opens the journal, or begins a new one, and reads where it ends.
    pub async fn open(log: Arc<dyn Log>) -> Result<(Self, Tail), Error> {
        log.create_topic(TOPIC, TopicConfig::default()).await?;
        let first = log.read(TOPIC, 0, 0, 1, Duration::ZERO).await?;
        let incarnation = match first.first() {
            Some(entry) => match parse(entry.record.value.as_ref())? {
                Line::Incarnation { incarnation } => incarnation,
                Line::Epoch(_) => return Err(Error::Journal("does not begin with its incarnation; move the data folder away".into())),
            },
            None => {
                let incarnation = Uuid::new_v4();
                append(&log, &Line::Incarnation { incarnation }).await?;
                incarnation
            }
        };
        let journal = Self { log, incarnation, places: Arc::default() };
        let tail = journal.tail().await?;
        Ok((journal, tail))
    }

    pub async fn append(&self, mut entry: Entry, positions: &Positions) -> Result<(), Error> {
        let epoch = entry.epoch;
        entry.positions = (epoch % BASE_EVERY == 1).then(|| positions.clone());
        let offset = append(&self.log, &Line::Epoch(entry)).await?;
        self.stands_at(epoch, offset);
        Ok(())
    }

    /// Up to `max` entries from epoch `from` on, in order.
    pub async fn entries(&self, from: u64, max: usize) -> Result<Vec<Entry>, Error> {
        // The entry of an epoch stands at its number's offset, or after it where the log has gaps.
        let near = self.places.lock().range(..=from).next_back().map(|(epoch, offset)| offset + (from - epoch));
        self.read(near.unwrap_or(from), max, |entry| entry.epoch >= from).await
    }

    /// Up to `max` entries that are wanted, from an offset on.
    async fn read(&self, mut offset: u64, max: usize, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        while entries.len() < max {
            let read = self.log.read(TOPIC, 0, offset, max, Duration::ZERO).await?;
            let Some(last) = read.last() else { break };
            offset = last.offset + 1;
            for record in read {
                let Line::Epoch(entry) = parse(record.record.value.as_ref())? else { continue };
                self.stands_at(entry.epoch, record.offset);
                if wanted(&entry) && entries.len() < max {
                    entries.push(entry);
                }
            }
        }
        Ok(entries)
    }

    fn stands_at(&self, epoch: u64, offset: u64) {
        if epoch % BASE_EVERY == 1 {
            self.places.lock().insert(epoch, offset);
        }
    }

    async fn tail(&self) -> Result<Tail, Error> {
        let end = self.log.end_offset(TOPIC, 0).await?;
        let mut tail = Tail { epoch: 0, positions: Positions::new(), frontier: Frontier::default(), formed_ms: 0 };
        // Step back far enough to meet an entry with all positions; offsets may have gaps, so widen until one is found.
        let mut back = 2 * BASE_EVERY;
        loop {
            let from = end.saturating_sub(back);
            let entries = self.read(from, usize::MAX >> 1, |_| true).await?;
            let based = entries.iter().position(|entry| entry.positions.is_some());
            if based.is_some() || from == 0 {
                for entry in entries.into_iter().skip(based.unwrap_or(0)) {
                    tail.epoch = entry.epoch;
                    tail.positions.extend(entry.positions.unwrap_or_default());
                    tail.positions.extend(entry.ranges.into_iter().map(|(topic, (_, to))| (topic, to)));
                    tail.frontier = entry.frontier;
                    tail.formed_ms = entry.formed_ms;
                }
                return Ok(tail);
            }
            back *= 4;
        }
    }
}

/// Returns the record's offset.
async fn append(log: &Arc<dyn Log>, line: &Line) -> Result<u64, Error> {
    let value = serde_json::to_vec(line).map_err(|error| Error::Journal(error.to_string()))?;
    let record = Record::new(None, Some(Bytes::from(value)), chrono::Utc::now().timestamp_millis());
    let positions = log.append(vec![Append { topic: TOPIC.into(), partition: Some(0), record }]).await?;
    positions.first().map(|position| position.offset).ok_or_else(|| Error::Journal("was not told where a record went".into()))
}

fn parse(value: Option<&Bytes>) -> Result<Line, Error> {
    let value = value.ok_or_else(|| Error::Journal("holds a record without a value".into()))?;
    serde_json::from_slice(value).map_err(|error| Error::Journal(format!("holds a record that is not an epoch: {error}")))
}
