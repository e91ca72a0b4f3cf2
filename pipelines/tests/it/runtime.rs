//! The runtime over the embedded log: what a live view shows after restarts, crashes, changes of the pipeline and poisoned records.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_connectors::log::{Append, Log, Record};
use chimera_connectors::{Context, Frontier, dlq};
use chimera_pipelines::{Config, Definition, Handle, Runtime};
use chimera_sql::Functions;
use serde_json::{Value, json};

const SQL: &str = "
CREATE TABLE items (id BIGINT PRIMARY KEY, sku TEXT, quantity INT)
    WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');
CREATE TABLE clicks (sku TEXT) WITH (connector = 'kafka', topic = 'clicks', format = 'json', type = 'source');
CREATE TABLE levels (sku TEXT PRIMARY KEY, units BIGINT, lines BIGINT) WITH (connector = 'view', type = 'sink');
CREATE TABLE clicked (sku TEXT PRIMARY KEY, clicks BIGINT) WITH (connector = 'view', type = 'sink');
INSERT INTO levels SELECT sku, sum(quantity), count(*) FROM items GROUP BY sku;
INSERT INTO clicked SELECT sku, count(*) FROM clicks GROUP BY sku;
";

/// Everything in one folder, so that a later start finds what an earlier one left.
struct Platform {
    log: Arc<dyn Log>,
    context: Arc<Context>,
    handle: Handle,
}

