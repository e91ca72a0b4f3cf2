//! What is known about every pipeline and every store, and waiting for a store to reach a position.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chimera_connectors::{EpochInfo, Frontier};
use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use tokio::sync::watch;

/// A store and how far it is.
#[derive(Clone, Debug, Serialize)]
pub struct StoreStatus {
    /// `pipeline.table`.
    pub store: String,
    pub pipeline: String,
    pub connector: String,
    /// The sources that its changes come from; only these positions are ever reached.
    pub sources: Vec<String>,
    pub epoch: u64,
    pub frontier: Frontier,
    /// Commit time of the newest change that can be read, milliseconds since 1970; 0 before the first.
    pub committed_ms: i64,
    /// When that change could be read.
    pub applied_ms: i64,
    /// From the commit of the newest change to the moment it could be read.
    pub delay_ms: i64,
    /// The same for the oldest change of each epoch, over the last minute: the median and the 99th of a hundred.
    pub delay_p50_ms: i64,
    pub delay_p99_ms: i64,
    /// How old the store is: the time since the commit of the oldest change that cannot be read yet; 0 when nothing waits.
    pub age_ms: i64,
    /// Changes applied since the start.
    pub rows: u64,
    /// Changes a second over the last ten seconds.
    pub rows_per_s: f64,
    /// Why the store stands still, when it does.
    pub error: Option<String>,
}

/// A pipeline and how far it is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PipelineStatus {
    pub name: String,
    pub epoch: u64,
    pub checkpoint_epoch: u64,
    /// Rows that an expression refused; they are left out of the views.
    pub row_errors: u64,
    /// From the first row's push into its dataflow to the changes of its stores given out, in microseconds: of its last epoch with rows.
    pub step_us: u64,
    /// What its groups, different values and first rows take of memory.
    pub table_bytes: u64,
    pub error: Option<String>,
    /// The epoch of the checkpoint that is in the object store, if one was sent there since the start.
    pub uploaded_epoch: Option<u64>,
    /// Why the last checkpoint is not in the object store.
    pub upload_error: Option<String>,
}

/// A store that is to be on the board.
pub struct NewStore {
    /// `pipeline.table`; the name of a view that was created is its pipeline's.
    pub name: String,
    pub pipeline: String,
    pub connector: String,
    pub sources: Vec<String>,
}

struct Store {
    is: RwLock<NewStore>,
    /// Cleared while another store of its name is the one that is read.
    shown: AtomicBool,
    state: Mutex<StoreState>,
    moved: watch::Sender<u64>,
}

#[derive(Default)]
struct StoreState {
    epoch: u64,
    frontier: Frontier,
    committed_ms: i64,
    applied_ms: i64,
    delay_ms: i64,
    rows: u64,
    recent: VecDeque<(Instant, u64)>,
    /// When a transaction could be read, and how long after its commit, in ms.
    delays: VecDeque<(Instant, i64)>,
    error: Option<String>,
}

/// What is remembered of an epoch until every store has it.
struct Formed {
    epoch: u64,
    /// Commit times of its transactions in ms, the oldest first; of many, some.
    commits_ms: Vec<i64>,
}

/// Written by coordinator, workers and appliers; read by everybody.
#[derive(Default)]
pub struct Board {
    /// By number.
    stores: RwLock<BTreeMap<usize, Arc<Store>>>,
    pipelines: RwLock<BTreeMap<usize, Mutex<PipelineStatus>>>,
    /// Epochs formed and perhaps not applied everywhere. Locked after a store's state, never before.
    formed: Mutex<VecDeque<Formed>>,
}

/// Over how long `rows_per_s` looks back.
const RATE_WINDOW: Duration = Duration::from_secs(10);
/// Over how long the delays' quantiles look back, how many transactions are remembered for them, and how many of an epoch.
const DELAY_WINDOW: Duration = Duration::from_secs(60);
const DELAYS_MAX: usize = 16_384;
const COMMITS_MAX: usize = 128;
/// Formed epochs that are remembered; a store that is further behind has the age of the oldest remembered.
const FORMED_MAX: usize = 4096;

impl Board {
    pub fn add_pipeline(&self, number: usize, name: &str) {
        let status = PipelineStatus { name: name.to_owned(), ..PipelineStatus::default() };
        self.pipelines.write().insert(number, Mutex::new(status));
    }

