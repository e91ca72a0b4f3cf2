//! Lookup joins of scripts, with real servers whose rows change while the script runs.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use chimera_local::{TestPostgres, TestRedis};
use chimera_pipelines::script::{self, Options, Summary};
use chimera_sql::Functions;
use serde_json::json;

use crate::script::{Shown, options, read, run};

/// Numbers and names, as they come out.
type Rows = Arc<Mutex<Vec<(i64, Option<String>)>>>;

struct Running {
    rows: Rows,
    options: Arc<std::sync::atomic::AtomicBool>,
    thread: std::thread::JoinHandle<Result<Summary, String>>,
}

/// Runs a script of one query, a number and a name.
fn start(sql: &str) -> Running {
    let program = script::parse(sql, &Functions::new()).unwrap_or_else(|error| panic!("{error}"));
    let rows = Rows::default();
    let shown = rows.clone();
    let preview: script::Preview = Box::new(move |_, _, changes| {
        let (numbers, names) =
            (changes.batch.column(0).as_primitive::<Int64Type>().clone(), changes.batch.column(1).as_string::<i32>().clone());
        let name = |row: usize| names.is_valid(row).then(|| names.value(row).to_owned());
        shown.lock().unwrap().extend((0..numbers.len()).map(|row| (numbers.value(row), name(row))));
        Ok(())
    });
    let options = Options { preview, ..options(&Shown::default()) };
    let stop = options.stop.clone();
    let thread = std::thread::spawn(move || script::run(&program, options).map_err(|error| error.to_string()));
    Running { rows, options: stop, thread }
}

impl Running {
    /// Waits until a row has come for which this holds.
    fn until(&self, what: &str, holds: impl Fn(&(i64, Option<String>)) -> bool) {
        let since = Instant::now();
        while !self.rows.lock().unwrap().iter().any(&holds) {
            assert!(!self.thread.is_finished(), "the script ended before {what}");
            assert!(since.elapsed() < Duration::from_secs(120), "no row for two minutes: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn stop(self) -> (Vec<(i64, Option<String>)>, Summary) {
        self.options.store(true, Ordering::Relaxed);
        let summary = self.thread.join().unwrap().unwrap();
        let mut rows = self.rows.lock().unwrap().clone();
        rows.sort();
        (rows, summary)
    }
}

#[test]
fn rows_are_what_redis_said_when_they_came() {
    let Ok(mut server) = TestRedis::start().map_err(|error| {
        assert!(error.is_missing(), "{error}");
        eprintln!("skipped: {error}");
    }) else {
        return;
    };
    server.ask(&["SET", "p:0", r#"{"name": "old"}"#]).unwrap();
    let running = start(&format!(
        "CREATE TABLE numbers WITH (connector = 'impulse', event_rate = '100');
         CREATE TEMPORARY TABLE products (id TEXT METADATA FROM 'key' PRIMARY KEY, name TEXT)
             WITH (connector = 'redis', type = 'lookup', address = '{}', format = 'json', 'target.key_prefix' = 'p:');
         SELECT n.counter, p.name FROM numbers AS n LEFT JOIN products AS p ON CAST(n.counter % 2 AS TEXT) = p.id;",
        server.url()
    ));
    running.until("the first answer", |(_, name)| name.as_deref() == Some("old"));
    server.ask(&["SET", "p:0", r#"{"name": "new"}"#]).unwrap();
    running.until("the changed answer", |(_, name)| name.as_deref() == Some("new"));
    // Nobody is there for a while: rows wait.
    server.stop().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    server.start_again().unwrap();
    server.ask(&["SET", "p:0", r#"{"name": "again"}"#]).unwrap();
    running.until("an answer after the server came back", |(_, name)| name.as_deref() == Some("again"));
    let (rows, _) = running.stop();
    assert!(rows.iter().enumerate().all(|(index, (n, _))| *n == index as i64), "each number once");
    assert!(rows.iter().filter(|(n, _)| n % 2 == 1).all(|(_, name)| name.is_none()), "no product has an odd number");
    let names: Vec<_> = rows.iter().filter_map(|(_, name)| name.clone()).collect();
    let order = |name: &str| ["old", "new", "again"].iter().position(|known| *known == name).unwrap();
    assert!(names.windows(2).all(|pair| order(&pair[0]) <= order(&pair[1])), "an answer that was there no more: {names:?}");
}

#[test]
fn changes_are_looked_up_in_postgres_from_file_to_file() {
    let Ok(server) = TestPostgres::start().map_err(|error| {
        assert!(error.is_missing(), "{error}");
        eprintln!("skipped: {error}");
    }) else {
        return;
    };
    server.query("postgres", "CREATE TABLE products (id INT PRIMARY KEY, name TEXT, price NUMERIC(10, 2)); INSERT INTO products VALUES (1, 'pen', 1.50), (2, 'ink', 12)").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let line = |before: serde_json::Value, after: serde_json::Value, op: &str| {
        format!("{}\n", json!({"before": before, "after": after, "op": op}))
    };
    let item = |id: i64, product: Option<i64>, units: i64| json!({"id": id, "product": product, "units": units});
    let changes = [
        line(json!(null), item(1, Some(1), 3), "c"),
        line(json!(null), item(2, Some(2), 1), "c"),
        line(json!(null), item(3, Some(9), 5), "c"),
        line(json!(null), item(4, None, 7), "c"),
        line(item(1, Some(1), 3), item(1, Some(1), 4), "u"),
        line(item(2, Some(2), 1), json!(null), "d"),
    ];
    std::fs::write(dir.path().join("items.json"), changes.concat()).unwrap();
    let sql = format!(
        "CREATE TABLE items (id INT PRIMARY KEY, product BIGINT, units INT) WITH (connector = 'single_file', format = 'debezium_json', path = 'DIR/items.json');
         CREATE TABLE products (id INT PRIMARY KEY, name TEXT, price DECIMAL(10, 2))
             WITH (connector = 'postgres', type = 'lookup', url = '{}', table = 'products', 'lookup.cache.ttl' = INTERVAL '1 minute');
         CREATE TABLE out (id INT PRIMARY KEY, name TEXT, cost DECIMAL(20, 2)) WITH (connector = 'single_file', format = 'debezium_json', path = 'DIR/out.json');
         INSERT INTO out SELECT i.id, p.name, i.units * p.price FROM items AS i LEFT JOIN products AS p ON i.product = p.id;",
        server.url("postgres")
    );
    let sql = sql.replace("DIR", dir.path().to_str().unwrap());
    let summary = run(&sql).unwrap();
    assert_eq!((summary.read["items"], summary.ended), (7, true));
    let mut found: Vec<String> = read(&dir.path().join("out.json")).iter().map(|change| change["after"].to_string()).collect();
    found.sort();
    let row = |id: i64, name: Option<&str>, cost: Option<&str>| json!({"id": id, "name": name, "cost": cost}).to_string();
    let expected = [row(1, Some("pen"), Some("6.00")), row(3, None, None), row(4, None, None)];
    assert!(
        found.iter().zip(&expected).all(|(found, expected)| found.replace('\"', "") == expected.replace('\"', "")),
        "{found:?}\n{expected:?}"
    );
    assert_eq!(found.len(), 3);
    let refused = run(&sql.replace("table = 'products'", "table = 'nosuch'")).unwrap_err();
    assert!(refused.contains("table products: there is no table or view \"nosuch\""), "{refused}");
}