impl Platform {
    async fn start(dir: &Path, sql: &str) -> Self {
        let log: Arc<dyn Log> = EmbeddedLog::open(dir.join("log")).expect("the log");
        let context = Context::new(dir.join("stores"), log.clone(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/").expect("a context");
        let config = Config {
            dir: dir.join("engine"),
            pipelines: vec![Definition { name: "levels".into(), sql: sql.into() }],
            functions: Functions::new(),
            functions_version: String::new(),
            transactional: vec!["shop".into()],
            workers: 1,
            checkpoint_every: Duration::from_millis(40),
            nudge: Arc::new(|_| {}),
        };
        let handle = Runtime::start(config, context.clone()).await.expect("the runtime");
        Self { log, context, handle }
    }

    async fn reached(&self, store: &str, frontier: &Frontier) {
        self.handle.wait_for(store, frontier, Duration::from_secs(20)).await.expect("the store reaches the position");
    }

    fn rows(&self, view: &str) -> Vec<Value> {
        self.context.views.scan(view, 1000, false).expect("a scan").map(|(_, rows)| rows).unwrap_or_default()
    }
}

fn append(topic: &str, value: Option<Value>) -> Append {
    let value = value.map(|value| Bytes::from(value.to_string()));
    Append { topic: topic.into(), partition: Some(0), record: Record { key: None, value, timestamp_ms: 1_700_000_000_000 } }
}

/// A transaction as change data capture writes it: (before, after) a change.
fn transaction(lsn: u64, changes: &[(Option<Value>, Option<Value>)]) -> Vec<Append> {
    let id = format!("{lsn}:{lsn}");
    let mut records = vec![append("shop.transaction", Some(json!({"status": "BEGIN", "id": id, "ts_ms": 1})))];
    for (before, after) in changes {
        let op = if before.is_none() {
            "c"
        } else if after.is_none() {
            "d"
        } else {
            "u"
        };
        let envelope = json!({"before": before, "after": after, "op": op, "transaction": {"id": id, "total_order": 1}});
        records.push(append("shop.public.items", Some(envelope)));
        if after.is_none() {
            records.push(append("shop.public.items", None));
        }
    }
    let collections = json!([{"data_collection": "public.items", "event_count": changes.len()}]);
    let end = json!({"status": "END", "id": id, "event_count": changes.len(), "data_collections": collections, "ts_ms": 1, "lsn": lsn});
    records.push(append("shop.transaction", Some(end)));
    records
}

fn item(id: i64, sku: &str, quantity: i64) -> Value {
    json!({"id": id, "sku": sku, "quantity": quantity})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_goes_on_where_it_was_after_a_stop_and_after_a_crash() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut expected: std::collections::BTreeMap<String, (i64, i64)> = Default::default();
    let mut lsn = 0;
    for round in 0..6 {
        let platform = Platform::start(dir.path(), SQL).await;
        for _ in 0..40 {
            lsn += 1;
            let (sku, quantity) = (format!("sku-{}", lsn % 7), (lsn % 5) as i64 - 1);
            let mut changes = vec![(None, Some(item(lsn as i64, &sku, quantity)))];
            let level = expected.entry(sku.clone()).or_default();
            *level = (level.0 + quantity, level.1 + 1);
            if lsn % 3 == 0 {
                // The same transaction takes it back and puts another in its place.
                changes.push((Some(item(lsn as i64, &sku, quantity)), Some(item(lsn as i64, &sku, 100))));
                level.0 += 100 - quantity;
            }
            platform.log.append(transaction(lsn, &changes)).await.expect("appended");
        }
        let frontier = Frontier::single("shop", lsn);
        if round % 2 == 0 {
            platform.reached("levels.levels", &frontier).await;
        } else {
            // Somewhere in the middle of it.
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        platform.handle.stop().await;
        drop((platform.log, platform.context));
    }
    let platform = Platform::start(dir.path(), SQL).await;
    platform.reached("levels.levels", &Frontier::single("shop", lsn)).await;
    let expected: Vec<Value> =
        expected.into_iter().map(|(sku, (units, lines))| json!({"sku": sku, "units": units, "lines": lines})).collect();
    assert_eq!(platform.rows("levels.levels"), expected);
    platform.handle.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_text_builds_the_view_anew_from_the_log() {
    let dir = tempfile::tempdir().expect("a folder");
    let platform = Platform::start(dir.path(), SQL).await;
    let changes = [(None, Some(item(1, "a", 3))), (None, Some(item(2, "b", 4)))];
    platform.log.append(transaction(10, &changes)).await.expect("appended");
    platform.reached("levels.levels", &Frontier::single("shop", 10)).await;
    platform.handle.stop().await;
    drop((platform.log, platform.context));

    let changed = SQL.replace("FROM items GROUP BY sku", "FROM items WHERE quantity > 3 GROUP BY sku");
    let platform = Platform::start(dir.path(), &changed).await;
    platform.log.append(transaction(11, &[(None, Some(item(3, "b", 5)))])).await.expect("appended");
    platform.reached("levels.levels", &Frontier::single("shop", 11)).await;
    assert_eq!(platform.rows("levels.levels"), [json!({"sku": "b", "units": 9, "lines": 2})]);
    platform.handle.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisoned_record_is_put_aside_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let platform = Platform::start(dir.path(), SQL).await;
    // One that is no JSON at all, announced by nobody; one of the wrong type, inside a transaction; events likewise.
    let mut garbage = append("shop.public.items", None);
    garbage.record.value = Some(Bytes::from_static(b"{\"after\": nonsense"));
    platform.log.append(vec![garbage]).await.expect("appended");
    let wrong = json!({"id": 2, "sku": "a", "quantity": "many"});
    let changes = [(None, Some(item(1, "a", 3))), (None, Some(wrong)), (None, Some(item(3, "a", 4)))];
    platform.log.append(transaction(10, &changes)).await.expect("appended");
    let events =
        vec![append("clicks", Some(json!({"sku": "a"}))), append("clicks", Some(json!([1]))), append("clicks", Some(json!({"sku": "b"})))];
    platform.log.append(events).await.expect("appended");
    platform.reached("levels.levels", &Frontier::single("shop", 10)).await;
    platform.reached("levels.clicked", &Frontier::single("clicks", 3)).await;
    assert_eq!(platform.rows("levels.levels"), [json!({"sku": "a", "units": 7, "lines": 2})]);
    assert_eq!(platform.rows("levels.clicked"), [json!({"sku": "a", "clicks": 1}), json!({"sku": "b", "clicks": 1})]);

    let letters = dlq::list(platform.log.as_ref(), 100, 0).await.expect("the dead letters");
    let letters: Vec<_> = letters.into_iter().map(|waiting| waiting.letter).collect();
    let mut found: Vec<(String, u64)> = letters.iter().map(|letter| (letter.topic.clone(), letter.offset)).collect();
    found.sort();
    assert_eq!(found, [("clicks".to_owned(), 1), ("shop.public.items".to_owned(), 0), ("shop.public.items".to_owned(), 2)]);
    let of_quantity = letters.iter().find(|letter| letter.offset == 2).expect("the letter");
    assert!(of_quantity.error.contains("quantity"), "{}", of_quantity.error);
    platform.handle.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_that_cannot_work_is_refused_with_line_and_column() {
    let dir = tempfile::tempdir().expect("a folder");
    let log: Arc<dyn Log> = EmbeddedLog::open(dir.path().join("log")).expect("the log");
    let context = Context::new(dir.path().join("stores"), log, "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/").expect("a context");
    let config = Config {
        dir: dir.path().join("engine"),
        pipelines: vec![Definition { name: "levels".into(), sql: SQL.replace("sum(quantity)", "sum(quantty)") }],
        functions: Functions::new(),
        functions_version: String::new(),
        transactional: vec!["shop".into()],
        workers: 1,
        checkpoint_every: Duration::from_secs(1),
        nudge: Arc::new(|_| {}),
    };
    let error = Runtime::start(config, context).await.err().expect("an error").to_string();
    assert!(error.contains("line 7") && error.contains("quantty"), "{error}");
}
