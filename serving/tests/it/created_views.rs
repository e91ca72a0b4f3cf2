//! Views that an analyst creates with psql, compared with PostgreSQL's own answer on the source tables.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::platform::chimera;
use crate::psql::{Shop, order};

const BY_COUNTRY: &str = "SELECT o.country, count(*) AS lines, sum(i.quantity) AS units, sum(i.quantity * i.unit_price) AS revenue \
    FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.country";

/// Asks until the view holds what PostgreSQL says; a change needs a moment to get there.
fn equals(shop: &Shop, view: &str, columns: &str, query: &str) {
    let expected = shop.database("orders", &format!("SELECT {columns} FROM ({query}) AS q ORDER BY 1, 2"));
    assert!(!expected.is_empty(), "{query}");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found = shop.as_user("reader", &format!("SELECT {columns} FROM {view} ORDER BY 1, 2"));
        if found.as_deref() == Ok(expected.as_str()) {
            return;
        }
        assert!(Instant::now() < deadline, "{view} holds {found:?}, PostgreSQL says {expected}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_analyst_creates_replaces_renames_and_drops_views() {
    let shop = Shop::start();
    let analyst = |sql: &str| shop.as_user("analyst", sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let refused = |user: &str, sql: &str| shop.as_user(user, sql).expect_err(sql);
    assert!(analyst(&format!("CREATE MATERIALIZED VIEW mine.by_country AS {BY_COUNTRY}")).contains("CREATE MATERIALIZED VIEW"));
    equals(&shop, "mine.by_country", "country, lines, units, revenue", BY_COUNTRY);
    order(shop.home.path());
    equals(&shop, "mine.by_country", "country, lines, units, revenue", BY_COUNTRY);

    // On top of it, and in its place.
    let large = "SELECT country, units FROM mine.by_country WHERE units > 10";
    analyst(&format!("CREATE MATERIALIZED VIEW large AS {large}"));
    equals(&shop, "large", "country, units", &large.replace("mine.by_country", &format!("({BY_COUNTRY}) AS c")));
    assert!(refused("analyst", "DROP MATERIALIZED VIEW mine.by_country").contains("read by public.large"));
    analyst("DROP MATERIALIZED VIEW large");
    let more = BY_COUNTRY.replace("count(*) AS lines", "count(*) AS lines, count(DISTINCT o.id) AS orders");
    analyst(&format!("CREATE OR REPLACE MATERIALIZED VIEW mine.by_country AS {more}"));
    equals(&shop, "mine.by_country", "country, orders, lines, units, revenue", &more);
    analyst("ALTER MATERIALIZED VIEW mine.by_country RENAME TO countries");
    equals(&shop, "mine.countries", "country, orders, revenue", &more);
    let lines = analyst("CREATE MATERIALIZED VIEW mine.skus AS SELECT sku, quantity FROM order_items");
    assert!(lines.contains("copies"), "{lines}");
    equals(&shop, "mine.skus", "sku, quantity, copies", "SELECT sku, quantity, count(*) AS copies FROM order_items GROUP BY sku, quantity");

    // What it is made of, and that it is there.
    let explained = analyst("EXPLAIN MATERIALIZED VIEW mine.countries");
    assert!(explained.contains("of analyst") && explained.contains("join") && explained.contains("keeps"), "{explained}");
    assert!(analyst("EXPLAIN MATERIALIZED VIEW sales.by_country").contains("by_country ="));
    assert!(analyst(&format!("EXPLAIN CREATE MATERIALIZED VIEW a AS {BY_COUNTRY}")).contains("inner join"));
    assert!(analyst("\\d mine.countries").contains("orders"));
    assert!(analyst("REFRESH MATERIALIZED VIEW mine.countries").contains("always fresh"));
    assert!(analyst(&format!("CREATE MATERIALIZED VIEW IF NOT EXISTS mine.countries AS {more}")).contains("skipping"));
    assert!(analyst("DROP MATERIALIZED VIEW IF EXISTS mine.nothing").contains("skipping"));

    operators_see_pipelines(&shop, &more);

    // What is wrong is pointed at, as PostgreSQL does.
    let error = refused("analyst", "CREATE MATERIALIZED VIEW mine.wrong AS\n  SELECT contry FROM orders");
    assert!(
        error.contains("contry") && error.contains("LINE 2:   SELECT contry FROM orders") && error.contains("\n                 ^"),
        "{error}"
    );
    assert!(error.contains("HINT") && error.contains("country"), "{error}");
    for (user, sql, message) in [
        ("reader", "CREATE MATERIALIZED VIEW mine.b AS SELECT id FROM orders", "may only read"),
        ("reader", "DROP MATERIALIZED VIEW mine.countries", "may only read"),
        ("analyst", "CREATE MATERIALIZED VIEW sales.b AS SELECT id FROM orders", "another schema"),
        ("analyst", "CREATE MATERIALIZED VIEW mine.countries AS SELECT id FROM orders", "already"),
        ("analyst", "CREATE MATERIALIZED VIEW mine.b WITH (fillfactor = 7) AS SELECT id FROM orders", "fillfactor"),
        ("analyst", "DROP MATERIALIZED VIEW sales.by_country", "no view"),
        ("reader", "CREATE INDEX i ON mine.countries (orders)", "may only read"),
        ("analyst", "CREATE INDEX i ON sales.by_country (orders)", "belongs to operator"),
        ("analyst", "CREATE INDEX i ON mine.countries (nothing)", "no column"),
        ("analyst", "INSERT INTO mine.countries VALUES ('a')", "only reading"),
    ] {
        let error = refused(user, sql);
        assert!(error.contains(message), "{sql}: {error}");
    }
    shop.as_user("operator", "CREATE MATERIALIZED VIEW ours AS SELECT id FROM orders").expect("created");
    assert!(refused("analyst", "DROP MATERIALIZED VIEW ours").contains("belongs to operator"));
    shop.as_user("operator", "DROP MATERIALIZED VIEW ours, mine.skus").expect("dropped");
    analyst("DROP MATERIALIZED VIEW mine.countries; CREATE MATERIALIZED VIEW mine.countries AS SELECT id, country FROM orders");
    equals(&shop, "mine.countries", "id, country", "SELECT id, country FROM orders");
}

/// `chimera pipelines` with the platform that runs; `query` is that of `mine.countries`.
fn operators_see_pipelines(shop: &Shop, query: &str) {
    let run = |arguments: &[&str]| {
        let done = chimera(shop.home.path()).arg("pipelines").args(arguments).output().expect("it runs");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let json = |arguments: &[&str]| -> serde_json::Value { serde_json::from_str(&run(arguments)).expect("JSON") };
    let listed = json(&["list", "--output", "json"]);
    let find = |name: &str| listed["pipelines"].as_array().expect("a list").iter().find(|p| p["name"] == name).cloned().expect(name);
    assert_eq!((find("sales")["owner"].is_null(), find("mine.countries")["owner"].as_str()), (true, Some("analyst")));
    assert_eq!((find("sales")["state"].as_str(), find("mine.countries")["state"].as_str()), (Some("running"), Some("running")));
    assert!(find("mine.countries")["state_bytes"].as_u64() > Some(0));
    assert!(run(&["list"]).contains("state MB"));

    let file = shop.home.path().join("other.sql");
    let path = file.to_str().expect("a path");
    let diff = |sql: &str| {
        std::fs::write(&file, sql).expect("written");
        json(&["diff", "mine.countries", path, "--output", "json"])
    };
    let same = diff(&format!("CREATE OR REPLACE MATERIALIZED VIEW mine.by_country AS {query}"));
    assert_eq!((same["is_rebuilt"].as_bool(), same["stores"][0]["change"].as_str()), (Some(false), Some("same")), "{same:#}");
    let other = diff(&format!("CREATE MATERIALIZED VIEW mine.by_country AS {}", query.replace("sum(i.quantity)", "max(i.quantity)")));
    assert_eq!((other["is_rebuilt"].as_bool(), other["stores"][0]["change"].as_str()), (Some(true), Some("changed")), "{other:#}");
    let lines: Vec<&str> = other["plan"].as_array().expect("lines").iter().filter_map(serde_json::Value::as_str).collect();
    assert!(lines.iter().any(|line| line.starts_with("- ")) && lines.iter().any(|line| line.starts_with("+ ")), "{lines:?}");

    let graph = json(&["graph", "mine.countries", "--format", "json"]);
    let labels: Vec<&str> = graph[0]["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["label"].as_str()).collect();
    assert!(labels.contains(&"orders") && labels.contains(&"order_items"), "{labels:?}");
    assert!(run(&["graph", "--format", "dot"]).contains("label = \"sales\""));
    assert!(run(&["explain", "mine.countries"]).contains("keeps"));
    run(&["rebuild", "mine.countries"]);
    equals(shop, "mine.countries", "country, orders, revenue", query);
    let refused = chimera(shop.home.path()).args(["pipelines", "rebuild", "sales"]).output().expect("it runs");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("pipeline of the binary"), "{refused:?}");
}

#[test]
fn a_view_that_was_being_filled_when_the_platform_was_killed_is_filled_afterwards() {
    let shop = Shop::start();
    let created = shop.home.path().join("engine/created");
    let mut psql = Command::new("psql");
    let statement = format!("CREATE MATERIALIZED VIEW mine.by_country AS {BY_COUNTRY}");
    let mut psql = psql
        .args([&shop.views_url, "-X", "-c", &statement])
        .env("PGPASSWORD", &shop.token)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("psql runs");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !created.join("1.sql").exists() {
        assert!(Instant::now() < deadline, "the view is not written down");
        std::thread::sleep(Duration::from_millis(1));
    }
    let home = shop.kill();
    psql.wait().expect("a child");
    let shop = Shop::start_in(home);
    order(shop.home.path());
    equals(&shop, "mine.by_country", "country, lines, units, revenue", BY_COUNTRY);
    let home = shop.kill();
    let shop = Shop::start_in(home);
    equals(&shop, "mine.by_country", "country, lines, units, revenue", BY_COUNTRY);
}

#[tokio::test]
async fn a_driver_creates_a_view_and_its_changes_are_streamed() {
    let shop = tokio::task::spawn_blocking(Shop::start).await.expect("a shop");
    let url = shop.views_url.replace("operator@", &format!("operator:{}@", shop.token));
    let pool = sqlx::PgPool::connect(&url).await.expect("a session");
    sqlx::query("CREATE MATERIALIZED VIEW mine.kinds AS SELECT kind, count(*) AS orders FROM orders GROUP BY kind")
        .execute(&pool)
        .await
        .expect("created");
    let note: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shop.home.path().join("running.json")).expect("the note")).expect("JSON");
    let stream = format!("{}/api/v1/views/mine.kinds/stream", note["http_url"].as_str().expect("a URL"));
    let mut answer = reqwest::Client::new().get(stream).bearer_auth(&shop.token).send().await.expect("an answer");
    let mut seen = String::new();
    let home = shop.home.path().to_owned();
    let ordering = tokio::task::spawn_blocking(move || order(&home));
    while !(seen.contains("event: snapshot") && seen.contains("event: changes")) {
        let chunk = tokio::time::timeout(Duration::from_secs(20), answer.chunk()).await.expect("in time").expect("a chunk");
        seen.push_str(&String::from_utf8_lossy(&chunk.expect("the stream goes on")));
    }
    assert!(seen.contains("\"kind\":\"order\""), "{seen}");
    ordering.await.expect("ordered");
    sqlx::query("DROP MATERIALIZED VIEW mine.kinds").execute(&pool).await.expect("dropped");
    pool.close().await;
    tokio::task::spawn_blocking(move || drop(shop)).await.expect("stopped");
}
