//! The runtime over the embedded log: what a live view shows after restarts, crashes, changes of the pipeline and poisoned records.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chimera_connectors::log::Log;
use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_connectors::{Context, Frontier, dlq};
use chimera_pipelines::{Config, Definition, Runtime, Service};
use chimera_sql::Functions;
use serde_json::{Value, json};

use crate::platform::{Platform, append, item, transaction, transaction_in};

pub const SQL: &str = "
CREATE TABLE items (id BIGINT PRIMARY KEY, sku TEXT, quantity INT)
    WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');
CREATE TABLE clicks (sku TEXT) WITH (connector = 'kafka', topic = 'clicks', format = 'json', type = 'source');
CREATE TABLE levels (sku TEXT PRIMARY KEY, units BIGINT, lines BIGINT) WITH (connector = 'view', type = 'sink');
CREATE TABLE clicked (sku TEXT PRIMARY KEY, clicks BIGINT) WITH (connector = 'view', type = 'sink');
INSERT INTO levels SELECT sku, sum(quantity), count(*) FROM items GROUP BY sku;
INSERT INTO clicked SELECT sku, count(*) FROM clicks GROUP BY sku;
";

impl Platform {
    /// Replays all dead letters, and waits until the stores have seen them; returns how many.
    async fn replay(&self, lsn: u64, stores: &[&str]) -> u64 {
        let replay = dlq::replay(self.log.as_ref(), &dlq::Selection::All).await.expect("replayed");
        assert_eq!(replay.refused, []);
        self.passed(lsn, stores).await;
        replay.replayed
    }
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
async fn rows_that_are_spread_over_databases_are_one_table() {
    let dir = tempfile::tempdir().expect("a folder");
    let start = async || {
        Platform::start_changed(dir.path(), &[("levels", SQL)], "", "redis://127.0.0.1:1/", |config| {
            config.services = vec![Service { name: "shop".into(), databases: vec!["shop".into(), "shop_1".into()] }];
        })
        .await
    };
    let both = |shop, shop_1| Frontier([("shop".to_owned(), shop), ("shop_1".to_owned(), shop_1)].into());
    let platform = start().await;
    // In each database, at the same offset, one that cannot be read.
    let wrong = |id: i64| (None, Some(json!({"id": id, "sku": "a", "quantity": "many"})));
    platform.log.append(transaction(10, &[wrong(1), (None, Some(item(2, "a", 3)))])).await.expect("appended");
    platform.log.append(transaction_in("shop_1", 7, &[wrong(3), (None, Some(item(4, "a", 4)))])).await.expect("appended");
    platform.reached("levels.levels", &both(10, 7)).await;
    assert_eq!(platform.rows("levels.levels"), [json!({"sku": "a", "units": 7, "lines": 2})]);
    platform.stop().await;

    // It goes on with both where it was.
    let platform = start().await;
    platform.log.append(transaction_in("shop_1", 8, &[(Some(item(4, "a", 4)), Some(item(4, "b", 5)))])).await.expect("appended");
    platform.reached("levels.levels", &both(10, 8)).await;
    assert_eq!(platform.rows("levels.levels"), [json!({"sku": "a", "units": 3, "lines": 1}), json!({"sku": "b", "units": 5, "lines": 1})]);
    // What was put aside is known by its database: each record comes again once, and fails again.
    let replay = dlq::replay(platform.log.as_ref(), &dlq::Selection::All).await.expect("replayed");
    assert_eq!((replay.replayed, replay.refused), (2, vec![]));
    platform.log.append(transaction(11, &[])).await.expect("appended");
    platform.log.append(transaction_in("shop_1", 9, &[])).await.expect("appended");
    platform.reached("levels.levels", &both(11, 9)).await;
    let letters = dlq::list(platform.log.as_ref(), 100, 0).await.expect("the dead letters");
    let mut topics: Vec<String> = letters.into_iter().map(|waiting| waiting.letter.topic).collect();
    topics.sort();
    assert_eq!(topics, ["shop.public.items", "shop_1.public.items"]);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_that_cannot_work_is_refused_with_line_and_column() {
    let dir = tempfile::tempdir().expect("a folder");
    let log: Arc<dyn Log> = EmbeddedLog::open(dir.path().join("log")).expect("the log");
    let context = Context::new(dir.path().join("stores"), log, "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/").expect("a context");
    let config = Config {
        dir: dir.path().join("engine"),
        pipelines: vec![Definition { name: "levels".into(), sql: SQL.replace("sum(quantity)", "sum(quantty)") }],
        sources: String::new(),
        functions: Functions::new(),
        functions_version: String::new(),
        services: vec![Service::whole("shop")],
        workers: 1,
        hosts: None,
        offsite: None,
        memory_bytes: 64 << 20,
        checkpoint_every: Duration::from_secs(1),
        nudge: Arc::new(|_| {}),
    };
    let error = Runtime::start(config, context).await.err().expect("an error").to_string();
    assert!(error.contains("line 7") && error.contains("quantty"), "{error}");
}

/// A pipeline that counts clicks and sums items, as far as its columns fit them.
fn counting(clicks: &str, items: &str) -> String {
    format!(
        "CREATE TABLE items ({items}) WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');
         CREATE TABLE clicks ({clicks}) WITH (connector = 'kafka', topic = 'clicks', format = 'json', type = 'source');
         CREATE TABLE counts (what TEXT PRIMARY KEY, rows BIGINT) WITH (connector = 'view', type = 'sink');
         INSERT INTO counts SELECT 'items' AS what, count(*) FROM items UNION ALL SELECT 'clicks' AS what, count(*) FROM clicks;"
    )
}

/// One that reads everything as text.
const RAW: &str = "
CREATE TABLE items (value TEXT) WITH (connector = 'kafka', topic = 'shop.public.items', format = 'raw_string', type = 'source');
CREATE TABLE clicks (value TEXT) WITH (connector = 'kafka', topic = 'clicks', format = 'raw_string', type = 'source');
CREATE TABLE counts (what TEXT PRIMARY KEY, rows BIGINT) WITH (connector = 'view', type = 'sink');
INSERT INTO counts SELECT 'items' AS what, count(*) FROM items UNION ALL SELECT 'clicks' AS what, count(*) FROM clicks;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_record_is_taken_once_and_only_by_those_that_had_put_it_aside() {
    let dir = tempfile::tempdir().expect("a folder");
    let numbers = counting("sku TEXT, n INT, note INT", "id BIGINT PRIMARY KEY, quantity INT, note INT");
    let skus = counting("sku TEXT", "id BIGINT PRIMARY KEY");
    let others = counting("sku TEXT, note BIGINT", "id BIGINT PRIMARY KEY, note BIGINT");
    let stores = ["numbers.counts", "skus.counts", "others.counts", "raw.counts"];
    let counts = |items: u64, clicks: u64| [json!({"what": "clicks", "rows": clicks}), json!({"what": "items", "rows": items})];

    // Columns that agree are decoded together: what does not fit `numbers` is kept from `skus` as well, but not from `others`.
    let mut pipelines = [("numbers", numbers.as_str()), ("skus", skus.as_str()), ("others", others.as_str()), ("raw", RAW)];
    let platform = Platform::start_all(dir.path(), &pipelines).await;
    let wrong = json!({"id": 2, "sku": "a", "quantity": "many"});
    platform.log.append(transaction(10, &[(None, Some(item(1, "a", 3))), (None, Some(wrong))])).await.expect("appended");
    let clicks = [json!({"sku": "a", "n": 1}), json!({"sku": "b", "n": "many"})];
    platform.log.append(clicks.map(|click| append("clicks", Some(click))).into()).await.expect("appended");
    platform.passed(11, &stores).await;
    for (store, rows) in [("numbers", 1), ("skus", 1), ("others", 2), ("raw", 2)] {
        assert_eq!(platform.rows(&format!("{store}.counts")), counts(rows, rows), "{store}");
    }
    // Nothing has changed: what failed fails again, and is put aside again.
    for lsn in [12, 13] {
        assert_eq!(platform.replay(lsn, &stores).await, 2);
        for (store, rows) in [("numbers", 1), ("skus", 1), ("others", 2), ("raw", 2)] {
            assert_eq!(platform.rows(&format!("{store}.counts")), counts(rows, rows), "{store}");
        }
    }
    platform.stop().await;

    // `numbers` is repaired, so it is built anew and finds the records at their first places; `skus` goes on, and waits for them.
    pipelines[0].1 = &others;
    let platform = Platform::start_all(dir.path(), &pipelines).await;
    assert_eq!(dlq::list(platform.log.as_ref(), 10, 0).await.expect("the dead letters").len(), 2);
    assert_eq!(platform.replay(14, &stores).await, 2);
    for store in ["numbers", "skus", "others", "raw"] {
        assert_eq!(platform.rows(&format!("{store}.counts")), counts(2, 2), "{store}");
    }
    assert_eq!(platform.replay(15, &stores).await, 0, "nothing failed");
    platform.stop().await;

    // Whoever is built anew from the log comes to the same.
    let skus = format!("-- Another text.\n{skus}");
    pipelines[1].1 = &skus;
    let platform = Platform::start_all(dir.path(), &pipelines).await;
    platform.replay(16, &stores).await;
    for store in ["numbers", "skus", "others", "raw"] {
        assert_eq!(platform.rows(&format!("{store}.counts")), counts(2, 2), "{store}");
    }
    platform.stop().await;
}

const RECENT: &str = "
CREATE TABLE clicks (sku TEXT, at TIMESTAMP) WITH (connector = 'kafka', topic = 'clicks', format = 'json', type = 'source');
CREATE TABLE recent (sku TEXT PRIMARY KEY, clicks BIGINT) WITH (connector = 'view', type = 'sink');
INSERT INTO recent SELECT sku, count(*) FROM clicks WHERE at > now() GROUP BY sku;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_age_out_though_nothing_comes_in() {
    let dir = tempfile::tempdir().expect("a folder");
    let platform = Platform::start_all(dir.path(), &[("recent", RECENT)]).await;
    let in_seconds = |seconds| (chrono::Utc::now() + chrono::TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%S").to_string();
    let clicks = [("soon", 3), ("late", 3600), ("late", 3600), ("past", -3600)];
    let clicks = clicks.map(|(sku, seconds)| append("clicks", Some(json!({"sku": sku, "at": in_seconds(seconds)}))));
    platform.log.append(clicks.into()).await.expect("appended");
    platform.reached("recent.recent", &Frontier::single("clicks", 4)).await;
    let left = [json!({"sku": "late", "clicks": 2})];
    tokio::time::timeout(Duration::from_secs(60), async {
        while platform.rows("recent.recent") != left {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("what is past goes");
    platform.handle.stop().await;
    drop((platform.log, platform.context));

    let platform = Platform::start_all(dir.path(), &[("recent", RECENT)]).await;
    platform.log.append(vec![append("clicks", Some(json!({"sku": "last", "at": in_seconds(3600)})))]).await.expect("appended");
    platform.reached("recent.recent", &Frontier::single("clicks", 5)).await;
    assert_eq!(platform.rows("recent.recent"), [json!({"sku": "last", "clicks": 1}), json!({"sku": "late", "clicks": 2})]);
    platform.handle.stop().await;
}

/// Levels as a topic, and a pipeline that reads it.
fn chained(condition: &str) -> [(&'static str, String); 2] {
    let levels = format!(
        "CREATE TABLE items (id BIGINT PRIMARY KEY, sku TEXT, quantity INT)
             WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');
         CREATE TABLE levels (sku TEXT PRIMARY KEY, units BIGINT) WITH (connector = 'kafka', topic = 'levels', type = 'sink');
         INSERT INTO levels SELECT sku, sum(quantity) FROM items WHERE {condition} GROUP BY sku;"
    );
    let totals = "CREATE TABLE levels (sku TEXT PRIMARY KEY, units BIGINT)
             WITH (connector = 'kafka', topic = 'levels', format = 'debezium_json', type = 'source');
         CREATE TABLE totals (id INT PRIMARY KEY, skus BIGINT, units BIGINT) WITH (connector = 'view', type = 'sink');
         INSERT INTO totals SELECT 1 AS id, count(*), sum(units) FROM levels;";
    [("levels", levels), ("totals", totals.to_owned())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_reads_the_topic_that_another_writes() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut items: Vec<(i64, String, i64)> = Vec::new();
    for round in 0..4_u64 {
        // In the last round another text: what does not belong there any more leaves the topic.
        let condition = if round == 3 { "quantity > 2" } else { "true" };
        let pipelines = chained(condition);
        let pipelines: Vec<(&str, &str)> = pipelines.iter().map(|(name, sql)| (*name, sql.as_str())).collect();
        let platform = Platform::start_all(dir.path(), &pipelines).await;
        for step in 1..=20 {
            let id = (round * 20 + step) as i64;
            let (sku, quantity) = (format!("sku-{}", id % 9), id % 5 + 1);
            let mut changes = vec![(None, Some(item(id, &sku, quantity)))];
            items.push((id, sku, quantity));
            if step % 4 == 0 {
                let (id, sku, quantity) = items.remove((id as usize * 7) % items.len());
                changes.push((Some(item(id, &sku, quantity)), None));
            }
            platform.log.append(transaction(id as u64, &changes)).await.expect("appended");
        }
        platform.reached("levels.levels", &Frontier::single("shop", round * 20 + 20)).await;
        let written = platform.log.end_offset("levels", 0).await.expect("an end");
        platform.reached("totals.totals", &Frontier::single("levels", written)).await;
        let mut levels = std::collections::BTreeMap::<&str, i64>::new();
        for (_, sku, quantity) in items.iter().filter(|(_, _, quantity)| round < 3 || *quantity > 2) {
            *levels.entry(sku).or_default() += quantity;
        }
        let expected = json!({"id": 1, "skus": levels.len(), "units": levels.values().sum::<i64>()});
        assert_eq!(platform.rows("totals.totals"), [expected], "round {round}");
        platform.stop().await;
    }
}
