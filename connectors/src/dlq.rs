//! Dead letters: records that no table could take, kept with cause and position until somebody replays them.
//!
//! The topic [`TOPIC`] holds a letter a record, and a mark for each letter that was replayed. A letter is known by the topic, partition and
//! offset of its record, so one that is written twice (by a pipeline that recovered) counts once.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::format::{Format, transaction_id_range};
use crate::log::{Append, Entry, Header, Log, Record};
use crate::{Error, Result, postgres_cdc};

/// Where dead letters are.
pub const TOPIC: &str = "dlq";
/// How the ids of transactions begin that hold a replayed change.
pub const TRANSACTION_PREFIX: &str = "dlq:";
/// The header of a replayed record: `topic/partition/offset` of the one that had been put aside.
pub const REPLAYED_FROM: &str = "chimera-replayed-from";

const CONNECTOR: &str = "dlq";
/// Records that are read, and letters that are replayed, at once.
const CHUNK: usize = 256;

/// A record that could not be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub topic: String,
    pub partition: u32,
    pub offset: u64,
    /// A sentence that names the field.
    pub error: String,
    /// The format that the record was read as.
    pub format: String,
    pub key_base64: Option<String>,
    pub value_base64: Option<String>,
    /// The record's own time, in milliseconds since 1970.
    pub timestamp_ms: i64,
    pub failed_at: DateTime<Utc>,
}

/// Where a record stands: what a letter is known by.
type Place = (String, u32, u64);

impl DeadLetter {
    pub fn new(topic: &str, partition: u32, entry: &Entry, format: Format, error: impl Into<String>) -> Self {
        Self {
            topic: topic.to_owned(),
            partition,
            offset: entry.offset,
            error: error.into(),
            format: format.as_str().to_owned(),
            key_base64: entry.record.key.as_deref().map(|key| STANDARD.encode(key)),
            value_base64: entry.record.value.as_deref().map(|value| STANDARD.encode(value)),
            timestamp_ms: entry.record.timestamp_ms,
            failed_at: Utc::now(),
        }
    }

    fn place(&self) -> Place {
        (self.topic.clone(), self.partition, self.offset)
    }

    /// The record as it was, with the header that says where it comes from.
    fn record(&self) -> Result<Record, String> {
        let decode = |text: &Option<String>, what: &str| match text {
            Some(text) => {
                STANDARD.decode(text).map(|bytes| Some(Bytes::from(bytes))).map_err(|_| format!("the letter's {what} is not base64"))
            }
            None => Ok(None),
        };
        let mut record = Record::new(decode(&self.key_base64, "key")?, decode(&self.value_base64, "value")?, self.timestamp_ms);
        record.headers.push(Header { name: REPLAYED_FROM.to_owned(), value: Bytes::from(name(&self.place())) });
        Ok(record)
    }
}

/// A letter that waits, and its offset in [`TOPIC`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    pub position: u64,
    #[serde(flatten)]
    pub letter: DeadLetter,
}

/// Which letters to replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    All,
    /// Those of one topic.
    Topic(String),
    /// Those at these offsets in [`TOPIC`].
    Positions(Vec<u64>),
}

impl Selection {
    fn has(&self, waiting: &Waiting) -> bool {
        match self {
            Self::All => true,
            Self::Topic(topic) => waiting.letter.topic == *topic,
            Self::Positions(positions) => positions.contains(&waiting.position),
        }
    }
}

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    pub replayed: u64,
    /// Position of a letter that cannot be replayed, and why not. It stays.
    pub refused: Vec<(u64, String)>,
}

/// A record of [`TOPIC`].
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    /// Says that the letter of this place was replayed.
    Mark {
        topic: String,
        partition: u32,
        offset: u64,
        #[allow(dead_code, reason = "its presence makes it a mark")]
        replayed_at: DateTime<Utc>,
    },
    Letter(DeadLetter),
}

/// Keeps letters, durably. Writing one again does no harm.
pub async fn write(log: &dyn Log, letters: &[DeadLetter]) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    let mut records = Vec::with_capacity(letters.len());
    for letter in letters {
        records.push(line(&letter.place(), serde_json::to_value(letter).map_err(|error| Error::corrupt(CONNECTOR, error))?));
    }
    log.append(records).await.map(drop)
}

/// Up to `limit` letters that wait, from offset `from` of [`TOPIC`] on, oldest first.
pub async fn list(log: &dyn Log, limit: usize, from: u64) -> Result<Vec<Waiting>> {
    let mut found = Vec::new();
    visit_waiting(log, |waiting| {
        if waiting.position >= from && found.len() < limit {
            found.push(waiting);
        }
        found.len() < limit
    })
    .await?;
    Ok(found)
}

