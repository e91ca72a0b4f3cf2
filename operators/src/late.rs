//! Rows that came for a window that had closed: left out, and kept for who asks.

use crate::delta::{Chunk, Delta};
use crate::plan::NodeId;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that came too late, with the columns that the windows are made of.
#[derive(Clone, Debug)]
pub struct Late {
    /// The sinks that lack them.
    pub sinks: Vec<String>,
    /// Where the watermark stood, in nanoseconds since 1970.
    pub watermark: i64,
    pub rows: Delta,
}

/// Late rows of a step. Shared by all workers of a circuit.
#[derive(Clone, Default, Debug)]
pub(crate) struct LateRows(Arc<Mutex<Vec<(NodeId, i64, Chunk)>>>);

impl LateRows {
    pub fn add(&self, node: NodeId, watermark: i64, rows: Chunk) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((node, watermark, rows));
    }

    /// What came since the last call.
    pub fn take(&self) -> Vec<(NodeId, i64, Chunk)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
