//! What a reader says about itself.

use parking_lot::Mutex;
use tokio::time::Instant;

use super::batch::Summary;

/// What a reader does at the moment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    Connecting,
    /// Copies the tables; `rows` so far.
    Snapshot {
        rows: u64,
    },
    Streaming,
    /// Tries again later. The sentence says what is wrong and, where somebody has to act, what to do.
    Waiting {
        error: String,
    },
}

/// How far a reader is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CdcStatus {
    pub service: String,
    #[serde(flatten)]
    pub phase: Phase,
    /// Position of the last `END` in the log; 0 until a first snapshot is complete.
    pub lsn: u64,
    /// How far PostgreSQL has sent.
    pub received_lsn: u64,
    /// Transactions and changes appended since the start.
    pub transactions: u64,
    pub changes: u64,
    /// Commit time of the last transaction in the log, in milliseconds since 1970; 0 if there was none since the start.
    pub committed_ms: i64,
    /// From that commit to its envelopes being durable in the log, in milliseconds.
    pub lag_ms: i64,
}

/// The shared side of a status.
pub(super) struct Progress {
    state: Mutex<(CdcStatus, Instant)>,
}

impl Progress {
    pub(super) fn new(service: &str) -> Self {
        let status = CdcStatus {
            service: service.to_owned(),
            phase: Phase::Connecting,
            lsn: 0,
            received_lsn: 0,
            transactions: 0,
            changes: 0,
            committed_ms: 0,
            lag_ms: 0,
        };
        Self { state: Mutex::new((status, Instant::now())) }
    }

    pub(super) fn get(&self) -> CdcStatus {
        self.state.lock().0.clone()
    }

    pub(super) fn is_streaming(&self) -> bool {
        self.state.lock().0.phase == Phase::Streaming
    }

    /// When the log last moved.
    pub(super) fn last_append(&self) -> Instant {
        self.state.lock().1
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.state.lock().0.phase = phase;
    }

    pub(super) fn set_resumed(&self, lsn: u64) {
        self.state.lock().0.lsn = lsn;
    }

    pub(super) fn set_received(&self, lsn: u64) {
        self.state.lock().0.received_lsn = lsn;
    }

    pub(super) fn appended(&self, summary: &Summary, now_ms: i64) {
        let Some(lsn) = summary.end_lsn else { return };
        let mut state = self.state.lock();
        let (status, at) = &mut *state;
        status.lsn = lsn;
        status.transactions += summary.transactions;
        status.changes += summary.changes;
        status.committed_ms = summary.commit_ms;
        status.lag_ms = (now_ms - summary.commit_ms).max(0);
        *at = Instant::now();
        metrics::counter!("chimera_cdc_transactions_total", "service" => status.service.clone()).increment(summary.transactions);
        metrics::counter!("chimera_cdc_changes_total", "service" => status.service.clone()).increment(summary.changes);
        metrics::gauge!("chimera_cdc_lag_ms", "service" => status.service.clone()).set(status.lag_ms as f64);
    }
}
