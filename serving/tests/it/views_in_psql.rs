//! Live views through PostgreSQL's protocol: what psql, a driver and an analyst in a hurry do with them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::Row;

use crate::psql::{Shop, order};

#[test]
fn an_analyst_reads_live_views_with_psql() {
    let shop = Shop::start();
    for query in [
        "SELECT country, orders, lines, units, revenue FROM {by_country} ORDER BY revenue DESC, country",
        "SELECT count(*), sum(orders), sum(revenue) FROM {by_minute}",
        "SELECT c.country, round(c.revenue / t.revenue, 6) FROM {by_country} c CROSS JOIN {totals} t WHERE c.orders > 1 ORDER BY 1",
        "SELECT category, orders, revenue FROM {by_category} WHERE category LIKE '%e%' ORDER BY category LIMIT 3",
        "SELECT CAST(date_trunc('day', minute) AS DATE) AS day, sum(orders) FROM {by_minute} GROUP BY 1 ORDER BY 1 DESC LIMIT 5",
    ] {
        let named = |prefix: &str| {
            ["by_country", "by_minute", "by_category", "totals"]
                .iter()
                .fold(query.to_owned(), |query, name| query.replace(&format!("{{{name}}}"), &format!("{prefix}{name}")))
        };
        let (found, expected) = (shop.ask(&named("sales.")), shop.reporting(&named("sales_")));
        assert!(!expected.is_empty(), "{query}");
        assert_eq!(found, expected, "{query}");
    }

    // What an analyst types first.
    let listed =
        shop.ask("SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema = 'sales' ORDER BY 1");
    assert_eq!(listed, "sales.by_category\nsales.by_country\nsales.by_minute\nsales.top_products\nsales.totals");
    let described = shop.psql(&shop.token, &["-c", "\\d sales.totals"]);
    let described = String::from_utf8_lossy(&described.stdout).into_owned();
    assert!(described.contains("cancellation_lines") && described.contains("bigint"), "{described}");
    assert!(shop.ask("EXPLAIN SELECT * FROM sales.totals").contains("logical_plan"));

    // Only reading.
    for write in [
        "INSERT INTO sales.totals VALUES (2, 0, 0, 0, 0, 0, 0)",
        "DELETE FROM sales.totals",
        "DROP TABLE sales.totals",
        "CREATE TABLE mine (a INT)",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY sales.totals TO '/tmp/totals.csv'",
    ] {
        let message = shop.refused(write);
        assert!(message.contains("only reading is allowed") || message.contains("parser error"), "{write}: {message}");
    }
    // The limits are those of all sessions.
    for setting in ["SET datafusion.runtime.memory_limit = '500G'", "SET \"datafusion\".\"runtime\".\"temp_directory\" = '/tmp'"] {
        let message = shop.refused(setting);
        assert!(message.contains("only reading is allowed"), "{setting}: {message}");
    }
    assert!(shop.refused("SELECT length(lpad('a', 2000000000))").contains("too large"));
    assert!(shop.refused("SELECT * FROM '/etc/passwd'").contains("not found"));
    assert!(shop.refused("SELECT * FROM sales.nothing").contains("nothing"));
    assert!(shop.refused("SELECT 1 +").to_lowercase().contains("error"));
    let slow = "SELECT sum(a.value * b.value) FROM generate_series(1, 100000) a CROSS JOIN generate_series(1, 100000) b";
    let done = shop.psql(&shop.token, &["-c", "SET statement_timeout = 200", "-c", slow]);
    assert!(!done.status.success() && String::from_utf8_lossy(&done.stderr).contains("statement timeout"), "{done:?}");
    assert!(shop.refused("SELECT * FROM generate_series(1, 2000000)").contains("LIMIT"));

    // Only with the password.
    let strange = shop.psql("wrong", &["-c", "SELECT 1"]);
    assert!(!strange.status.success() && String::from_utf8_lossy(&strange.stderr).to_lowercase().contains("password"), "{strange:?}");

    subscription(&shop);
    subscribers_that_went_away(&shop);
}

