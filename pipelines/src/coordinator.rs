//! Forms epochs: takes whole transactions and events from the log, journals them, decodes them, shows them to the pipelines.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use chimera_connectors::dlq::{self, DeadLetter};
use chimera_connectors::log::{Entry, Log};
use chimera_connectors::{EpochInfo, Frontier};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::epochs::{Epoch, Epochs};
use crate::inputs::{Decoded, Inputs};
use crate::journal::{self, Journal, Tail};
use crate::reader::{self, Transaction};
use crate::status::Board;

/// Events that an epoch takes at most, unless a single transaction has more.
const EPOCH_EVENTS: u64 = 8_192;
/// Epochs are at least this far apart while there is no backlog: each costs a durable write and a step of every pipeline.
const EPOCH_INTERVAL: Duration = Duration::from_millis(40);
/// On a busy machine they are further apart, up to this much: larger epochs cost less a change.
const EPOCH_INTERVAL_MOST: Duration = Duration::from_millis(150);
/// So many times what the pipelines took for the last epoch.
const EPOCH_SPARE: u32 = 2;
/// How often an epoch is formed though nothing comes in, if results depend on the time.
const TICK: Duration = Duration::from_secs(1);
/// With this many events waiting an epoch does not wait.
const BACKLOG_EVENTS: u64 = 2_048;

/// What a source brings.
enum Item {
    Transaction(Transaction),
    Event(Entry),
}

/// A source and what has been fetched of it.
struct Source {
    name: String,
    /// The topic whose records are marks (of a service) or the events themselves.
    topic: String,
    transactional: bool,
    feed: mpsc::Receiver<Vec<Item>>,
    waiting: VecDeque<Item>,
}

impl Source {
    fn events(&self) -> u64 {
        self.waiting.iter().map(|item| if let Item::Transaction(t) = item { t.events } else { 1 }).sum()
    }

    fn drain(&mut self) {
        while self.waiting.len() < EPOCH_EVENTS as usize {
            let Ok(items) = self.feed.try_recv() else { return };
            self.waiting.extend(items);
        }
    }
}

/// Forms epochs until it is told to stop.
pub struct Coordinator {
    pub log: Arc<dyn Log>,
    pub journal: Journal,
    pub tail: Tail,
    pub inputs: Arc<Inputs>,
    pub epochs: Arc<Epochs>,
    /// How many pipelines there are whose results depend on the time.
    pub clocked: Arc<AtomicUsize>,
    pub board: Arc<Board>,
    pub shutdown: CancellationToken,
}

impl Coordinator {
    fn uses_clock(&self) -> bool {
        self.clocked.load(Ordering::Relaxed) > 0
    }

    /// Runs until shutdown. An error of the log is waited out: what was journalled stands, the rest is formed anew.
    pub async fn run(mut self) {
        while let Err(error) = self.form_epochs().await {
            tracing::error!(%error, "cannot form epochs; trying again");
            loop {
                if tokio::time::timeout(Duration::from_secs(1), self.shutdown.cancelled()).await.is_ok() {
                    return;
                }
                match Journal::open(self.log.clone()).await {
                    Ok((_, tail)) => {
                        self.epochs.journalled(tail.epoch);
                        self.tail = tail;
                        break;
                    }
                    Err(error) => tracing::error!(%error, "cannot read the epoch journal; trying again"),
                }
            }
        }
    }

