//! Keeps one store up to date: takes epochs of changes, applies them, tries again when the store is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chimera_connectors::sink::Sink;
use chimera_connectors::{Changes, EpochChanges, EpochInfo};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::status::Board;

/// To an applier.
pub enum Message {
    Epoch(EpochChanges),
    /// Answer when everything before is durable in the store, its epoch number with it.
    Flush(oneshot::Sender<()>),
    /// The epochs after the one that the store stands at come again from here on.
    Again,
}

/// How an applier tells its pipeline that the store lost writes: the epoch that it stands at now.
#[derive(Clone)]
pub struct Lost(Arc<AtomicU64>);

const NOTHING_LOST: u64 = u64::MAX;

impl Default for Lost {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(NOTHING_LOST)))
    }
}

impl Lost {
    fn tell(&self, epoch: u64) {
        self.0.store(epoch, Ordering::Release);
    }

    /// The epoch, if something was lost.
    pub fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|epoch| *epoch != NOTHING_LOST)
    }

    /// The epoch, if something was lost; told once.
    pub fn take(&self) -> Option<u64> {
        Some(self.0.swap(NOTHING_LOST, Ordering::AcqRel)).filter(|epoch| *epoch != NOTHING_LOST)
    }
}

/// Epochs that one write may take together, and rows after which no further epoch joins.
const EPOCHS: usize = 64;
const ROWS: usize = 32_768;
/// A store whose writes have a pace is written at most one part in this many of the time.
const SHARE: u32 = 2;
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MOST: Duration = Duration::from_secs(5);

/// What became of a write.
enum Outcome {
    Done,
    /// The store had lost writes: everything after what it holds comes again.
    Lost,
    Shutdown,
}

/// A store's applier.
pub struct Applier {
    pub number: usize,
    pub name: String,
    pub sink: Box<dyn Sink>,
    /// The last epoch in the store.
    pub applied: u64,
    /// The journal that the epochs are of.
    pub incarnation: Uuid,
    pub lost: Lost,
    pub board: Arc<Board>,
    pub inbox: mpsc::Receiver<Message>,
    pub shutdown: CancellationToken,
}

