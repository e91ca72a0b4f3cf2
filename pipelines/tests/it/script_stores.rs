//! Scripts that keep rows by key in Redis and PostgreSQL.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chimera_local::{TestPostgres, TestRedis};
use chimera_pipelines::script::{self, Options};
use chimera_sql::Functions;
use serde_json::{Value, json};

fn run(sql: &str) -> Result<script::Summary, String> {
    let program = script::parse(sql, &Functions::new()).map_err(|error| error.to_string())?;
    let options = Options { workers: 1, preview: Box::new(|_, _, _| Ok(())), stop: Arc::new(AtomicBool::new(false)), late: None };
    script::run(&program, options).map_err(|error| error.to_string())
}

/// A changelog of accounts: customer `n % 7`, with updates and deletes; and what is left of each customer.
fn changes(path: &Path, last: u64) -> Vec<(u64, u64, u64)> {
    let row = |n: u64, cents: u64| json!({"id": n, "customer": n % 7, "cents": cents});
    let mut lines: Vec<Value> = (0..last).map(|n| json!({"op": "c", "before": null, "after": row(n, n)})).collect();
    // Every third one is changed, every customer's accounts but those of 0 to 4 go.
    lines.extend((0..last).filter(|n| n % 3 == 0).map(|n| json!({"op": "u", "before": row(n, n), "after": row(n, n + 1_000)})));
    let cents = |n: u64| if n.is_multiple_of(3) { n + 1_000 } else { n };
    lines.extend((0..last).filter(|n| n % 7 > 4).map(|n| json!({"op": "d", "before": row(n, cents(n)), "after": null})));
    std::fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let of = |customer: u64| (0..last).filter(move |n| n % 7 == customer);
    (0..5).map(|customer| (customer, of(customer).count() as u64, of(customer).map(cents).sum())).collect()
}

fn script(path: &Path, sink: &str) -> String {
    format!(
        "CREATE TABLE accounts (id BIGINT PRIMARY KEY, customer BIGINT, cents BIGINT)
             WITH (connector = 'single_file', format = 'debezium_json', path = '{}', type = 'source');
         CREATE TABLE totals (customer BIGINT PRIMARY KEY, n BIGINT, cents BIGINT) WITH ({sink}, type = 'sink');
         INSERT INTO totals SELECT customer, count(*), CAST(sum(cents) AS BIGINT) FROM accounts GROUP BY customer;",
        path.display()
    )
}

#[test]
fn redis_holds_what_a_script_says() {
    let redis = match TestRedis::start() {
        Ok(redis) => redis,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.json");
    let sink = format!("connector = 'redis', address = '{}', 'target.key_prefix' = 'totals:'", redis.url());
    redis.ask(&["SET", "other", "stays"]).unwrap();
    // The second run finds what the first one wrote, and begins anew.
    for last in [30_000, 20] {
        let expected = changes(&path, last);
        run(&script(&path, &sink)).unwrap();
        let mut keys = redis.ask(&["KEYS", "totals:*"]).unwrap();
        keys.sort();
        assert_eq!(keys, ["totals:0", "totals:1", "totals:2", "totals:3", "totals:4"]);
        for (customer, n, cents) in expected {
            let row: Value = serde_json::from_str(&redis.ask(&["GET", &format!("totals:{customer}")]).unwrap()[0]).unwrap();
            assert_eq!(row, json!({"customer": customer, "n": n, "cents": cents}));
        }
    }
    assert_eq!(redis.ask(&["GET", "other"]).unwrap(), ["stays"]);
    redis.ask(&["SET", "mine:1", "by hand"]).unwrap();
    let error = run(&script(&path, &sink.replace("totals:", "mine:"))).unwrap_err();
    assert!(error.contains("no script wrote") && redis.ask(&["GET", "mine:1"]).unwrap() == ["by hand"], "{error}");
    let error = run(&script(&path, "connector = 'redis', 'target.key_prefix' = 'a:'")).unwrap_err();
    assert!(error.contains("'address' is missing"), "{error}");
}

#[test]
fn postgresql_holds_what_a_script_says() {
    let postgres = match TestPostgres::start() {
        Ok(postgres) => postgres,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.json");
    let sink = format!("connector = 'postgres', url = '{}', database = 'reports', table = 'totals'", postgres.url("postgres"));
    for last in [30_000, 20] {
        let expected = changes(&path, last);
        run(&script(&path, &sink)).unwrap();
        let found = postgres.query("reports", "SELECT customer || ' ' || n || ' ' || cents FROM totals ORDER BY customer").unwrap();
        let lines: Vec<String> = expected.iter().map(|(customer, n, cents)| format!("{customer} {n} {cents}")).collect();
        assert_eq!(found.trim(), lines.join("\n"));
    }
    let made = "CREATE TABLE mine (customer BIGINT PRIMARY KEY, n BIGINT, cents BIGINT); INSERT INTO mine VALUES (1, 2, 3)";
    postgres.query("reports", made).unwrap();
    let error = run(&script(&path, &sink.replace("'totals'", "'mine'"))).unwrap_err();
    assert!(error.contains("no script wrote"), "{error}");
    assert_eq!(postgres.query("reports", "SELECT n FROM mine").unwrap().trim(), "2");
}
