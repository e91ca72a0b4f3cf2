//! Topics, their bounds, consumer positions and retention.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::{CONNECTOR, MAX_MESSAGE_BYTES, PATIENCE, blocking, consumer, error};
use crate::log::{Position, Topic, TopicConfig};
use crate::{Error, Result};

/// The name under which we ask and read; it never commits a position.
pub(super) const READER_GROUP: &str = "chimera-reader";
/// Clients kept for committing positions, one a group.
const MAX_GROUPS: usize = 64;
/// Between two tries to ask a partition that is getting its leader.
const ELECTION_PAUSE: Duration = Duration::from_millis(50);
/// Between two looks whether a transaction is marked as committed.
const MARKING_PAUSE: Duration = Duration::from_millis(2);

pub(super) struct Admin {
    config: ClientConfig,
    client: AdminClient<DefaultClientContext>,
    /// Asks for metadata and bounds, as a reader of committed records would.
    asker: Arc<BaseConsumer>,
    /// How many partitions the topics have that we came across. Topics are never removed here.
    partitions: Mutex<HashMap<String, u32>>,
    groups: Mutex<HashMap<String, Arc<BaseConsumer>>>,
}

impl Admin {
    pub(super) fn new(config: ClientConfig) -> Result<Self> {
        let asker: BaseConsumer = consumer(config.clone(), READER_GROUP).create().map_err(error)?;
        let client = config.create().map_err(error)?;
        Ok(Self { config, client, asker: Arc::new(asker), partitions: Mutex::default(), groups: Mutex::default() })
    }