/// Appends the selected letters' records to their topics again, each together with the mark that it was: exactly once, whatever is killed.
///
/// The header [`REPLAYED_FROM`] tells a reader that had taken the record (another format or other columns may have fitted it) to pass over it.
/// A change of a database gets a transaction of its own (`dlq:<uuid>`), because readers of such topics take whole transactions only; its
/// position is that of the last `END`, so that it moves nobody's frontier.
pub async fn replay(log: &dyn Log, selection: &Selection) -> Result<Replay> {
    let mut selected = Vec::new();
    visit_waiting(log, |waiting| {
        if selection.has(&waiting) {
            selected.push(waiting);
        }
        true
    })
    .await?;
    let topics: HashSet<String> = log.topics().await?.into_iter().map(|topic| topic.name).collect();
    let mut replay = Replay::default();
    for chunk in selected.chunks(CHUNK) {
        let mut records = Vec::new();
        for waiting in chunk {
            match again(log, &topics, &waiting.letter).await? {
                Ok(appends) => {
                    records.extend(appends);
                    let (topic, partition, offset) = waiting.letter.place();
                    let replayed_at = now_text();
                    let mark = json!({"topic": topic, "partition": partition, "offset": offset, "replayed_at": replayed_at});
                    records.push(line(&waiting.letter.place(), mark));
                    replay.replayed += 1;
                }
                Err(why) => replay.refused.push((waiting.position, why)),
            }
        }
        if !records.is_empty() {
            log.append(records).await?;
        }
    }
    Ok(replay)
}

/// The offset of the record that was put aside, if this one is its replay.
pub fn replayed_from(record: &Record) -> Option<u64> {
    std::str::from_utf8(record.header(REPLAYED_FROM)?).ok()?.rsplit('/').next()?.parse().ok()
}

fn name((topic, partition, offset): &Place) -> String {
    format!("{topic}/{partition}/{offset}")
}

fn now_text() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn line(place: &Place, value: serde_json::Value) -> Append {
    let record = Record::new(Some(Bytes::from(name(place))), Some(Bytes::from(value.to_string())), Utc::now().timestamp_millis());
    Append { topic: TOPIC.to_owned(), partition: Some(0), record }
}

/// Gives `visit` every letter that was not replayed, once, until it says `false`.
async fn visit_waiting(log: &dyn Log, mut visit: impl FnMut(Waiting) -> bool) -> Result<()> {
    let mut replayed = HashSet::new();
    visit_lines(log, |_, line| {
        if let Line::Mark { topic, partition, offset, .. } = line {
            replayed.insert((topic, partition, offset));
        }
        true
    })
    .await?;
    visit_lines(log, |position, line| match line {
        // A place that was seen is done with, like one that was replayed.
        Line::Letter(letter) if replayed.insert(letter.place()) => visit(Waiting { position, letter }),
        _ => true,
    })
    .await
}

async fn visit_lines(log: &dyn Log, mut visit: impl FnMut(u64, Line) -> bool) -> Result<()> {
    let end = match log.end_offset(TOPIC, 0).await {
        Ok(end) => end,
        // Nothing ever failed.
        Err(Error::NoSuchTopic { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut next = log.start_offset(TOPIC, 0).await?;
    while next < end {
        let entries = log.read(TOPIC, 0, next, CHUNK, Duration::ZERO).await?;
        let Some(last) = entries.last() else { break };
        next = last.offset + 1;
        for entry in &entries {
            let Some(value) = &entry.record.value else { continue };
            let line = serde_json::from_slice(value).map_err(|error| {
                Error::corrupt(CONNECTOR, format!("topic `{TOPIC}` holds no dead letter at offset {}: {error}", entry.offset))
            })?;
            if !visit(entry.offset, line) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The records that bring a letter's record back; or why it cannot be.
async fn again(log: &dyn Log, topics: &HashSet<String>, letter: &DeadLetter) -> Result<Result<Vec<Append>, String>> {
    let record = match letter.record() {
        Ok(record) => record,
        Err(why) => return Ok(Err(why)),
    };
    let back = |record| Append { topic: letter.topic.clone(), partition: Some(letter.partition), record };
    let database = letter.topic.split_once('.').and_then(|(service, table)| {
        let marks = postgres_cdc::transaction_topic(service);
        topics.contains(&marks).then_some((marks, table))
    });
    let Some((marks, table)) = database else { return Ok(Ok(vec![back(record)])) };

    let range = record.value.as_deref().and_then(transaction_id_range);
    let (Some(value), Some(range)) = (&record.value, range) else {
        let why = "it names no transaction, so no reader of the topic would ever take it; write the row anew in its database";
        return Ok(Err(why.to_owned()));
    };
    let id = format!("{TRANSACTION_PREFIX}{}", uuid::Uuid::new_v4());
    let lsn = postgres_cdc::last_end_lsn(log, &marks).await.map_err(|error| Error::corrupt(CONNECTOR, error))?.unwrap_or(0);
    let value = [&value[..range.start], id.as_bytes(), &value[range.end..]].concat();
    let now_ms = Utc::now().timestamp_millis();
    let mark = |value: serde_json::Value| Append {
        topic: marks.clone(),
        partition: Some(0),
        record: Record::new(Some(Bytes::from(json!({"id": id}).to_string())), Some(Bytes::from(value.to_string())), now_ms),
    };
    Ok(Ok(vec![
        mark(json!({"status": "BEGIN", "id": id, "event_count": null, "data_collections": null, "ts_ms": now_ms})),
        back(Record { value: Some(Bytes::from(value)), ..record }),
        mark(json!({
            "status": "END", "id": id, "event_count": 1, "data_collections": [{"data_collection": table, "event_count": 1}],
            "ts_ms": now_ms, "lsn": lsn,
        })),
    ]))
}
