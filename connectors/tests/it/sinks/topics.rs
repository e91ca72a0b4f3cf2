//! Writes of a topic that are too large for one append, and break off in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chimera_connectors::log::{Append, EmbeddedLog, Entry, Log, Position, Topic, TopicConfig};
use chimera_connectors::sink::{self, Sink};
use chimera_connectors::{Context, Error, Result};

use super::model::History;
use super::stores::{Kind, Store};

/// A log that takes so many appends more.
struct Failing {
    log: Arc<EmbeddedLog>,
    left: AtomicU32,
}

#[async_trait]
impl Log for Failing {
    async fn append(&self, records: Vec<Append>) -> Result<Vec<Position>> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            return Err(Error::unavailable("log", std::io::Error::other("no append more")));
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

async fn is_taken_back(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::in_folder(kind, folder.path());
    let mut history = History::new(3, 40_000);
    let mut sink = store.open().await;
    sink.apply(&[history.step(10_000)]).await.unwrap();
    let (before, at) = (history.table.clone(), history.number);
    let large = history.step(80_000);
    store.close(sink);

    // The first append of the large write, and then the first of taking it back, and so on.
    for appends in [1, 1, 2] {
        let log = EmbeddedLog::open(folder.path().join("log")).unwrap();
        let failing = Arc::new(Failing { log, left: AtomicU32::new(appends) });
        let context = Context::new(folder.path(), failing, "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/").unwrap();
        let mut sink: Box<dyn Sink> = sink::open(kind.connector(), kind.spec(), context).await.unwrap();
        let error = sink.apply(std::slice::from_ref(&large)).await.expect_err("the log takes no more");
        assert!(error.is_retryable(), "{error}");
    }

    let mut sink = store.open().await;
    assert_eq!(sink.applied().await.unwrap().unwrap().epoch, at);
    assert!(store.content().await == store.expected(&before), "{kind:?}: a part of a write is left");
    sink.apply(std::slice::from_ref(&large)).await.unwrap();
    assert!(store.content().await == store.expected(&history.table), "{kind:?}");
    assert_eq!(sink.len().await.unwrap(), history.table.len() as u64);
    store.close(sink);
}

#[tokio::test]
async fn a_write_that_breaks_off_is_taken_back() {
    is_taken_back(Kind::TopicOfChanges).await;
    is_taken_back(Kind::TopicOfRows).await;
}
