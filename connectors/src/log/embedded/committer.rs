//! The one thread that writes. It takes all requests that wait, writes them in one atomic batch, and answers them after one `fsync`:
//! the more appenders there are, the more of them share it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use fjall::OwnedWriteBatch;
use tokio::sync::{mpsc, oneshot};

use super::super::rules::CONNECTOR;
use super::chunk::Chunk;
use super::store::{Place, TopicMeta};
use super::{Partition, Shared, Topic};
use crate::log::TopicConfig;
use crate::{Error, Result};

/// Enough for the disk to be busy; more would only make the first appender wait longer.
const MAX_ROUND_BYTES: usize = 8 << 20;
const MAX_ROUND_REQUESTS: usize = 4096;

pub(super) type Reply<T> = oneshot::Sender<Result<T>>;

pub(super) enum Request {
    /// Answered with the offset of the first record of each run.
    Append {
        runs: Vec<Run>,
        reply: Reply<Vec<u64>>,
    },
    CreateTopic {
        name: String,
        config: TopicConfig,
        reply: Reply<()>,
    },
    Commit {
        group: String,
        partition: Arc<Partition>,
        offset: u64,
        reply: Reply<()>,
    },
    /// Drops what is before `start`; `bases` are the chunks that hold nothing else. Answered with the number of records dropped.
    Trim {
        partition: Arc<Partition>,
        start: u64,
        bases: Vec<u64>,
        reply: Reply<u64>,
    },
}

/// Records of one append that go into one partition, in order.
pub(super) struct Run {
    pub(super) partition: Arc<Partition>,
    pub(super) chunks: Vec<Chunk>,
}

pub(super) struct Committer {
    shared: Arc<Shared>,
    requests: mpsc::Receiver<Request>,
    /// What went wrong when the disk last refused a write. What it holds is unknown since then, so nothing is acknowledged any more.
    poison: OnceLock<String>,
}

/// What one batch will have done once it is on the disk.
struct Round {
    batch: OwnedWriteBatch,
    bytes: usize,
    requests: usize,
    records: u64,
    open: HashMap<Place, OpenPartition>,
    created: HashMap<String, Arc<Topic>>,
    starts: HashMap<Place, (Arc<Partition>, u64)>,
    replies: Vec<Answer>,
}

