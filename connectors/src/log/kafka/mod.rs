//! The log on Apache Kafka: one transactional producer, consumers that see only what was committed.

mod admin;
mod appender;
mod readers;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::{mpsc, oneshot};

use self::admin::Admin;
use self::appender::{Appender, Request};
use self::readers::Readers;
use super::rules::{self, MAX_RECORD_BYTES};
use super::{Append, Entry, Log, Position, TopicConfig};
use crate::{Error, Result};

const CONNECTOR: &str = "kafka";
/// How long one request to the brokers may take.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_WAITING_REQUESTS: usize = 4096;
/// Kafka counts its own headers of a batch as well.
const MAX_MESSAGE_BYTES: usize = MAX_RECORD_BYTES + (1 << 20);

/// Where the log is, and as whom we append.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// `host:port,…`
    pub bootstrap_servers: String,
    /// One at a time appends under this name: a second one that opens it shuts the first one out.
    pub transactional_id: String,
}

/// The log in a Kafka cluster.
pub struct KafkaLog {
    admin: Arc<Admin>,
    readers: Readers,
    /// `None` only while dropping.
    requests: Option<mpsc::Sender<Request>>,
    appender: Option<JoinHandle<()>>,
}

impl KafkaLog {
    /// Connects, and ends what an earlier process under the same `transactional_id` left unfinished.
    pub async fn open(options: KafkaOptions) -> Result<Arc<Self>> {
        let admin = Arc::new(Admin::new(client(&options))?);
        let (requests, receiver) = mpsc::channel(MAX_WAITING_REQUESTS);
        let mut config = client(&options);
        config.set("transactional.id", &options.transactional_id);
        let appender = blocking(move || Appender::new(config, receiver)).await?;
        let thread = std::thread::Builder::new().name("kafka-appender".to_owned()).spawn(move || appender.run());
        let appender = thread.map_err(|source| Error::Io { what: "cannot start Kafka's writer".to_owned(), source })?;
        let readers = Readers::new(client(&options), admin.clone());
        Ok(Arc::new(Self { admin, readers, requests: Some(requests), appender: Some(appender) }))
    }

    async fn partitions_or_new(&self, topic: &str) -> Result<u32> {
        match self.admin.partitions(topic).await? {
            Some(partitions) => Ok(partitions),
            None => {
                self.create_topic(topic, TopicConfig::default()).await?;
                let made = self.admin.partitions(topic).await?;
                made.ok_or_else(|| Error::NoSuchTopic { topic: topic.to_owned(), partition: 0 })
            }
        }
    }
}

impl Drop for KafkaLog {
    /// Waits for the transaction under way.
    fn drop(&mut self) {
        drop(self.requests.take());
        if self.appender.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("Kafka's writer panicked");
        }
    }
}

#[async_trait]
impl Log for KafkaLog {
    async fn create_topic(&self, topic: &str, config: TopicConfig) -> Result<()> {
        rules::check_topic(topic)?;
        rules::check_partitions(topic, config.partitions)?;
        self.admin.create_topic(topic, config).await
    }

    async fn topics(&self) -> Result<Vec<super::Topic>> {
        self.admin.topics().await
    }

    async fn append(&self, mut records: Vec<Append>) -> Result<Vec<Position>> {
        rules::check_records(&records)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let mut last: Option<(String, u32)> = None;
        for append in &mut records {
            let partitions = match &last {
                Some((topic, partitions)) if *topic == append.topic => *partitions,
                _ => self.partitions_or_new(&append.topic).await?,
            };
            append.partition = Some(rules::partition_of(append, partitions)?);
            if last.as_ref().is_none_or(|(topic, _)| *topic != append.topic) {
                last = Some((append.topic.clone(), partitions));
            }
        }
        let stopped = || Error::unavailable(CONNECTOR, "its writer has stopped");
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(stopped)?;
        requests.send(Request { records, reply }).await.map_err(|_| stopped())?;
        let positions = answer.await.map_err(|_| stopped())??;
        if let Err(error) = self.admin.until_readable(&positions).await {
            tracing::warn!(%error, "records are appended, but may not be readable yet");
        }
        Ok(positions)
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, max_records: usize, wait: Duration) -> Result<Vec<Entry>> {
        self.admin.check_partition(topic, partition).await?;
        if max_records == 0 {
            return Ok(Vec::new());
        }
        self.readers.read(topic, partition, from, max_records, wait).await
    }

    async fn end_offset(&self, topic: &str, partition: u32) -> Result<u64> {
        self.admin.check_partition(topic, partition).await?;
        Ok(self.admin.bounds(topic, partition).await?.1)
    }

    async fn start_offset(&self, topic: &str, partition: u32) -> Result<u64> {
        self.admin.check_partition(topic, partition).await?;
        Ok(self.admin.bounds(topic, partition).await?.0)
    }

    async fn commit(&self, group: &str, topic: &str, partition: u32, offset: u64) -> Result<()> {
        self.admin.check_partition(topic, partition).await?;
        self.admin.commit(group, topic, partition, offset).await
    }

    async fn committed(&self, group: &str, topic: &str, partition: u32) -> Result<Option<u64>> {
        self.admin.check_partition(topic, partition).await?;
        self.admin.committed(group, topic, partition).await
    }

    async fn enforce_retention(&self) -> Result<u64> {
        self.admin.enforce_retention().await
    }
}

fn client(options: &KafkaOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &options.bootstrap_servers).set("client.id", "chimera");
    config
}

/// What a consumer of ours is like: it joins no group, sees only what was committed, and never more than a few MiB ahead.
fn consumer(mut config: ClientConfig, group: &str) -> ClientConfig {
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.message.max.bytes", MAX_MESSAGE_BYTES.to_string())
        .set("fetch.max.bytes", (2 * MAX_MESSAGE_BYTES).to_string())
        .set("receive.message.max.bytes", (3 * MAX_MESSAGE_BYTES).to_string())
        .set("queued.max.messages.kbytes", "16384");
    config
}

/// Runs calls that wait for a broker where they hold up no other task.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::unavailable(CONNECTOR, error))?
}

/// What a refusal means to the caller: a setting that cannot work, a topic that is not there, or something that may pass.
fn error(error: KafkaError) -> Error {
    match (&error, error.rdkafka_error_code()) {
        (KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_), _) => Error::config(CONNECTOR, error.to_string()),
        (_, Some(RDKafkaErrorCode::MessageSizeTooLarge)) => {
            Error::config(CONNECTOR, "a record is larger than the topic's `max.message.bytes` allows: raise it on the broker")
        }
        _ => Error::unavailable(CONNECTOR, error),
    }
}
