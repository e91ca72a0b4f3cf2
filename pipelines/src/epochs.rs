//! The newest epochs, decoded once and shared by all pipelines; and how far each pipeline is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chimera_connectors::EpochInfo;
use parking_lot::{Condvar, Mutex};

use crate::inputs::Brought;

/// One epoch, or several that are run as one while catching up: what it brings by input.
pub struct Epoch {
    pub info: Arc<EpochInfo>,
    /// What `now()` is in it, milliseconds since 1970.
    pub formed_ms: i64,
    /// By index into [`crate::inputs::Inputs`]; `None` where the epoch has nothing of that input.
    pub changes: Vec<Option<Arc<Brought>>>,
}

/// What a pipeline gets when it asks for its next epoch.
pub enum Next {
    Ready(Arc<Epoch>),
    /// The epoch has been journalled, but is no longer (or not yet) here: read it from the log, up to this one.
    Behind(u64),
    /// Nothing new in the time given.
    Idle,
    Stopped,
}

struct Progress {
    epoch: u64,
    moved: Instant,
    /// Whether it may hold the others back.
    waited: bool,
    stalled: bool,
    ended: bool,
}

struct State {
    last: u64,
    recent: VecDeque<Arc<Epoch>>,
    /// By number.
    pipelines: BTreeMap<usize, Progress>,
    published: Instant,
    /// How long the pipelines took for the last epoch that all of them have run.
    took: Duration,
    stopped: bool,
}

impl State {
    fn ahead(&self) -> u64 {
        let rows: usize =
            self.recent.iter().flat_map(|epoch| epoch.changes.iter().flatten()).map(|brought| brought.changes.weights.len()).sum();
        if rows > SMALL_ROWS { AHEAD } else { AHEAD_SMALL }
    }
}

/// Hands epochs from the coordinator to the pipelines, and holds the coordinator back while they are busy.
pub struct Epochs {
    state: Mutex<State>,
    changed: Condvar,
    moved: tokio::sync::Notify,
}

/// Epochs that the coordinator may be ahead of the slowest pipeline that is not stalled: a few large ones, or as many small ones as a
/// pipeline misses while it takes a checkpoint.
const AHEAD: u64 = 3;
const AHEAD_SMALL: u64 = 32;
/// Rows up to which all epochs that are kept together count as small.
const SMALL_ROWS: usize = 16_384;
/// A pipeline that is behind and has not moved for so long is not waited for any more; it catches up from the log by itself.
const STALLED_AFTER: Duration = Duration::from_secs(10);

impl Epochs {
    /// `last`: the last epoch that is in the journal.
    pub fn new(last: u64) -> Self {
        Self {
            state: Mutex::new(State {
                last,
                recent: VecDeque::new(),
                pipelines: BTreeMap::new(),
                published: Instant::now(),
                took: Duration::ZERO,
                stopped: false,
            }),
            changed: Condvar::new(),
            moved: tokio::sync::Notify::new(),
        }
    }

    /// Pipeline number `pipeline` takes part from now on; it has run everything up to `epoch`. Unless it is `waited` for, no epoch waits for
    /// it, however slow it is.
    pub fn join(&self, pipeline: usize, epoch: u64, waited: bool) {
        let progress = Progress { epoch, moved: Instant::now(), waited, stalled: !waited, ended: false };
        self.state.lock().pipelines.insert(pipeline, progress);
    }

    /// Pipeline number `pipeline` is no more.
    pub fn leave(&self, pipeline: usize) {
        self.state.lock().pipelines.remove(&pipeline);
        self.moved.notify_waiters();
    }

    /// The last journalled epoch.
    pub fn last(&self) -> u64 {
        self.state.lock().last
    }

    /// Epochs up to `last` are in the journal, whether or not they were shown.
    pub fn journalled(&self, last: u64) {
        let mut state = self.state.lock();
        state.last = state.last.max(last);
        drop(state);
        self.changed.notify_all();
    }

    /// Shows the next epoch to all pipelines.
    pub fn publish(&self, epoch: Arc<Epoch>) {
        let mut state = self.state.lock();
        state.last = epoch.info.epoch;
        state.published = Instant::now();
        state.recent.push_back(epoch);
        while state.recent.len() as u64 > state.ahead() + 1 {
            state.recent.pop_front();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The epoch after `after`, waiting up to `wait` for it.
    pub fn next(&self, after: u64, wait: Duration) -> Next {
        let deadline = Instant::now() + wait;
        let mut state = self.state.lock();
        loop {
            if state.stopped {
                return Next::Stopped;
            }
            if state.last > after {
                let found = state.recent.iter().find(|epoch| epoch.info.epoch == after + 1).cloned();
                return found.map_or(Next::Behind(state.last), Next::Ready);
            }
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return if state.stopped { Next::Stopped } else { Next::Idle };
            }
        }
    }

    /// Pipeline number `pipeline` has run everything up to `epoch`.
    pub fn advance(&self, pipeline: usize, epoch: u64) {
        let mut state = self.state.lock();
        let (last, ahead) = (state.last, state.ahead());
        let Some(progress) = state.pipelines.get_mut(&pipeline) else { return };
        progress.epoch = epoch;
        progress.moved = Instant::now();
        if progress.stalled && epoch + ahead >= last {
            progress.stalled = false;
        }
        let slowest = state.pipelines.values().filter(|p| !p.stalled && !p.ended).map(|p| p.epoch).min().unwrap_or(u64::MAX);
        if slowest >= last && state.recent.back().is_some_and(|epoch| epoch.info.epoch == last) {
            state.took = state.published.elapsed();
        }
        while state.recent.front().is_some_and(|epoch| epoch.info.epoch <= slowest) {
            state.recent.pop_front();
        }
        drop(state);
        self.moved.notify_waiters();
    }

    /// How long the pipelines took for an epoch lately; longer while they have not finished the last one.
    pub fn took(&self) -> Duration {
        let state = self.state.lock();
        let waited = state.pipelines.values().filter(|p| p.waited && !p.stalled && !p.ended);
        let slowest = waited.map(|p| p.epoch).min().unwrap_or(u64::MAX);
        if slowest < state.last { state.took.max(state.published.elapsed()) } else { state.took }
    }

    /// Pipeline number `pipeline` will run no more: nobody waits for it.
    pub fn end(&self, pipeline: usize) {
        if let Some(progress) = self.state.lock().pipelines.get_mut(&pipeline) {
            progress.ended = true;
        }
        self.moved.notify_waiters();
    }

    /// Waits until every pipeline is near the last epoch, or stalled.
    pub async fn wait_for_pipelines(&self) {
        loop {
            let moved = self.moved.notified();
            {
                let mut state = self.state.lock();
                if state.stopped {
                    return;
                }
                let (last, ahead) = (state.last, state.ahead());
                let mut busy = false;
                for (number, progress) in &mut state.pipelines {
                    if progress.ended || progress.stalled || progress.epoch + ahead > last {
                        continue;
                    }
                    if !progress.waited {
                        progress.stalled = true;
                        continue;
                    }
                    if progress.moved.elapsed() > STALLED_AFTER {
                        tracing::warn!(
                            pipeline = number,
                            epoch = progress.epoch,
                            last,
                            "pipeline stands still; the others go on without it"
                        );
                        progress.stalled = true;
                    } else {
                        busy = true;
                    }
                }
                if !busy {
                    return;
                }
            }
            let _ = tokio::time::timeout(Duration::from_secs(1), moved).await;
        }
    }

    /// Ends [`Epochs::next`] and [`Epochs::wait_for_pipelines`] for everybody.
    pub fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
        self.moved.notify_waiters();
    }
}
