//! Views that are created, replaced, renamed and dropped while transactions come in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chimera_connectors::Frontier;
use chimera_pipelines::{Actor, ViewError};
use serde_json::{Value, json};

use crate::platform::{Platform, item, transaction};

const SOURCES: &str = "
CREATE TABLE items (id BIGINT PRIMARY KEY, sku TEXT, quantity INT)
    WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');
";

/// A pipeline that is there from the start.
const TOTALS: &str = "
CREATE TABLE items (id BIGINT PRIMARY KEY, quantity INT)
    WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');
CREATE TABLE totals (id INT PRIMARY KEY, lines BIGINT) WITH (connector = 'view', type = 'sink');
INSERT INTO totals SELECT 1 AS id, count(*) FROM items;
";

const ANALYST: Actor<'static> = Actor { name: "analyst", owns_all: false };
const OPERATOR: Actor<'static> = Actor { name: "operator", owns_all: true };
const AT_MOST: Duration = Duration::from_secs(20);

async fn start(dir: &Path) -> Platform {
    Platform::start_with(dir, &[("totals", TOTALS)], SOURCES).await
}

/// The items that were written, and what views of them are to hold.
#[derive(Default)]
struct Shop {
    lsn: u64,
    items: BTreeMap<i64, (String, i64)>,
}

impl Shop {
    /// Writes transactions: items that come, and now and then one that goes.
    async fn write(&mut self, platform: &Platform, transactions: u64) {
        for _ in 0..transactions {
            self.lsn += 1;
            let (id, sku, quantity) = (self.lsn as i64, format!("sku-{}", self.lsn % 7), (self.lsn % 5) as i64 - 1);
            let mut changes = vec![(None, Some(item(id, &sku, quantity)))];
            self.items.insert(id, (sku, quantity));
            if let Some((sku, quantity)) = (id % 4 == 0).then(|| self.items.remove(&(id / 2))).flatten() {
                changes.push((Some(item(id / 2, &sku, quantity)), None));
            }
            platform.log.append(transaction(self.lsn, &changes)).await.expect("appended");
        }
    }

    fn by_sku(&self) -> Vec<Value> {
        let mut by_sku: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (sku, quantity) in self.items.values() {
            let entry = by_sku.entry(sku).or_default();
            *entry = (entry.0 + 1, entry.1 + quantity);
        }
        by_sku.into_iter().map(|(sku, (lines, units))| json!({"sku": sku, "lines": lines, "units": units})).collect()
    }

    async fn reached(&self, platform: &Platform, view: &str) {
        platform.reached(view, &Frontier::single("shop", self.lsn)).await;
    }
}

const BY_SKU: &str =
    "CREATE MATERIALIZED VIEW mine.by_sku AS SELECT sku, count(*) AS lines, sum(quantity) AS units FROM items GROUP BY sku";