    pub(super) async fn create_topic(&self, topic: &str, config: TopicConfig) -> Result<()> {
        if self.partitions(topic).await?.is_some() {
            return Ok(());
        }
        let retention = config.retention.map_or_else(|| "-1".to_owned(), |retention| retention.as_millis().to_string());
        let max_bytes = MAX_MESSAGE_BYTES.to_string();
        // -1: as many replicas as the cluster makes of any topic.
        let new = NewTopic::new(topic, config.partitions as i32, TopicReplication::Fixed(-1))
            .set("cleanup.policy", "delete")
            .set("retention.ms", &retention)
            .set("max.message.bytes", &max_bytes);
        let results = self.client.create_topics([&new], &options()).await.map_err(error)?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(Error::unavailable(CONNECTOR, format!("topic `{topic}` cannot be made: {code}"))),
            }
        }
        // Every broker has to hear of it.
        let started = Instant::now();
        while self.partitions(topic).await?.is_none() {
            if started.elapsed() > PATIENCE {
                return Err(Error::unavailable(CONNECTOR, format!("topic `{topic}` was made, but has no leader yet")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    pub(super) async fn topics(&self) -> Result<Vec<Topic>> {
        let asker = self.asker.clone();
        blocking(move || {
            let metadata = asker.fetch_metadata(None, PATIENCE).map_err(error)?;
            let ours = metadata.topics().iter().filter(|topic| !topic.name().starts_with("__"));
            let mut topics: Vec<Topic> =
                ours.map(|topic| Topic { name: topic.name().to_owned(), partitions: topic.partitions().len() as u32 }).collect();
            topics.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(topics)
        })
        .await
    }

    /// How many partitions the topic has; `None` if there is no such topic, or not yet with a leader for each.
    pub(super) async fn partitions(&self, topic: &str) -> Result<Option<u32>> {
        if let Some(partitions) = self.partitions.lock().get(topic) {
            return Ok(Some(*partitions));
        }
        super::rules::check_topic(topic)?;
        let (asker, name) = (self.asker.clone(), topic.to_owned());
        let found = blocking(move || {
            let metadata = asker.fetch_metadata(Some(&name), PATIENCE).map_err(error)?;
            let topic = metadata.topics().iter().find(|topic| topic.name() == name);
            let partitions = topic.filter(|topic| topic.error().is_none()).map_or(&[][..], |topic| topic.partitions());
            let ready = !partitions.is_empty() && partitions.iter().all(|partition| partition.error().is_none() && partition.leader() >= 0);
            Ok(ready.then_some(partitions.len() as u32))
        })
        .await?;
        if let Some(partitions) = found {
            self.partitions.lock().insert(topic.to_owned(), partitions);
        }
        Ok(found)
    }

    pub(super) async fn check_partition(&self, topic: &str, partition: u32) -> Result<()> {
        match self.partitions(topic).await? {
            Some(partitions) if partition < partitions => Ok(()),
            _ => Err(Error::NoSuchTopic { topic: topic.to_owned(), partition }),
        }
    }

    /// Returns when what was appended at these positions can be read. A transaction is answered as soon as it is sure; the marks that let
    /// readers go on are written into its partitions after that.
    pub(super) async fn until_readable(&self, positions: &[Position]) -> Result<()> {
        let mut last = BTreeMap::new();
        for position in positions {
            let offset: &mut u64 = last.entry((position.topic.clone(), position.partition)).or_default();
            *offset = position.offset.max(*offset);
        }
        let asker = self.asker.clone();
        blocking(move || {
            let since = Instant::now();
            while !last.is_empty() && since.elapsed() < PATIENCE {
                let mut partitions = TopicPartitionList::with_capacity(last.len());
                for (topic, partition) in last.keys() {
                    partitions.add_partition_offset(topic, *partition as i32, Offset::End).map_err(error)?;
                }
                for end in asker.offsets_for_times(partitions, PATIENCE).map_err(error)?.elements() {
                    let partition = (end.topic().to_owned(), end.partition() as u32);
                    if last.get(&partition).is_some_and(|last| matches!(end.offset(), Offset::Offset(end) if end > *last as i64)) {
                        last.remove(&partition);
                    }
                }
                if !last.is_empty() {
                    std::thread::sleep(MARKING_PAUSE);
                }
            }
            if last.is_empty() { Ok(()) } else { Err(Error::unavailable(CONNECTOR, "a transaction is not yet marked as committed")) }
        })
        .await
    }

    /// The oldest kept offset, and the one after the newest committed record (and its markers).
    pub(super) async fn bounds(&self, topic: &str, partition: u32) -> Result<(u64, u64)> {
        let (asker, topic) = (self.asker.clone(), topic.to_owned());
        blocking(move || {
            let since = Instant::now();
            loop {
                match asker.fetch_watermarks(&topic, partition as i32, PATIENCE) {
                    Ok((low, high)) => return Ok((low.max(0) as u64, high.max(0) as u64)),
                    // The metadata names a leader before the broker knows that it is the one.
                    Err(cause) if is_electing(&cause) && since.elapsed() < PATIENCE => std::thread::sleep(ELECTION_PAUSE),
                    Err(cause) => return Err(error(cause)),
                }
            }
        })
        .await
    }

    pub(super) async fn commit(&self, group: &str, topic: &str, partition: u32, offset: u64) -> Result<()> {
        let (client, list) = (self.group(group)?, one(topic, partition, Offset::Offset(offset as i64))?);
        blocking(move || client.commit(&list, CommitMode::Sync).map_err(error)).await
    }

    pub(super) async fn committed(&self, group: &str, topic: &str, partition: u32) -> Result<Option<u64>> {
        let (client, list) = (self.group(group)?, one(topic, partition, Offset::Invalid)?);
        blocking(move || {
            let answer = client.committed_offsets(list, PATIENCE).map_err(error)?;
            let elements = answer.elements();
            let Some(element) = elements.first() else { return Ok(None) };
            element.error().map_err(error)?;
            Ok(match element.offset() {
                Offset::Offset(offset) => u64::try_from(offset).ok(),
                _ => None,
            })
        })
        .await
    }

    fn group(&self, group: &str) -> Result<Arc<BaseConsumer>> {
        let mut groups = self.groups.lock();
        if let Some(client) = groups.get(group) {
            return Ok(client.clone());
        }
        if groups.len() == MAX_GROUPS {
            groups.clear();
        }
        let client: BaseConsumer = consumer(self.config.clone(), group).create().map_err(error)?;
        let client = Arc::new(client);
        groups.insert(group.to_owned(), client.clone());
        Ok(client)
    }

    /// Drops what is older than the `retention.ms` that the topics we use were given. The brokers do the same, a whole segment at a time.
    pub(super) async fn enforce_retention(&self) -> Result<u64> {
        let used: Vec<(String, u32)> = self.partitions.lock().iter().map(|(topic, partitions)| (topic.clone(), *partitions)).collect();
        let asked: Vec<ResourceSpecifier<'_>> = used.iter().map(|(topic, _)| ResourceSpecifier::Topic(topic)).collect();
        if asked.is_empty() {
            return Ok(0);
        }
        let answers = self.client.describe_configs(&asked, &options()).await.map_err(error)?;
        let mut dropped = 0;
        for ((topic, partitions), answer) in used.iter().zip(answers) {
            let config = answer.map_err(|code| error(KafkaError::AdminOp(code)))?;
            let retention = config.get("retention.ms").filter(|entry| entry.source == ConfigSource::DynamicTopic);
            let Some(retention_ms) = retention.and_then(|entry| entry.value.as_ref()?.parse::<i64>().ok()).filter(|ms| *ms >= 0) else {
                continue;
            };
            let oldest_ms = chrono::Utc::now().timestamp_millis().saturating_sub(retention_ms);
            for partition in 0..*partitions {
                dropped += self.drop_older(topic, partition, oldest_ms).await?;
            }
        }
        Ok(dropped)
    }

    /// Drops the records before the first one that is not older than `oldest_ms`. Counts offsets, so transaction markers as well.
    async fn drop_older(&self, topic: &str, partition: u32, oldest_ms: i64) -> Result<u64> {
        let (low, high) = self.bounds(topic, partition).await?;
        let (asker, list) = (self.asker.clone(), one(topic, partition, Offset::Offset(oldest_ms.max(0)))?);
        let first_kept = blocking(move || {
            let answer = asker.offsets_for_times(list, PATIENCE).map_err(error)?;
            let elements = answer.elements();
            let Some(element) = elements.first() else { return Ok(high) };
            element.error().map_err(error)?;
            Ok(match element.offset() {
                Offset::Offset(offset) => offset.max(0) as u64,
                // There is no newer record.
                _ => high,
            })
        })
        .await?;
        let before = first_kept.min(high);
        if before <= low {
            return Ok(0);
        }
        let deleted =
            self.client.delete_records(&one(topic, partition, Offset::Offset(before as i64))?, &options()).await.map_err(error)?;
        for element in deleted.elements() {
            element.error().map_err(error)?;
        }
        Ok(before - low)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

/// A list of this one partition.
pub(super) fn one(topic: &str, partition: u32, offset: Offset) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(1);
    list.add_partition_offset(topic, partition as i32, offset).map_err(error)?;
    Ok(list)
}

fn is_electing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition};
    matches!(error.rdkafka_error_code(), Some(LeaderNotAvailable | NotLeaderForPartition))
}