/// As many as there are places, on a view in which nothing happens: each place is free again.
fn subscribers_that_went_away(shop: &Shop) {
    let subscribe = || {
        let mut psql = Command::new("stdbuf")
            .args(["-oL", "psql", &shop.views_url, "-X", "-c", "COPY (SUBSCRIBE sales.totals) TO STDOUT"])
            .env("PGPASSWORD", &shop.token)
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql runs");
        let first = BufReader::new(psql.stdout.take().expect("piped")).lines().next();
        assert!(first.expect("the row there is").is_ok());
        psql
    };
    for mut psql in (0..64).map(|_| subscribe()).collect::<Vec<_>>() {
        psql.kill().expect("killed");
        psql.wait().expect("a child");
    }
    let mut psql = Command::new("psql");
    psql.args([&shop.views_url, "-X", "-At", "-c", "SELECT 1"]).env("PGPASSWORD", &shop.token).env("PGCONNECT_TIMEOUT", "20");
    let done = psql.output().expect("psql runs");
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "1", "{}", String::from_utf8_lossy(&done.stderr));
}

/// A subscription starts with the rows there are, and goes on with what happens.
fn subscription(shop: &Shop) {
    // psql holds lines back when it writes to a pipe.
    let mut psql = Command::new("stdbuf")
        .args(["-oL", "psql", &shop.views_url, "-X", "-c", "COPY (SUBSCRIBE sales.totals) TO STDOUT"])
        .env("PGPASSWORD", &shop.token)
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql runs");
    let mut lines = BufReader::new(psql.stdout.take().expect("piped")).lines().map(|line| line.expect("a line"));
    let orders = |line: &str| line.split('\t').nth(4).and_then(|orders| orders.parse::<u64>().ok()).expect("a count of orders");
    let first = lines.next().expect("the row there is");
    assert!(first.split('\t').nth(1) == Some("upsert"), "{first}");
    order(shop.home.path());
    let next = lines.next().expect("a change");
    assert!(orders(&next) > orders(&first), "{first} then {next}");
    psql.kill().expect("killed");
    psql.wait().expect("a child");
}

#[tokio::test]
async fn a_driver_with_prepared_statements_reads_live_views() {
    let shop = tokio::task::spawn_blocking(Shop::start).await.expect("a shop");
    let url = shop.views_url.replace("operator@", &format!("operator:{}@", shop.token));
    let pool = sqlx::PgPool::connect(&url).await.expect("a session");
    let rows = sqlx::query("SELECT country, orders, revenue FROM sales.by_country WHERE orders >= $1 ORDER BY country")
        .bind(1_i64)
        .fetch_all(&pool)
        .await
        .expect("rows");
    let found: Vec<String> = rows
        .iter()
        .map(|row| format!("{}|{}|{}", row.get::<String, _>(0), row.get::<i64, _>(1), row.get::<rust_decimal::Decimal, _>(2)))
        .collect();
    let expected = shop.reporting("SELECT country, orders, revenue FROM sales_by_country WHERE orders >= 1 ORDER BY country");
    assert_eq!(found.join("\n"), expected);
    pool.close().await;
    subscriptions_are_cancelled(&url).await;
    what_would_hold_the_parser_up_is_refused(&url).await;
    tokio::task::spawn_blocking(move || drop(shop)).await.expect("stopped");
}

/// A request to cancel is a connection of its own, which ends as soon as it has asked.
async fn subscriptions_are_cancelled(url: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a session");
    let connection = tokio::spawn(connection);
    for _ in 0..20 {
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            client.cancel_token().cancel_query(tokio_postgres::NoTls).await.expect("asked");
        };
        let both = async { tokio::join!(client.simple_query("SUBSCRIBE sales.totals"), cancel) };
        let (answer, ()) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("it is not overheard");
        let code = answer.expect_err("it goes on until it is cancelled").code().cloned();
        assert_eq!(code, Some(tokio_postgres::error::SqlState::QUERY_CANCELED));
    }
    drop(client);
    connection.await.expect("no panic").expect("a session that ends");
}

async fn what_would_hold_the_parser_up_is_refused(url: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a session");
    let connection = tokio::spawn(connection);
    let nested = format!("SELECT {}'x'{}", "upper(".repeat(40), ")".repeat(40));
    for (statement, code) in [(nested.as_str(), "54001"), ("SHOW", "42601")] {
        for refused in [client.simple_query(statement).await.err(), client.prepare(statement).await.err()] {
            let refused = refused.expect("refused");
            assert_eq!(refused.code().map(|code| code.code()), Some(code), "{statement}: {refused}");
        }
    }
    let rows = client.simple_query("SELECT 1").await.expect("the session goes on");
    assert!(!rows.is_empty());
    drop(client);
    connection.await.expect("no panic").expect("a session that ends");
}