    async fn form_epochs(&mut self) -> Result<(), Error> {
        let (wake, mut woken) = mpsc::channel::<()>(1);
        let mut sources = self.sources(wake);
        let mut began = Instant::now() - EPOCH_INTERVAL;
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(()),
                _ = woken.recv() => {}
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
            }
            loop {
                self.epochs.wait_for_pipelines().await;
                if self.shutdown.is_cancelled() {
                    return Ok(());
                }
                for source in &mut sources {
                    source.drain();
                }
                if sources.iter().all(|source| source.waiting.is_empty()) && !(self.uses_clock() && began.elapsed() >= TICK) {
                    break;
                }
                if sources.iter().map(Source::events).sum::<u64>() < BACKLOG_EVENTS {
                    let interval = (self.epochs.took() * EPOCH_SPARE).clamp(EPOCH_INTERVAL, EPOCH_INTERVAL_MOST);
                    tokio::time::sleep(interval.saturating_sub(began.elapsed())).await;
                    for source in &mut sources {
                        source.drain();
                    }
                }
                began = Instant::now();
                self.form(&mut sources).await?;
            }
        }
    }

    /// Starts a fetcher for each source.
    fn sources(&self, wake: mpsc::Sender<()>) -> Vec<Source> {
        let mut names: Vec<String> = self.inputs.topics().iter().map(|topic| self.inputs.source(topic).to_owned()).collect();
        names.dedup();
        names
            .into_iter()
            .map(|name| {
                let transactional = self.inputs.database(&format!("{name}.")).is_some();
                let topic = if transactional { reader::transaction_topic(&name) } else { name.clone() };
                let from = self.tail.positions.get(&topic).copied().unwrap_or(0);
                let (sender, feed) = mpsc::channel(4);
                let fetcher = Fetcher {
                    log: self.log.clone(),
                    service: transactional.then(|| name.clone()),
                    topic: topic.clone(),
                    sender,
                    wake: wake.clone(),
                };
                tokio::spawn(self.shutdown.clone().run_until_cancelled_owned(fetcher.run(from)));
                Source { name, topic, transactional, feed, waiting: VecDeque::new() }
            })
            .collect()
    }

    /// Forms one epoch of what waits; one that brings nothing but the time, if results depend on it.
    async fn form(&mut self, sources: &mut [Source]) -> Result<(), Error> {
        let mut ranges: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut records: HashMap<String, Vec<Entry>> = HashMap::new();
        let mut frontier = self.tail.frontier.clone();
        let mut committed_ms = 0;
        let mut commits_ms = Vec::new();
        let topics: HashSet<String> = self.inputs.topics().into_iter().collect();
        let share = EPOCH_EVENTS / sources.len().max(1) as u64;
        for source in sources.iter_mut() {
            let budget = if source.events() > share { share.max(EPOCH_EVENTS / 2) } else { share };
            let mut taken = 0;
            let mut ids = HashSet::new();
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            let mut next_offset = None;
            while let Some(item) = source.waiting.front() {
                let events = if let Item::Transaction(t) = item { t.events } else { 1 };
                if taken > 0 && taken + events > budget {
                    break;
                }
                taken += events;
                match source.waiting.pop_front() {
                    Some(Item::Transaction(transaction)) => {
                        frontier.advance(&source.name, transaction.lsn);
                        if transaction.events > 0 {
                            committed_ms = committed_ms.max(transaction.committed_ms);
                            commits_ms.push(transaction.committed_ms);
                        }
                        for (topic, count) in transaction.counts {
                            if topics.contains(&topic) {
                                *counts.entry(topic).or_default() += count;
                            }
                        }
                        ids.insert(transaction.id);
                        next_offset = Some(transaction.next_offset);
                    }
                    Some(Item::Event(entry)) => {
                        frontier.advance(&source.name, entry.offset + 1);
                        committed_ms = committed_ms.max(entry.record.timestamp_ms);
                        commits_ms.push(entry.record.timestamp_ms);
                        next_offset = Some(entry.offset + 1);
                        records.entry(source.topic.clone()).or_default().push(entry);
                    }
                    None => break,
                }
            }
            let Some(next_offset) = next_offset else { continue };
            let from = self.tail.positions.get(&source.topic).copied().unwrap_or(0);
            ranges.insert(source.topic.clone(), (from, next_offset));
            if source.transactional {
                for (topic, count) in counts {
                    let from = self.tail.positions.get(&topic).copied().unwrap_or(0);
                    let (entries, to) = reader::take(&self.log, &topic, from, count, &ids).await?;
                    ranges.insert(topic.clone(), (from, to));
                    records.insert(topic, entries);
                }
            }
        }
        if ranges.is_empty() && !self.uses_clock() {
            return Ok(());
        }
        for (topic, (_, to)) in &ranges {
            self.tail.positions.insert(topic.clone(), *to);
        }
        let epoch = self.tail.epoch + 1;
        let decoded = self.decode(records).await?;
        let formed_ms = self.tail.formed_ms.max(chrono::Utc::now().timestamp_millis());
        let entry = journal::Entry { epoch, ranges, frontier: frontier.clone(), committed_ms, formed_ms, positions: None };
        self.journal.append(entry, &self.tail.positions).await?;
        self.tail.formed_ms = formed_ms;
        self.tail.epoch = epoch;
        self.tail.frontier = frontier.clone();
        self.publish(decoded, frontier, committed_ms, commits_ms);
        Ok(())
    }

    fn publish(&self, decoded: Decoded, frontier: Frontier, committed_ms: i64, commits_ms: Vec<i64>) {
        let events: usize = decoded.changes.iter().flatten().map(|brought| brought.changes.weights.len()).sum();
        metrics::counter!("chimera_epochs_total").increment(1);
        metrics::counter!("chimera_epoch_changes_total").increment(events as u64);
        let info = Arc::new(EpochInfo { incarnation: self.journal.incarnation, epoch: self.tail.epoch, frontier, committed_ms });
        self.board.epoch_formed(self.tail.epoch, commits_ms);
        self.epochs.publish(Arc::new(Epoch { info, formed_ms: self.tail.formed_ms, changes: decoded.changes }));
    }

    /// Decodes off the async threads; records that cannot be decoded go to the dead-letter topic before the epoch is journalled.
    async fn decode(&self, records: HashMap<String, Vec<Entry>>) -> Result<Decoded, Error> {
        let inputs = self.inputs.clone();
        let (decoded, records) = tokio::task::spawn_blocking(move || (inputs.decode(&records, |_| true), records))
            .await
            .map_err(|error| Error::Journal(format!("decoding ended early: {error}")))?;
        if decoded.bad.is_empty() {
            return Ok(decoded);
        }
        let letters: Vec<DeadLetter> = decoded.bad.iter().filter_map(|(index, bad)| self.dead_letter(*index, bad, &records)).collect();
        metrics::counter!("chimera_dead_letters_total").increment(letters.len() as u64);
        for letter in &letters {
            tracing::warn!(topic = letter.topic, offset = letter.offset, error = letter.error, "record put aside; see `chimera dlq list`");
        }
        dlq::write(self.log.as_ref(), &letters).await?;
        Ok(decoded)
    }

    fn dead_letter(
        &self,
        index: usize,
        bad: &chimera_connectors::format::BadRecord,
        records: &HashMap<String, Vec<Entry>>,
    ) -> Option<DeadLetter> {
        let input = &self.inputs.inputs[index];
        let entry = records.get(&input.topic)?.iter().find(|entry| entry.offset == bad.offset)?;
        let encode = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map(|b| base64::engine::general_purpose::STANDARD.encode(b));
        Some(DeadLetter {
            topic: input.topic.clone(),
            partition: 0,
            offset: bad.offset,
            error: bad.error.clone(),
            format: input.format.clone(),
            key_base64: encode(&entry.record.key),
            value_base64: encode(&entry.record.value),
            timestamp_ms: entry.record.timestamp_ms,
            failed_at: chrono::Utc::now(),
        })
    }
}

/// Follows one topic and hands on what a source is made of.
struct Fetcher {
    log: Arc<dyn Log>,
    service: Option<String>,
    topic: String,
    sender: mpsc::Sender<Vec<Item>>,
    wake: mpsc::Sender<()>,
}

impl Fetcher {
    async fn run(self, from: u64) {
        let mut next = from;
        loop {
            let read = match self.log.read(&self.topic, 0, next, 4096, Duration::from_secs(1)).await {
                Ok(read) => read,
                // The topic comes with its first record.
                Err(chimera_connectors::Error::NoSuchTopic { .. }) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(topic = self.topic, %error, "cannot read the log; trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            let Some(last) = read.last() else { continue };
            next = last.offset + 1;
            let items: Vec<Item> = match &self.service {
                Some(service) => read.iter().filter_map(|entry| reader::transaction(service, entry)).map(Item::Transaction).collect(),
                None => read.into_iter().map(Item::Event).collect(),
            };
            if !items.is_empty() {
                if self.sender.send(items).await.is_err() {
                    return;
                }
                let _ = self.wake.try_send(());
            }
        }
    }
}