impl Applier {
    /// Runs until the pipeline hangs up or shutdown.
    pub async fn run(mut self) {
        let pace = self.sink.pace();
        let mut began = Instant::now() - pace;
        let mut took = Duration::ZERO;
        // An epoch without changes is not written at once; the store's own number catches up with the next write or flush.
        let mut unwritten: Option<Arc<EpochInfo>> = None;
        while let Some(message) = self.receive().await {
            let mut epochs = Vec::new();
            let mut flush = None;
            match message {
                Message::Epoch(epoch) => epochs.push(epoch),
                Message::Flush(done) => flush = Some(done),
                Message::Again => continue,
            }
            if flush.is_none() {
                let wait = pace.max((took * SHARE).min(pace * SHARE)).saturating_sub(began.elapsed());
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                flush = self.gather(&mut epochs);
            }
            began = Instant::now();
            let template = epochs.last().cloned();
            let last = epochs.last().map(|epoch| epoch.info.clone());
            epochs.retain(|epoch| epoch.info.epoch > self.applied && !epoch.changes.is_empty());
            if let Some(info) = &last
                && epochs.last().is_none_or(|epoch| epoch.info.epoch < info.epoch)
            {
                unwritten = (info.epoch > self.applied).then(|| info.clone());
                if let (false, Some(template)) = (epochs.is_empty(), template) {
                    epochs.push(EpochChanges { info: info.clone(), changes: without_rows(&template.changes) });
                    unwritten = None;
                }
            }
            if !epochs.is_empty() {
                match self.apply(&epochs).await {
                    Outcome::Done => {}
                    Outcome::Lost => {
                        // What was still to be written comes again too.
                        unwritten = None;
                        continue;
                    }
                    Outcome::Shutdown => return,
                }
                unwritten = None;
                took = began.elapsed();
            } else if let Some(info) = &last
                && info.epoch >= self.applied
            {
                self.board.applied(self.number, info, 0, true);
            }
            if let Some(done) = flush {
                if let Some(info) = unwritten.take() {
                    let changes = Changes {
                        batch: arrow::array::RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty())),
                        weights: Vec::new(),
                    };
                    match self.apply(&[EpochChanges { info, changes }]).await {
                        Outcome::Done => {}
                        Outcome::Lost => {
                            // What was still to be written comes again too.
                            unwritten = None;
                            continue;
                        }
                        Outcome::Shutdown => return,
                    }
                }
                match self.flush().await {
                    Outcome::Done => {}
                    Outcome::Lost => {
                        // What was still to be written comes again too.
                        unwritten = None;
                        continue;
                    }
                    Outcome::Shutdown => return,
                }
                let _ = done.send(());
            }
        }
    }

    async fn receive(&mut self) -> Option<Message> {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => None,
            message = self.inbox.recv() => message,
        }
    }

    /// Adds what else waits, up to the next flush.
    fn gather(&mut self, epochs: &mut Vec<EpochChanges>) -> Option<oneshot::Sender<()>> {
        let mut rows: usize = epochs.iter().map(|epoch| epoch.changes.weights.len()).sum();
        while epochs.len() < EPOCHS && rows < ROWS {
            match self.inbox.try_recv() {
                Ok(Message::Epoch(epoch)) => {
                    rows += epoch.changes.weights.len();
                    epochs.push(epoch);
                }
                Ok(Message::Flush(done)) => return Some(done),
                // Only after `rewind` does this mean anything, and that takes it itself.
                Ok(Message::Again) => {}
                Err(_) => break,
            }
        }
        None
    }

    /// Applies until it succeeds.
    async fn apply(&mut self, epochs: &[EpochChanges]) -> Outcome {
        let mut wait = RETRY_FIRST;
        loop {
            let error = match self.sink.apply(epochs).await {
                Ok(()) => break,
                Err(error) => error,
            };
            if matches!(error, chimera_connectors::Error::LostWrites { .. }) {
                return self.rewind(&error).await;
            }
            if !self.pause(&mut wait, "apply changes", &error).await {
                return Outcome::Shutdown;
            }
        }
        let Some(last) = epochs.last() else { return Outcome::Done };
        let rows = epochs.iter().map(|epoch| epoch.changes.weights.len() as u64).sum();
        self.applied = last.info.epoch;
        let committed_ms = epochs.iter().map(|epoch| epoch.info.committed_ms).max().unwrap_or(0);
        let info = EpochInfo { committed_ms, ..last.info.as_ref().clone() };
        self.board.applied(self.number, &info, rows, true);
        Outcome::Done
    }

    async fn flush(&mut self) -> Outcome {
        let mut wait = RETRY_FIRST;
        loop {
            match self.sink.flush().await {
                Ok(()) => return Outcome::Done,
                Err(error @ chimera_connectors::Error::LostWrites { .. }) => return self.rewind(&error).await,
                Err(error) => {
                    if !self.pause(&mut wait, "make the store durable", &error).await {
                        return Outcome::Shutdown;
                    }
                }
            }
        }
    }

    /// Finds out where a store stands that lost writes, tells the pipeline, and passes over everything until it comes again.
    async fn rewind(&mut self, lost: &chimera_connectors::Error) -> Outcome {
        tracing::warn!(store = self.name, error = %lost, "what it lacks is given again");
        self.board.store_failed(self.number, Some(format!("{lost}; what it lacks is given again")));
        let mut wait = RETRY_FIRST;
        self.applied = loop {
            match self.stands_at().await {
                Ok(epoch) => break epoch,
                Err(error) => {
                    if !self.pause(&mut wait, "see what the store holds", &error).await {
                        return Outcome::Shutdown;
                    }
                }
            }
        };
        self.board.rewound(self.number, self.applied);
        self.lost.tell(self.applied);
        loop {
            match self.receive().await {
                None => return Outcome::Shutdown,
                Some(Message::Again) => return Outcome::Lost,
                // A flush that is dropped is not done: no checkpoint is taken meanwhile.
                Some(Message::Epoch(_) | Message::Flush(_)) => {}
            }
        }
    }

    /// The last epoch in the store; a store of another journal is emptied.
    async fn stands_at(&mut self) -> Result<u64, chimera_connectors::Error> {
        match self.sink.applied().await? {
            Some(applied) if applied.incarnation == self.incarnation => Ok(applied.epoch),
            Some(_) => {
                self.sink.reset().await?;
                Ok(0)
            }
            None => Ok(0),
        }
    }

    async fn pause(&mut self, wait: &mut Duration, what: &str, error: &chimera_connectors::Error) -> bool {
        tracing::error!(store = self.name, %error, retry_ms = wait.as_millis() as u64, "cannot {what}; nothing is lost, trying again");
        metrics::counter!("chimera_store_errors_total", "store" => self.name.clone()).increment(1);
        self.board.store_failed(self.number, Some(format!("cannot {what}: {error}")));
        let slept = tokio::time::timeout(*wait, self.shutdown.cancelled()).await.is_err();
        *wait = (*wait * 2).min(RETRY_MOST);
        slept
    }
}

fn without_rows(changes: &Changes) -> Changes {
    Changes { batch: changes.batch.slice(0, 0), weights: Vec::new() }
}