async fn create(platform: &Platform, statement: &str) -> Result<(), ViewError> {
    let id = platform.handle.create_view(statement, ANALYST).await?.expect("a new view");
    assert!(platform.handle.filled(id, AT_MOST).await?, "not filled in time");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_filled_from_the_log_goes_on_and_comes_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shop = Shop::default();
    let platform = start(dir.path()).await;
    shop.write(&platform, 150).await;
    shop.reached(&platform, "totals.totals").await;
    create(&platform, BY_SKU).await.expect("created");
    assert_eq!(platform.rows("mine.by_sku"), shop.by_sku(), "what the others hold is in it, without waiting for anything");
    shop.write(&platform, 50).await;
    shop.reached(&platform, "mine.by_sku").await;
    assert_eq!(platform.rows("mine.by_sku"), shop.by_sku());
    create(&platform, "CREATE MATERIALIZED VIEW top AS SELECT sku FROM mine.by_sku WHERE lines > 20").await.expect("created");
    platform.stop().await;

    let platform = start(dir.path()).await;
    assert_eq!(platform.rows("mine.by_sku"), shop.by_sku(), "it can be read at once");
    shop.write(&platform, 30).await;
    for view in ["mine.by_sku", "public.top", "totals.totals"] {
        shop.reached(&platform, view).await;
    }
    assert_eq!(platform.rows("mine.by_sku"), shop.by_sku());
    assert_eq!(platform.rows("totals.totals"), [json!({"id": 1, "lines": shop.items.len()})]);
    let top: Vec<Value> =
        shop.by_sku().into_iter().filter(|row| row["lines"].as_i64() > Some(20)).map(|row| json!({"sku": row["sku"]})).collect();
    assert_eq!(platform.rows("public.top"), top);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_view_is_read_without_a_gap() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shop = Shop::default();
    let platform = start(dir.path()).await;
    shop.write(&platform, 100).await;
    shop.reached(&platform, "totals.totals").await;
    create(&platform, "CREATE MATERIALIZED VIEW mine.by_sku AS SELECT sku, max(id) AS last FROM items GROUP BY sku")
        .await
        .expect("created");
    // A reader sees the newest item grow, whichever view it reads.
    let (views, over) = (platform.context.views.clone(), Arc::new(AtomicBool::new(false)));
    let reader = std::thread::spawn({
        let over = over.clone();
        move || {
            let (mut newest, mut reads, mut shapes) = (0, 0_u64, std::collections::BTreeSet::new());
            while !over.load(Ordering::Acquire) {
                let (_, rows) = views.scan("mine.by_sku", 1000, false).expect("a scan").expect("the view");
                let seen = rows.iter().filter_map(|row| row["last"].as_i64()).max().unwrap_or(0);
                assert!(seen >= newest, "{seen} after {newest}");
                (newest, reads) = (seen, reads + 1);
                shapes.insert(rows[0].as_object().expect("a row").len());
            }
            (reads, shapes)
        }
    });
    let replace = "CREATE OR REPLACE MATERIALIZED VIEW mine.by_sku AS \
        SELECT sku, count(*) AS lines, sum(quantity) AS units, max(id) AS last FROM items GROUP BY sku";
    let id = platform.handle.create_view(replace, ANALYST).await.expect("accepted").expect("a view");
    shop.write(&platform, 300).await;
    assert!(platform.handle.filled(id, AT_MOST).await.expect("it runs"));
    shop.write(&platform, 20).await;
    shop.reached(&platform, "mine.by_sku").await;
    over.store(true, Ordering::Release);
    let (reads, shapes) = reader.join().expect("every read was whole");
    assert!(reads > 10 && shapes.contains(&4), "{reads} reads, {shapes:?} columns");
    let lines: Vec<Value> = platform.rows("mine.by_sku").iter().map(|row| row["lines"].clone()).collect();
    assert_eq!(lines, shop.by_sku().iter().map(|row| row["lines"].clone()).collect::<Vec<_>>());
    assert_eq!(platform.handle.created_views().len(), 1, "the old one is gone");

    // Built anew, it comes to the same.
    let id = platform.handle.rebuild_view("mine.by_sku", ANALYST).await.expect("accepted");
    assert!(platform.handle.filled(id, AT_MOST).await.expect("it runs"));
    let lines_again: Vec<Value> = platform.rows("mine.by_sku").iter().map(|row| row["lines"].clone()).collect();
    assert_eq!(lines_again, lines);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_are_renamed_and_dropped_by_those_who_may() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shop = Shop::default();
    let platform = start(dir.path()).await;
    shop.write(&platform, 40).await;
    create(&platform, BY_SKU).await.expect("created");
    create(&platform, "CREATE MATERIALIZED VIEW mine.large AS SELECT sku FROM mine.by_sku WHERE units > 5").await.expect("created");
    let handle = &platform.handle;
    let refused = |result: Result<Option<u64>, ViewError>| result.expect_err("refused").to_string();

    assert!(refused(handle.create_view(BY_SKU, ANALYST).await).contains("already"));
    let again = BY_SKU.replace("VIEW mine", "VIEW IF NOT EXISTS mine");
    assert!(handle.create_view(&again, ANALYST).await.expect("accepted").is_none());
    let replace = BY_SKU.replace("CREATE", "CREATE OR REPLACE");
    assert!(refused(handle.create_view(&replace, ANALYST).await).contains("read by mine.large"));
    assert!(refused(handle.create_view(&BY_SKU.replace("mine.", "totals."), ANALYST).await).contains("another schema"));
    assert!(refused(handle.create_view(&BY_SKU.replace("mine.", "pg_catalog."), ANALYST).await).contains("the system's"));
    let nothing = BY_SKU.replace("mine.by_sku", "mine.other").replace("FROM items", "FROM nothing");
    assert!(refused(handle.create_view(&nothing, ANALYST).await).contains("line 1"));
    let theirs = handle.create_view("CREATE MATERIALIZED VIEW theirs AS SELECT sku FROM items", OPERATOR).await.expect("created");
    assert!(handle.filled(theirs.expect("a view"), AT_MOST).await.expect("it runs"));
    let error = handle.drop_view("public.theirs", ANALYST).await.expect_err("refused").to_string();
    assert!(error.contains("belongs to operator"), "{error}");
    assert!(handle.drop_view("mine.by_sku", ANALYST).await.expect_err("refused").to_string().contains("read by mine.large"));
    handle.drop_view("mine.large", OPERATOR).await.expect("dropped");
    handle.rename_view("mine.by_sku", "skus", ANALYST).await.expect("renamed");
    assert!(platform.rows("mine.by_sku").is_empty());
    platform.stop().await;

    let platform = start(dir.path()).await;
    shop.reached(&platform, "mine.skus").await;
    assert_eq!(platform.rows("mine.skus"), shop.by_sku());
    shop.write(&platform, 10).await;
    shop.reached(&platform, "mine.skus").await;
    assert_eq!(platform.rows("mine.skus"), shop.by_sku());
    // Under a name that is free again, another view.
    create(&platform, "CREATE MATERIALIZED VIEW mine.by_sku AS SELECT DISTINCT sku FROM items").await.expect("created");
    assert_eq!(platform.rows("mine.by_sku").len(), 7);
    platform.handle.drop_view("mine.skus", ANALYST).await.expect("dropped");
    let names: Vec<String> = platform.context.views.list().into_iter().map(|view| view.name).collect();
    assert_eq!(names, ["mine.by_sku", "public.theirs", "totals.totals"]);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_cannot_be_planned_any_more_is_reported_and_stops_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shop = Shop::default();
    let platform = start(dir.path()).await;
    shop.write(&platform, 20).await;
    create(&platform, BY_SKU).await.expect("created");
    create(&platform, "CREATE MATERIALIZED VIEW mine.all AS SELECT * FROM items").await.expect("created");
    platform.stop().await;

    // As an upgrade that lacks a column would.
    let sources = SOURCES.replace(", quantity INT", "");
    let platform = Platform::start_with(dir.path(), &[("totals", TOTALS)], &sources).await;
    let views = platform.handle.created_views();
    let error = views[0].error.as_deref().expect("an error");
    assert!(error.contains("quantity") && views[0].view.name == "mine.by_sku", "{error}");
    assert!(platform.context.views.list().iter().all(|view| view.name != "mine.by_sku"));
    // The other one has other columns, and so is built anew.
    assert!(platform.handle.filled(views[1].view.id, AT_MOST).await.expect("it runs"));
    shop.reached(&platform, "mine.all").await;
    let ids: Vec<i64> = platform.rows("mine.all").iter().map(|row| row["id"].as_i64().expect("a number")).collect();
    assert_eq!(ids, shop.items.keys().copied().collect::<Vec<_>>());
    platform.stop().await;

    let platform = start(dir.path()).await;
    shop.reached(&platform, "mine.by_sku").await;
    assert_eq!(platform.rows("mine.by_sku"), shop.by_sku());
    platform.handle.drop_view("mine.by_sku", ANALYST).await.expect("dropped");
    platform.stop().await;
}
