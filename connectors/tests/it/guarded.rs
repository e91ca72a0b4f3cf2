//! A log that refuses some appends.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chimera_connectors::log::{Append, Entry, Log, Position, Topic, TopicConfig};
use chimera_connectors::{Error, Result};

type Takes = Box<dyn Fn(&[Append]) -> bool + Send + Sync>;

/// `log`, which takes only what `takes` lets through; the rest is refused as if it were away.
pub struct Guarded {
    log: Arc<dyn Log>,
    takes: Takes,
}

impl Guarded {
    pub fn new(log: Arc<dyn Log>, takes: impl Fn(&[Append]) -> bool + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { log, takes: Box::new(takes) })
    }
}

#[async_trait]
impl Log for Guarded {
    async fn append(&self, records: Vec<Append>) -> Result<Vec<Position>> {
        if !(self.takes)(&records) {
            return Err(Error::unavailable("log", "away for a moment"));
        }
        self.log.append(records).await
    }

    async fn create_topic(&self, topic: &str, config: TopicConfig) -> Result<()> {
        self.log.create_topic(topic, config).await
    }

    async fn topics(&self) -> Result<Vec<Topic>> {
        self.log.topics().await
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, max_records: usize, wait: Duration) -> Result<Vec<Entry>> {
        self.log.read(topic, partition, from, max_records, wait).await
    }

    async fn end_offset(&self, topic: &str, partition: u32) -> Result<u64> {
        self.log.end_offset(topic, partition).await
    }

    async fn start_offset(&self, topic: &str, partition: u32) -> Result<u64> {
        self.log.start_offset(topic, partition).await
    }

    async fn commit(&self, group: &str, topic: &str, partition: u32, offset: u64) -> Result<()> {
        self.log.commit(group, topic, partition, offset).await
    }

    async fn committed(&self, group: &str, topic: &str, partition: u32) -> Result<Option<u64>> {
        self.log.committed(group, topic, partition).await
    }

    async fn enforce_retention(&self) -> Result<u64> {
        self.log.enforce_retention().await
    }
}
