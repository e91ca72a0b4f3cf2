//! A runtime over the embedded log, with everything in one folder.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_connectors::log::{Append, Log, Record};
use chimera_connectors::{Context, Frontier};
use chimera_pipelines::{Config, Definition, Handle, Runtime, Service};
use chimera_sql::Functions;
use serde_json::{Value, json};

/// A Redis that is not there.
pub const NO_SERVER: &str = "redis://127.0.0.1:1/";

/// Everything in one folder, so that a later start finds what an earlier one left.
pub struct Platform {
    pub log: Arc<dyn Log>,
    pub context: Arc<Context>,
    pub handle: Handle,
}

impl Platform {
    pub async fn start(dir: &Path, sql: &str) -> Self {
        Self::start_all(dir, &[("levels", sql)]).await
    }

    pub async fn start_all(dir: &Path, pipelines: &[(&str, &str)]) -> Self {
        Self::start_with(dir, pipelines, "").await
    }

    /// `sources`: what views that are created may read.
    pub async fn start_with(dir: &Path, pipelines: &[(&str, &str)], sources: &str) -> Self {
        Self::start_changed(dir, pipelines, sources, NO_SERVER, |_| {}).await
    }

    /// With settings that `change` has changed.
    pub async fn start_changed(
        dir: &Path,
        pipelines: &[(&str, &str)],
        sources: &str,
        redis_url: &str,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let log: Arc<dyn Log> = EmbeddedLog::open(dir.join("log")).expect("the log");
        let context = Context::new(dir.join("stores"), log.clone(), redis_url, "postgres://127.0.0.1:1/").expect("a context");
        let mut config = Config {
            dir: dir.join("engine"),
            pipelines: pipelines.iter().map(|(name, sql)| Definition { name: (*name).into(), sql: (*sql).into() }).collect(),
            sources: sources.into(),
            functions: Functions::new(),
            functions_version: String::new(),
            services: vec![Service::whole("shop")],
            workers: 1,
            hosts: None,
            offsite: None,
            // So little that groups are on disk most of the time.
            memory_bytes: 2 << 10,
            checkpoint_every: Duration::from_millis(40),
            nudge: Arc::new(|_| {}),
        };
        change(&mut config);
        let handle = Runtime::start(config, context.clone()).await.expect("the runtime");
        Self { log, context, handle }
    }

    pub async fn reached(&self, store: &str, frontier: &Frontier) {
        self.handle.wait_for(store, frontier, Duration::from_secs(20)).await.expect("the store reaches the position");
    }

    pub fn rows(&self, view: &str) -> Vec<Value> {
        self.context.views.scan(view, 1000, false).expect("a scan").map(|(_, rows)| rows).unwrap_or_default()
    }

    /// Waits until the stores hold everything that was appended so far. A replay moves no database's position, so a transaction does.
    pub async fn passed(&self, lsn: u64, stores: &[&str]) {
        self.log.append(transaction(lsn, &[])).await.expect("appended");
        let mut frontier = Frontier::single("shop", lsn);
        frontier.advance("clicks", self.log.end_offset("clicks", 0).await.expect("an end"));
        for store in stores {
            self.reached(store, &frontier).await;
        }
    }

    pub async fn stop(self) {
        self.handle.stop().await;
    }
}

pub fn append(topic: &str, value: Option<Value>) -> Append {
    let value = value.map(|value| Bytes::from(value.to_string()));
    Append { topic: topic.into(), partition: Some(0), record: Record::new(None, value, 1_700_000_000_000) }
}

/// A transaction as change data capture writes it: (before, after) a change.
pub fn transaction(lsn: u64, changes: &[(Option<Value>, Option<Value>)]) -> Vec<Append> {
    transaction_in("shop", lsn, changes)
}

/// One of another database.
pub fn transaction_in(database: &str, lsn: u64, changes: &[(Option<Value>, Option<Value>)]) -> Vec<Append> {
    let (marks, items) = (format!("{database}.transaction"), format!("{database}.public.items"));
    let id = format!("{lsn}:{lsn}");
    let mut records = vec![append(&marks, Some(json!({"status": "BEGIN", "id": id, "ts_ms": 1})))];
    for (before, after) in changes {
        let op = if before.is_none() {
            "c"
        } else if after.is_none() {
            "d"
        } else {
            "u"
        };
        let envelope = json!({"before": before, "after": after, "op": op, "transaction": {"id": id, "total_order": 1}});
        records.push(append(&items, Some(envelope)));
        if after.is_none() {
            records.push(append(&items, None));
        }
    }
    let collections = json!([{"data_collection": "public.items", "event_count": changes.len()}]);
    let end = json!({"status": "END", "id": id, "event_count": changes.len(), "data_collections": collections, "ts_ms": 1, "lsn": lsn});
    records.push(append(&marks, Some(end)));
    records
}

pub fn item(id: i64, sku: &str, quantity: i64) -> Value {
    json!({"id": id, "sku": sku, "quantity": quantity})
}