    pub fn remove_pipeline(&self, number: usize) {
        self.pipelines.write().remove(&number);
    }

    /// `shown`: whether it is the store that is read under its name.
    pub fn add_store(&self, number: usize, store: NewStore, shown: bool) {
        let (is, shown) = (RwLock::new(store), AtomicBool::new(shown));
        let store = Store { is, shown, state: Mutex::default(), moved: watch::Sender::new(0) };
        self.stores.write().insert(number, Arc::new(store));
    }

    pub fn remove_store(&self, number: usize) {
        self.stores.write().remove(&number);
    }

    /// Store number `store` is the one that is read under its name, from now on or no more.
    pub fn show(&self, store: usize, shown: bool) {
        if let Some(store) = self.numbered(store) {
            store.shown.store(shown, Ordering::Release);
        }
    }

    /// A view that was created, and its pipeline, have another name from now on.
    pub fn rename(&self, pipeline: usize, store: usize, name: &str) {
        self.pipeline(pipeline, |status| status.name = name.to_owned());
        if let Some(store) = self.numbered(store) {
            let mut is = store.is.write();
            (is.name, is.pipeline) = (name.to_owned(), name.to_owned());
        }
    }

    /// The epoch of store number `store`.
    pub fn epoch_of(&self, store: usize) -> u64 {
        self.numbered(store).map_or(0, |store| store.state.lock().epoch)
    }

    fn numbered(&self, store: usize) -> Option<Arc<Store>> {
        self.stores.read().get(&store).cloned()
    }

    fn named(&self, name: &str) -> Option<Arc<Store>> {
        self.shown().into_iter().find(|store| store.is.read().name == name)
    }

    fn shown(&self) -> Vec<Arc<Store>> {
        self.stores.read().values().filter(|store| store.shown.load(Ordering::Acquire)).cloned().collect()
    }

    /// `commits_ms`: when each of its transactions was committed, in ms since 1970.
    pub fn epoch_formed(&self, epoch: u64, mut commits_ms: Vec<i64>) {
        commits_ms.sort_unstable();
        let every = commits_ms.len().div_ceil(COMMITS_MAX).max(1);
        let commits_ms = commits_ms.into_iter().step_by(every).collect();
        let done = self.stores.read().values().map(|store| store.state.lock().epoch).min().unwrap_or(epoch);
        let mut formed = self.formed.lock();
        formed.push_back(Formed { epoch, commits_ms });
        while formed.len() > FORMED_MAX || formed.front().is_some_and(|formed| formed.epoch <= done) {
            formed.pop_front();
        }
    }

    /// Store number `store` can be read up to `info`; `rows` changes came with it, `fresh` unless it was merely found so at the start.
    pub fn applied(&self, store: usize, info: &EpochInfo, rows: u64, fresh: bool) {
        let Some(store) = self.numbered(store) else { return };
        let name = store.is.read().name.clone();
        let before = store.state.lock().epoch;
        let commits_ms: Vec<i64> = {
            let formed = self.formed.lock();
            let fresh = formed.iter().filter(|formed| formed.epoch > before && formed.epoch <= info.epoch);
            fresh.flat_map(|formed| formed.commits_ms.iter().copied()).collect()
        };
        let mut state = store.state.lock();
        state.epoch = info.epoch;
        state.frontier.merge(&info.frontier);
        state.error = None;
        if rows > 0 && fresh {
            let now_ms = chrono::Utc::now().timestamp_millis();
            if info.committed_ms > 0 {
                state.committed_ms = state.committed_ms.max(info.committed_ms);
                state.delay_ms = (now_ms - info.committed_ms).max(0);
                metrics::histogram!("chimera_store_delay_seconds", "store" => name.clone()).record(state.delay_ms as f64 / 1e3);
            }
            state.applied_ms = now_ms;
            state.rows += rows;
            metrics::counter!("chimera_store_rows_total", "store" => name).increment(rows);
            let now = Instant::now();
            state.delays.extend(commits_ms.into_iter().map(|commit_ms| (now, (now_ms - commit_ms).max(0))));
            while state.delays.len() > DELAYS_MAX || state.delays.front().is_some_and(|(at, _)| now.duration_since(*at) > DELAY_WINDOW) {
                state.delays.pop_front();
            }
            state.recent.push_back((now, rows));
            while state.recent.front().is_some_and(|(at, _)| now.duration_since(*at) > RATE_WINDOW) {
                state.recent.pop_front();
            }
        }
        drop(state);
        store.moved.send_replace(info.epoch);
    }