/// Tells one caller whether the batch was written.
type Answer = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// A partition with records in this round.
struct OpenPartition {
    partition: Arc<Partition>,
    base: u64,
    chunk: Chunk,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, requests: mpsc::Receiver<Request>) -> Self {
        Self { shared, requests, poison: OnceLock::new() }
    }

    /// Runs until the log is dropped.
    pub(super) fn run(mut self) {
        while let Some(first) = self.requests.blocking_recv() {
            let mut round = Round {
                batch: self.shared.store.batch(),
                bytes: 0,
                requests: 0,
                records: 0,
                open: HashMap::new(),
                created: HashMap::new(),
                starts: HashMap::new(),
                replies: Vec::new(),
            };
            self.add(&mut round, first);
            while round.bytes < MAX_ROUND_BYTES && round.requests < MAX_ROUND_REQUESTS {
                match self.requests.try_recv() {
                    Ok(request) => self.add(&mut round, request),
                    Err(_) => break,
                }
            }
            self.commit(round);
        }
    }

    fn add(&self, round: &mut Round, request: Request) {
        round.requests += 1;
        match request {
            Request::Append { runs, reply } => {
                let bases = runs.into_iter().map(|run| self.append(round, run)).collect();
                round.answer(reply, bases);
            }
            Request::CreateTopic { name, config, reply } => {
                self.create_topic(round, name, config);
                round.answer(reply, ());
            }
            Request::Commit { group, partition, offset, reply } => {
                self.shared.store.put_position(&mut round.batch, &group, partition.place, offset);
                round.answer(reply, ());
            }
            Request::Trim { partition, start, bases, reply } => {
                let place = partition.place;
                let old = round.starts.get(&place).map_or_else(|| partition.start.load(Ordering::Acquire), |(_, start)| *start);
                let start = start.max(old);
                for base in bases {
                    self.shared.store.remove_chunk(&mut round.batch, place, base);
                }
                self.shared.store.put_start(&mut round.batch, place, start);
                round.starts.insert(place, (partition, start));
                round.answer(reply, start - old);
            }
        }
    }

    /// Gives the run its offsets; returns the first.
    fn append(&self, round: &mut Round, run: Run) -> u64 {
        let place = run.partition.place;
        let open = round.open.entry(place).or_insert_with(|| {
            let base = *run.partition.end.borrow();
            OpenPartition { base, partition: run.partition, chunk: Chunk::new() }
        });
        let first = open.base + u64::from(open.chunk.count);
        for chunk in run.chunks {
            round.records += u64::from(chunk.count);
            round.bytes += chunk.len();
            if open.chunk.has_room_for(chunk.len()) {
                open.chunk.append(&chunk);
            } else {
                let next = open.base + u64::from(open.chunk.count);
                let full = std::mem::replace(&mut open.chunk, chunk);
                self.shared.store.put_chunk(&mut round.batch, place, open.base, full.into_bytes());
                open.base = next;
            }
        }
        first
    }

    fn create_topic(&self, round: &mut Round, name: String, config: TopicConfig) {
        if self.shared.topics.read().contains_key(&name) || round.created.contains_key(&name) {
            return;
        }
        let known = self.shared.topics.read().values().map(|topic| topic.meta.id + 1).max().unwrap_or(0);
        let meta = TopicMeta { id: known + round.created.len() as u32, partitions: config.partitions, retention: config.retention };
        self.shared.store.put_topic(&mut round.batch, &name, meta);
        round.created.insert(name, Arc::new(Topic::new(meta, |_| (0, 0))));
    }

    /// Writes the batch, then tells everyone.
    fn commit(&mut self, round: Round) {
        let Round { mut batch, open, created, starts, replies, records, .. } = round;
        let mut ends = Vec::with_capacity(open.len());
        for (place, open) in open {
            let end = open.base + u64::from(open.chunk.count);
            if open.chunk.count > 0 {
                self.shared.store.put_chunk(&mut batch, place, open.base, open.chunk.into_bytes());
            }
            ends.push((open.partition, end));
        }
        let started = Instant::now();
        let written = match self.poison.get() {
            Some(why) => Err(why.clone()),
            None => batch.commit().map_err(|error| error.to_string()),
        };
        metrics::histogram!("chimera_log_commit_seconds").record(started.elapsed().as_secs_f64());
        match written {
            Ok(()) => {
                metrics::counter!("chimera_log_appended_records_total").increment(records);
                self.shared.topics.write().extend(created);
                let publishing = self.shared.publishing.write();
                for (partition, start) in starts.into_values() {
                    partition.start.store(start, Ordering::Release);
                }
                for (partition, end) in ends {
                    partition.end.send_replace(end);
                }
                drop(publishing);
                replies.into_iter().for_each(|reply| reply(Ok(())));
            }
            Err(why) => {
                if self.poison.set(why.clone()).is_ok() {
                    tracing::error!(error = %why, "the log's disk refused a write: nothing more is appended until a restart");
                }
                replies.into_iter().for_each(|reply| reply(Err(&why)));
            }
        }
    }
}

impl Round {
    /// Will answer with `value` once the batch is on the disk.
    fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, value: T) {
        self.replies.push(Box::new(move |written| {
            // Nobody waits any more if the caller was dropped.
            let _ = reply.send(match written {
                Ok(()) => Ok(value),
                Err(why) => Err(Error::corrupt(
                    CONNECTOR,
                    format!("the disk refused a write, so nothing is appended until the process is started again: {why}"),
                )),
            });
        }));
    }
}
