//! The derived stores of a test: filled through the real sinks, their positions set by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use chimera_connectors::sink::{self, SinkSpec};
use chimera_connectors::{Changes, EpochChanges, EpochInfo, Frontier};
use chimera_serving::api::{StoreStatus, Stores, WaitError};
use tokio::sync::watch;
use uuid::Uuid;

use super::server::Server;

/// Where each store is, in place of an engine.
pub struct Board(watch::Sender<BTreeMap<String, StoreStatus>>);

impl Default for Board {
    fn default() -> Self {
        let names = [
            "co_purchase.related_by_purchase",
            "co_view.related_by_view",
            "inventory.stock",
            "search_index.product_documents",
            "search_index.products",
            "search_index.sku_ids",
            "trending.trending",
            "visual_index.images",
        ];
        let board = Self(watch::Sender::default());
        for name in names {
            board.set(name, Frontier::default(), 0);
        }
        board
    }
}

impl Board {
    /// The store has reached `frontier`, and is this old.
    pub fn set(&self, name: &str, frontier: Frontier, age_ms: u64) {
        let (pipeline, _) = name.split_once('.').unwrap();
        let status = StoreStatus {
            store: name.into(),
            pipeline: pipeline.into(),
            connector: "test".into(),
            sources: ["catalog", "clickstream", "inventory", "orders"].map(String::from).into(),
            epoch: 1,
            frontier,
            committed_ms: 0,
            applied_ms: 0,
            delay_ms: 0,
            delay_p50_ms: 0,
            delay_p99_ms: 0,
            age_ms,
            rows: 0,
            rows_per_s: 0.0,
            error: None,
        };
        self.0.send_modify(|stores| drop(stores.insert(name.into(), status)));
    }
}

#[async_trait]
impl Stores for Board {
    fn stores(&self) -> Vec<StoreStatus> {
        self.0.borrow().values().cloned().collect()
    }

    fn store(&self, name: &str) -> Option<StoreStatus> {
        self.0.borrow().get(name).cloned()
    }

    async fn wait_for(&self, store: &str, frontier: &Frontier, at_most: Duration) -> Result<StoreStatus, WaitError> {
        let reached = |status: &StoreStatus| status.frontier.covers(frontier, &status.sources);
        self.store(store).ok_or(WaitError::UnknownStore)?;
        let mut stores = self.0.subscribe();
        let waited = tokio::time::timeout(at_most, stores.wait_for(|stores| stores.get(store).is_some_and(reached))).await;
        let status = self.store(store).ok_or(WaitError::UnknownStore)?;
        if waited.is_ok() { Ok(status) } else { Err(WaitError::TimedOut(status)) }
    }
}

impl Server {
    /// Inserts rows into the store of a sink table, as an epoch of the engine does. `table` is `pipeline.table`, the key is the first columns.
    pub async fn fill(&self, epoch: u64, connector: &str, table: &str, key_columns: usize, options: &[(&str, &str)], rows: RecordBatch) {
        let (pipeline, table) = table.split_once('.').unwrap();
        let schema = rows.schema();
        let spec = SinkSpec {
            pipeline: pipeline.into(),
            table: table.into(),
            primary_key: schema.fields().iter().take(key_columns).map(|field| field.name().clone()).collect(),
            schema,
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let mut sink = sink::open(connector, spec, self.context.clone()).await.unwrap();
        if epoch == 1 {
            sink.reset().await.unwrap();
        }
        let info = EpochInfo { incarnation: Uuid::from_u128(1), epoch, frontier: Frontier::default(), committed_ms: 1_700_000_000_000 };
        let weights = vec![1; rows.num_rows()];
        sink.apply(&[EpochChanges { info: Arc::new(info), changes: Changes { batch: rows, weights } }]).await.unwrap();
    }
}
