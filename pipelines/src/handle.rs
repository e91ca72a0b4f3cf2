//! The running engine, as serving nodes see it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chimera_connectors::Frontier;

use crate::engine::Engine;
use crate::manage::Manager;
use crate::status::{PipelineStatus, StoreStatus};

/// Why a wait for a position did not end with the store there.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    #[error("there is no store `{0}`")]
    UnknownStore(String),
    #[error("the store `{}` has not reached the position in the time given; it is {} ms behind", .0.store, .0.age_ms)]
    TimedOut(Box<StoreStatus>),
}

/// Asks a source to mark its present position, so that the frontier passes it also when nothing else happens there.
pub type Nudge = Arc<dyn Fn(&str) + Send + Sync>;

/// A handle on the running pipelines. Clones are the same.
#[derive(Clone)]
pub struct Handle {
    pub(crate) engine: Arc<Engine>,
    pub(crate) manager: Arc<Manager>,
    pub(crate) nudge: Nudge,
}

/// How long a wait lasts before the sources are nudged: most positions are passed by the changes that follow anyway.
const NUDGE_AFTER: Duration = Duration::from_millis(25);

impl Handle {
    pub fn stores(&self) -> Vec<StoreStatus> {
        self.engine.board.stores()
    }

    pub fn store(&self, name: &str) -> Option<StoreStatus> {
        self.engine.board.store(name)
    }

    pub fn pipelines(&self) -> Vec<PipelineStatus> {
        self.engine.board.pipelines()
    }

    /// The last epoch that was formed.
    pub fn epoch(&self) -> u64 {
        self.engine.epochs.last()
    }

    /// Waits until `store` includes everything up to `frontier`, in the sources that it reads.
    pub async fn wait_for(&self, store: &str, frontier: &Frontier, at_most: Duration) -> Result<StoreStatus, WaitError> {
        let mut moved = self.engine.board.watch(store).ok_or_else(|| WaitError::UnknownStore(store.to_owned()))?;
        let deadline = Instant::now() + at_most;
        let mut nudge_at = Instant::now() + NUDGE_AFTER;
        loop {
            moved.borrow_and_update();
            let status = self.engine.board.store(store).ok_or_else(|| WaitError::UnknownStore(store.to_owned()))?;
            if status.frontier.covers(frontier, &status.sources) {
                return Ok(status);
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(WaitError::TimedOut(Box::new(status)));
            }
            if now >= nudge_at {
                for (source, position) in &frontier.0 {
                    if status.sources.contains(source) && status.frontier.get(source) < *position {
                        (self.nudge)(source);
                    }
                }
                nudge_at = now + Duration::from_millis(500);
            }
            let until = deadline.min(nudge_at);
            let wait = tokio::time::timeout(until.saturating_duration_since(now), moved.changed());
            if matches!(wait.await, Ok(Err(_))) {
                // Another store has taken its place, or none.
                moved = self.engine.board.watch(store).ok_or_else(|| WaitError::UnknownStore(store.to_owned()))?;
            }
        }
    }

    /// Stops in good order: no new epochs, each pipeline takes a last checkpoint, stores are flushed.
    pub async fn stop(self) {
        self.engine.stop().await;
    }
}
