//! A store that stands still while changes go on coming.

use std::process::Command;
use std::time::{Duration, Instant};

use chimera_connectors::Frontier;
use chimera_local::{Redis, RedisOptions};
use serde_json::{Value, json};

use crate::platform::{Platform, item, transaction};
use crate::runtime::SQL;

const LINES: &str = "
CREATE TABLE items (id BIGINT PRIMARY KEY, sku TEXT, quantity INT)
    WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');
CREATE TABLE lines (id BIGINT PRIMARY KEY, sku TEXT, quantity INT)
    WITH (connector = 'redis', type = 'sink', target = 'json', 'target.key_prefix' = 'line:');
INSERT INTO lines SELECT id, sku, quantity FROM items;
";

/// Rows of a transaction, and transactions while the store stands still: far more than may wait for it.
const ROWS: u64 = 100;
const TRANSACTIONS: u64 = 200;
/// Epochs that may be between a pipeline and its store: an inbox, and as many as are joined in one write.
const WAITING: u64 = 80;

/// A process that does nothing until this is dropped.
struct Stopped(String);

impl Stopped {
    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0]).status().expect("kill runs").success());
    }

    fn new(pid: String) -> Self {
        let stopped = Self(pid);
        stopped.signal("-STOP");
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

async fn write(platform: &Platform, lsn: u64) {
    let line = |row: u64| (None, Some(item((lsn * ROWS + row) as i64, &format!("sku-{}", row % 7), 1)));
    platform.log.append(transaction(lsn, &(0..ROWS).map(line).collect::<Vec<_>>())).await.expect("appended");
}

async fn holds(platform: &Platform, store: &str, lsn: u64) {
    platform.handle.wait_for(store, &Frontier::single("shop", lsn), Duration::from_secs(90)).await.expect("the store gets there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_stands_still_holds_up_nobody_else_and_loses_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let redis = match Redis::start(&RedisOptions::new(dir.path().join("redis"))) {
        Ok(redis) => redis,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let pid = std::fs::read_to_string(dir.path().join("redis/redis.pid")).expect("its process").trim().to_owned();
    let pipelines = [("levels", SQL), ("kept", LINES)];
    let platform = Platform::start_changed(dir.path(), &pipelines, "", &redis.url(), |_| {}).await;
    write(&platform, 1).await;
    holds(&platform, "kept.lines", 1).await;

    let stopped = Stopped::new(pid);
    let began = Instant::now();
    for lsn in 2..=TRANSACTIONS {
        write(&platform, lsn).await;
        // An epoch each, at the least.
        holds(&platform, "levels.levels", lsn).await;
    }
    let took = began.elapsed();
    let of = |name: &str| platform.handle.pipelines().into_iter().find(|pipeline| pipeline.name == name).expect("the pipeline");
    let (pipeline, store) = (of("kept").epoch, platform.handle.store("kept.lines").expect("the store").epoch);
    assert!(platform.handle.epoch() >= TRANSACTIONS && of("levels").epoch + WAITING > platform.handle.epoch());
    // It waits for its store, so what is in memory does not grow with what is written.
    assert!(pipeline <= store + WAITING, "{pipeline} is {} epochs ahead of the store", pipeline - store);
    assert!(store + WAITING < platform.handle.epoch(), "the store did not stand still for {took:?}");
    drop(stopped);

    holds(&platform, "kept.lines", TRANSACTIONS).await;
    let keys = redis.ask(&["KEYS", "line:*"]).expect("the keys");
    assert_eq!(keys.len() as u64, TRANSACTIONS * ROWS);
    for id in [ROWS, ROWS + 3, TRANSACTIONS / 2 * ROWS + 13, TRANSACTIONS * ROWS + ROWS - 1] {
        let found: Value = serde_json::from_str(&redis.ask(&["GET", &format!("line:{id}")]).expect("a line")[0]).expect("JSON");
        assert_eq!((&found["sku"], &found["quantity"]), (&json!(format!("sku-{}", id % ROWS % 7)), &json!(1)));
    }
    platform.handle.stop().await;
    redis.stop().expect("stopped");
}