    /// Store number `store` lost writes and stands at `epoch` again: how far it is, it says with the next epoch that it takes.
    pub fn rewound(&self, store: usize, epoch: u64) {
        let Some(store) = self.numbered(store) else { return };
        let mut state = store.state.lock();
        state.epoch = epoch;
        state.frontier = Frontier::default();
    }

    pub fn store_failed(&self, store: usize, error: Option<String>) {
        if let Some(store) = self.numbered(store) {
            store.state.lock().error = error;
        }
    }

    pub fn pipeline(&self, pipeline: usize, change: impl FnOnce(&mut PipelineStatus)) {
        if let Some(pipeline) = self.pipelines.read().get(&pipeline) {
            change(&mut pipeline.lock());
        }
    }

    pub fn pipelines(&self) -> Vec<PipelineStatus> {
        self.pipelines.read().values().map(|pipeline| pipeline.lock().clone()).collect()
    }

    /// Why pipeline number `pipeline` stands still, if it does.
    pub fn error_of(&self, pipeline: usize) -> Option<String> {
        self.pipelines.read().get(&pipeline)?.lock().error.clone()
    }

    /// All pipelines with their numbers.
    pub fn numbered_pipelines(&self) -> Vec<(usize, PipelineStatus)> {
        self.pipelines.read().iter().map(|(number, pipeline)| (*number, pipeline.lock().clone())).collect()
    }

    /// Store number `store`, whether or not it is the one that is read under its name.
    pub fn numbered_store(&self, store: usize) -> Option<StoreStatus> {
        self.numbered(store).map(|store| self.status(&store))
    }

    pub fn stores(&self) -> Vec<StoreStatus> {
        self.shown().iter().map(|store| self.status(store)).collect()
    }

    pub fn store(&self, name: &str) -> Option<StoreStatus> {
        self.named(name).map(|store| self.status(&store))
    }

    /// Tells of every move of the store called `name`.
    pub fn watch(&self, name: &str) -> Option<watch::Receiver<u64>> {
        self.named(name).map(|store| store.moved.subscribe())
    }

    /// Tells of every move of store number `store`.
    pub fn watch_number(&self, store: usize) -> Option<watch::Receiver<u64>> {
        self.numbered(store).map(|store| store.moved.subscribe())
    }

    fn status(&self, store: &Store) -> StoreStatus {
        let is = store.is.read();
        let state = store.state.lock();
        let waiting = {
            let formed = self.formed.lock();
            formed.iter().filter(|formed| formed.epoch > state.epoch).find_map(|formed| formed.commits_ms.first().copied())
        };
        let now_ms = chrono::Utc::now().timestamp_millis();
        let recent: u64 = state.recent.iter().filter(|(at, _)| at.elapsed() <= RATE_WINDOW).map(|(_, rows)| rows).sum();
        let mut delays: Vec<i64> = state.delays.iter().filter(|(at, _)| at.elapsed() <= DELAY_WINDOW).map(|(_, delay)| *delay).collect();
        delays.sort_unstable();
        let quantile = |hundredths: usize| delays.get(delays.len().saturating_sub(1) * hundredths / 100).copied().unwrap_or(0);
        StoreStatus {
            store: is.name.clone(),
            pipeline: is.pipeline.clone(),
            connector: is.connector.clone(),
            sources: is.sources.clone(),
            epoch: state.epoch,
            frontier: state.frontier.clone(),
            committed_ms: state.committed_ms,
            applied_ms: state.applied_ms,
            delay_ms: state.delay_ms,
            delay_p50_ms: quantile(50),
            delay_p99_ms: quantile(99),
            age_ms: waiting.map_or(0, |oldest_ms| (now_ms - oldest_ms).max(0)),
            rows: state.rows,
            rows_per_s: recent as f64 / RATE_WINDOW.as_secs_f64(),
            error: state.error.clone(),
        }
    }
}
