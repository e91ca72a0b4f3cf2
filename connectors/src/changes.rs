//! What flows from the engine into a store: the changes of one view in one epoch.

use std::sync::Arc;

use arrow::array::RecordBatch;
use uuid::Uuid;

use crate::Frontier;

/// Rows with weights: +n inserted n times, −n deleted n times. Never 0; one row once (consolidated).
#[derive(Clone, Debug)]
pub struct Changes {
    pub batch: RecordBatch,
    /// One weight a row of `batch`.
    pub weights: Vec<i64>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }
}

/// Which epoch, and what it holds of every source.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochInfo {
    /// The journal that numbered this epoch. A store that holds another incarnation's epochs has to be built anew.
    pub incarnation: Uuid,
    /// Counts from 1.
    pub epoch: u64,
    /// Every change up to here is included once this epoch is applied.
    pub frontier: Frontier,
    /// Commit time of the newest change in the epoch, in milliseconds since 1970; 0 if it holds none.
    pub committed_ms: i64,
}

/// The changes of one view in one epoch.
#[derive(Clone, Debug)]
pub struct EpochChanges {
    pub info: Arc<EpochInfo>,
    pub changes: Changes,
}
