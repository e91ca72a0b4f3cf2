//! One append at a time, while the next batch fills: a backlog becomes large appends by itself, and an idle reader waits for nobody.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::batch::{Piece, Summary};
use super::error::Result;
use crate::log::Log;

pub(super) struct Appender {
    log: Arc<dyn Log>,
    running: Option<(JoinHandle<crate::Result<()>>, Summary)>,
}

impl Appender {
    pub(super) fn new(log: Arc<dyn Log>) -> Self {
        Self { log, running: None }
    }

    pub(super) fn is_free(&self) -> bool {
        self.running.is_none()
    }

    /// Starts to append a piece. The one before has to be finished.
    pub(super) fn start(&mut self, piece: Piece) {
        debug_assert!(self.is_free(), "records would be appended out of order");
        let log = self.log.clone();
        let task = tokio::spawn(async move { log.append(piece.records).await.map(drop) });
        self.running = Some((task, piece.summary));
    }

    /// Waits until the running append is durable. Never returns when there is none; may be dropped and called again.
    pub(super) async fn finished(&mut self) -> Result<Summary> {
        let Some((task, summary)) = &mut self.running else { return std::future::pending().await };
        let (result, summary) = (task.await, *summary);
        self.running = None;
        result??;
        Ok(summary)
    }

    /// Waits for the running append, if any.
    pub(super) async fn settle(&mut self) -> Result<Summary> {
        if self.is_free() { Ok(Summary::default()) } else { self.finished().await }
    }
}
