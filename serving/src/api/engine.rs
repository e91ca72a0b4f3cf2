//! The engine's handle as [`Stores`].

use std::time::Duration;

use async_trait::async_trait;
use chimera_connectors::Frontier;
use chimera_pipelines::Handle;

use super::state::{StoreStatus, Stores, WaitError};

#[async_trait]
impl Stores for Handle {
    fn stores(&self) -> Vec<StoreStatus> {
        let mut stores: Vec<StoreStatus> = Handle::stores(self).into_iter().map(StoreStatus::from).collect();
        stores.sort_by(|a, b| a.store.cmp(&b.store));
        stores
    }

    fn store(&self, name: &str) -> Option<StoreStatus> {
        Handle::store(self, name).map(StoreStatus::from)
    }

    async fn wait_for(&self, store: &str, frontier: &Frontier, at_most: Duration) -> Result<StoreStatus, WaitError> {
        Handle::wait_for(self, store, frontier, at_most).await.map(StoreStatus::from).map_err(|error| match error {
            chimera_pipelines::WaitError::UnknownStore(_) => WaitError::UnknownStore,
            chimera_pipelines::WaitError::TimedOut(status) => WaitError::TimedOut((*status).into()),
        })
    }
}

impl From<chimera_pipelines::StoreStatus> for StoreStatus {
    fn from(status: chimera_pipelines::StoreStatus) -> Self {
        Self {
            store: status.store,
            pipeline: status.pipeline,
            connector: status.connector,
            sources: status.sources,
            epoch: status.epoch,
            frontier: status.frontier,
            committed_ms: status.committed_ms,
            applied_ms: status.applied_ms,
            delay_ms: u64::try_from(status.delay_ms).unwrap_or(0),
            delay_p50_ms: u64::try_from(status.delay_p50_ms).unwrap_or(0),
            delay_p99_ms: u64::try_from(status.delay_p99_ms).unwrap_or(0),
            age_ms: u64::try_from(status.age_ms).unwrap_or(0),
            rows: status.rows,
            rows_per_s: status.rows_per_s,
            error: status.error,
        }
    }
}
