//! How far a topic is, in a topic beside it: what is written there in the same append holds for what is written in the other.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CONNECTOR;
use crate::log::{Append, Log, Record, TopicConfig};
use crate::sink::Applied;
use crate::{Error, Result};

/// A record of the marks' topic; the last one holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The journal and the last epoch in the topic; `None`: it is new, or was emptied.
    pub(super) applied: Option<(Uuid, u64)>,
    /// Rows of the table that the topic's changes come to.
    pub(super) rows: i64,
    /// The format of its records; `None`: the table's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    /// A write too large for one append has begun at these offsets, by partition, and is not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unfinished_from: Option<Vec<u64>>,
}

impl Mark {
    pub(super) fn applied(&self) -> Option<Applied> {
        self.applied.map(|(incarnation, epoch)| Applied { incarnation, epoch })
    }
}

/// The marks of one sink.
pub(super) struct Marks {
    log: Arc<dyn Log>,
    topic: String,
}

impl Marks {
    pub(super) fn new(log: Arc<dyn Log>, pipeline: &str, table: &str) -> Self {
        Self { log, topic: format!("__chimera.sink.{pipeline}.{table}") }
    }

    pub(super) async fn create(&self) -> Result<()> {
        self.log.create_topic(&self.topic, TopicConfig::default()).await
    }

    pub(super) async fn last(&self) -> Result<Mark> {
        let end = self.log.end_offset(&self.topic, 0).await?;
        // Offsets may have gaps, so step further back until a record is met.
        let mut back = 4;
        loop {
            let from = end.saturating_sub(back);
            let read = self.log.read(&self.topic, 0, from, back as usize, Duration::ZERO).await?;
            match read.last() {
                Some(entry) => {
                    let value = entry.record.value.as_deref().unwrap_or_default();
                    let corrupt = |error| Error::corrupt(CONNECTOR, format!("offset {} of topic `{}`: {error}", entry.offset, self.topic));
                    return serde_json::from_slice(value).map_err(corrupt);
                }
                None if from == 0 => return Ok(Mark::default()),
                None => back *= 4,
            }
        }
    }

    pub(super) fn append(&self, mark: &Mark) -> Append {
        let value = serde_json::to_vec(mark).unwrap_or_default();
        Append { topic: self.topic.clone(), partition: Some(0), record: Record::new(None, Some(value.into()), 0) }
    }
}
