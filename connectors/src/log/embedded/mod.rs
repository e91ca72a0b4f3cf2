//! The log on one machine: partitions of chunks in an embedded store ([`fjall`]), one writer thread with group commit.

mod chunk;
mod committer;
mod store;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot, watch};

use self::chunk::Chunk;
use self::committer::{Committer, Reply, Request, Run};
use self::store::{Place, Store, TopicMeta};
use super::rules::{self, CONNECTOR, MAX_READ_BYTES};
use super::{Append, Entry, Log, Position, TopicConfig};
use crate::{Error, Result};

/// Requests that may wait for the writer; more appenders wait to hand theirs in.
const MAX_WAITING_REQUESTS: usize = 4096;
/// Chunks dropped in one go by retention, so that appends come in between.
const MAX_TRIM_CHUNKS: usize = 1024;

/// From so many dropped chunks on, about 64 MiB, it is worth rewriting files to get their room back.
const MIN_RECLAIM_CHUNKS: usize = 1024;

/// The log in a folder of this machine. One process at a time has it open.
pub struct EmbeddedLog {
    shared: Arc<Shared>,
    /// `None` only while dropping.
    requests: Option<mpsc::Sender<Request>>,
    committer: Option<JoinHandle<()>>,
}

/// What readers and the writer both use.
struct Shared {
    store: Store,
    topics: RwLock<HashMap<String, Arc<Topic>>>,
    /// Held while the ends of an append are moved, so that nobody sees it in one partition and then not in another.
    publishing: RwLock<()>,
}

struct Topic {
    meta: TopicMeta,
    partitions: Vec<Arc<Partition>>,
}

struct Partition {
    place: Place,
    /// The oldest kept offset.
    start: AtomicU64,
    /// The offset after the newest record on the disk; waiting readers watch it.
    end: watch::Sender<u64>,
}

impl Topic {
    fn new(meta: TopicMeta, bounds: impl Fn(Place) -> (u64, u64)) -> Self {
        let partition = |partition| {
            let place = Place { topic: meta.id, partition };
            let (start, end) = bounds(place);
            Arc::new(Partition { place, start: AtomicU64::new(start), end: watch::Sender::new(end) })
        };
        Self { meta, partitions: (0..meta.partitions).map(partition).collect() }
    }
}

impl EmbeddedLog {
    /// Opens the log in `dir`, which is made if missing. Blocks for as long as it takes to read what was written last.
    pub fn open(dir: impl AsRef<Path>) -> Result<Arc<Self>> {
        let store = Store::open(dir.as_ref())?;
        let mut topics = HashMap::new();
        for (name, meta) in store.topics()? {
            let places = (0..meta.partitions).map(|partition| Place { topic: meta.id, partition });
            let bounds = places.map(|place| Ok((place, store.bounds(place)?))).collect::<Result<HashMap<_, _>>>()?;
            topics.insert(name, Arc::new(Topic::new(meta, |place| bounds[&place])));
        }
        let shared = Arc::new(Shared { store, topics: RwLock::new(topics), publishing: RwLock::new(()) });
        let (requests, receiver) = mpsc::channel(MAX_WAITING_REQUESTS);
        let committer = Committer::new(shared.clone(), receiver);
        let thread = std::thread::Builder::new().name("log-committer".to_owned()).spawn(move || committer.run());
        let committer = Some(thread.map_err(|source| Error::Io { what: "cannot start the log's writer".to_owned(), source })?);
        Ok(Arc::new(Self { shared, requests: Some(requests), committer }))
    }

    fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.shared.topics.read().get(name).cloned()
    }

    fn partition(&self, topic: &str, partition: u32) -> Result<Arc<Partition>> {
        let found = self.topic(topic).and_then(|topic| topic.partitions.get(partition as usize).cloned());
        found.ok_or_else(|| Error::NoSuchTopic { topic: topic.to_owned(), partition })
    }

    /// Hands a request to the writer and waits until it is on the disk.
    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T> {
        let stopped = || Error::unavailable(CONNECTOR, "its writer has stopped");
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(stopped)?;
        requests.send(request(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Sorts records into runs, one a partition; says of each record in which run it is, and at which place.
    async fn runs(&self, records: &[Append]) -> Result<(Vec<Run>, Vec<(usize, u64)>)> {
        let mut runs: Vec<Run> = Vec::new();
        let mut counts: Vec<u64> = Vec::new();
        let mut by_place: HashMap<Place, usize> = HashMap::new();
        let mut places = Vec::with_capacity(records.len());
        let mut last: Option<(&str, Arc<Topic>)> = None;
        for append in records {
            let topic = match &last {
                Some((name, topic)) if *name == append.topic => topic.clone(),
                _ => self.topic_or_new(&append.topic).await?,
            };
            let partition = &topic.partitions[rules::partition_of(append, topic.meta.partitions)? as usize];
            let run = *by_place.entry(partition.place).or_insert_with(|| {
                runs.push(Run { partition: partition.clone(), chunks: vec![Chunk::new()] });
                counts.push(0);
                runs.len() - 1
            });
            let chunks = &mut runs[run].chunks;
            if !chunks.last().is_some_and(|chunk| chunk.has_room_for(Chunk::bytes_of(&append.record))) {
                chunks.push(Chunk::new());
            }
            chunks.last_mut().expect("one was just made if there was none").push(&append.record);
            places.push((run, counts[run]));
            counts[run] += 1;
            last = Some((&append.topic, topic));
        }
        Ok((runs, places))
    }

    async fn topic_or_new(&self, name: &str) -> Result<Arc<Topic>> {
        if let Some(topic) = self.topic(name) {
            return Ok(topic);
        }
        self.create_topic(name, TopicConfig::default()).await?;
        self.topic(name).ok_or_else(|| Error::NoSuchTopic { topic: name.to_owned(), partition: 0 })
    }
}

impl Drop for EmbeddedLog {
    /// Waits for what is being written, so that the folder can be opened again at once.
    fn drop(&mut self) {
        drop(self.requests.take());
        if self.committer.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the log's writer panicked");
        }
    }
}

#[async_trait]
impl Log for EmbeddedLog {
    async fn create_topic(&self, topic: &str, config: TopicConfig) -> Result<()> {
        rules::check_topic(topic)?;
        rules::check_partitions(topic, config.partitions)?;
        if self.topic(topic).is_some() {
            return Ok(());
        }
        self.ask(|reply| Request::CreateTopic { name: topic.to_owned(), config, reply }).await
    }

    async fn topics(&self) -> Result<Vec<super::Topic>> {
        let topics = self.shared.topics.read();
        let mut topics: Vec<_> =
            topics.iter().map(|(name, topic)| super::Topic { name: name.clone(), partitions: topic.meta.partitions }).collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    async fn append(&self, records: Vec<Append>) -> Result<Vec<Position>> {
        rules::check_records(&records)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (runs, places) = self.runs(&records).await?;
        let partitions: Vec<u32> = runs.iter().map(|run| run.partition.place.partition).collect();
        let firsts = self.ask(|reply| Request::Append { runs, reply }).await?;
        let position = |(append, (run, place)): (Append, (usize, u64))| Position {
            topic: append.topic,
            partition: partitions[run],
            offset: firsts[run] + place,
        };
        Ok(records.into_iter().zip(places).map(position).collect())
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, max_records: usize, wait: Duration) -> Result<Vec<Entry>> {
        let partition = self.partition(topic, partition)?;
        if max_records == 0 {
            return Ok(Vec::new());
        }
        let mut end = partition.end.subscribe();
        if *end.borrow() <= from && tokio::time::timeout(wait, end.wait_for(|end| *end > from)).await.is_err() {
            return Ok(Vec::new());
        }
        let shared = self.shared.clone();
        blocking(move || shared.read(&partition, from, max_records)).await
    }

    async fn end_offset(&self, topic: &str, partition: u32) -> Result<u64> {
        let partition = self.partition(topic, partition)?;
        Ok(self.shared.end(&partition))
    }

    async fn start_offset(&self, topic: &str, partition: u32) -> Result<u64> {
        Ok(self.partition(topic, partition)?.start.load(Ordering::Acquire))
    }

    async fn commit(&self, group: &str, topic: &str, partition: u32, offset: u64) -> Result<()> {
        let partition = self.partition(topic, partition)?;
        self.ask(|reply| Request::Commit { group: group.to_owned(), partition, offset, reply }).await
    }

    async fn committed(&self, group: &str, topic: &str, partition: u32) -> Result<Option<u64>> {
        let partition = self.partition(topic, partition)?;
        self.shared.store.position(group, partition.place)
    }

    async fn enforce_retention(&self) -> Result<u64> {
        let kept: Vec<(Arc<Topic>, Duration)> =
            self.shared.topics.read().values().filter_map(|topic| Some((topic.clone(), topic.meta.retention?))).collect();
        let now_ms = chrono::Utc::now().timestamp_millis();
        let (mut dropped, mut chunks) = (0, 0);
        for (topic, retention) in kept {
            let oldest_ms = now_ms.saturating_sub(i64::try_from(retention.as_millis()).unwrap_or(i64::MAX));
            for partition in &topic.partitions {
                loop {
                    let (shared, looked_at) = (self.shared.clone(), partition.clone());
                    let (start, bases) = blocking(move || shared.expired(&looked_at, oldest_ms)).await?;
                    if start == partition.start.load(Ordering::Acquire) {
                        break;
                    }
                    chunks += bases.len();
                    dropped += self.ask(|reply| Request::Trim { partition: partition.clone(), start, bases, reply }).await?;
                }
            }
        }
        if chunks >= MIN_RECLAIM_CHUNKS {
            let shared = self.shared.clone();
            blocking(move || shared.store.reclaim()).await?;
        }
        Ok(dropped)
    }
}

impl Shared {
    fn end(&self, partition: &Partition) -> u64 {
        let _published = self.publishing.read();
        *partition.end.borrow()
    }

    fn read(&self, partition: &Partition, from: u64, max_records: usize) -> Result<Vec<Entry>> {
        // Only what is on the disk: a chunk is seen here a moment before its append is acknowledged.
        let end = self.end(partition);
        let from = from.max(partition.start.load(Ordering::Acquire));
        let expected = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX).min(max_records).min(4096);
        let mut entries = Vec::with_capacity(expected);
        let mut bytes = 0;
        for chunk in self.store.chunks(partition.place, from, end)? {
            let (_, records) = chunk?;
            for entry in records {
                let entry = entry?;
                if entry.offset < from {
                    continue;
                }
                bytes += Chunk::bytes_of(&entry.record);
                if entry.offset >= end || entries.len() == max_records || (bytes > MAX_READ_BYTES && !entries.is_empty()) {
                    return Ok(entries);
                }
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// The first offset whose record is not older than `oldest_ms`, and the chunks that lie wholly before it.
    fn expired(&self, partition: &Partition, oldest_ms: i64) -> Result<(u64, Vec<u64>)> {
        let (mut start, end) = (partition.start.load(Ordering::Acquire), *partition.end.borrow());
        let mut bases = Vec::new();
        for chunk in self.store.chunks(partition.place, start, end)? {
            let (base, records) = chunk?;
            if bases.len() == MAX_TRIM_CHUNKS {
                break;
            }
            if records.newest_ms >= oldest_ms {
                for entry in records {
                    let entry = entry?;
                    if entry.record.timestamp_ms >= oldest_ms {
                        return Ok((start.max(entry.offset), bases));
                    }
                }
                break;
            }
            start = start.max(records.end());
            bases.push(base);
        }
        Ok((start, bases))
    }
}

/// Runs what may wait for the disk where it holds up no other task.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::unavailable(CONNECTOR, error))?
}
