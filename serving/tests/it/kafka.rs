//! The whole platform on Apache Kafka in the place of the embedded log.

use std::path::Path;

use chimera_local::{KafkaBroker, TestPostgres, TestRedis};
use chimera_serving::shop::databases::Server;
use serde_json::{Value, json};

use crate::platform::{Platform, chimera};

/// The highest epoch that a store holds, and the address of the server.
fn reached(home: &Path) -> u64 {
    let status = chimera(home).args(["status", "--output", "json"]).output().unwrap();
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    status["stores"].as_array().unwrap().iter().filter_map(|store| store["epoch"].as_u64()).max().unwrap()
}

async fn click(home: &Path, session: &str, sku: &str) {
    let note: Value = serde_json::from_slice(&std::fs::read(home.join("running.json")).unwrap()).unwrap();
    let address = format!("{}/api/v1/events", note["http_url"].as_str().unwrap());
    let events = json!({"events": [{"type": "view", "session_id": session, "sku": sku}]});
    let answer = reqwest::Client::new().post(address).json(&events).send().await.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
}

/// An order, as the shop's own route writes it.
async fn order(server: &Server, number: &str, sku: &str) {
    let mut orders = server.connect("orders").await.unwrap();
    let statement = "WITH placed AS (INSERT INTO orders (number, country, placed_at) VALUES ($1, 'EIRE', now()) RETURNING id)
        INSERT INTO order_items (order_id, line_no, sku, quantity, unit_price) SELECT id, line, $2, 2, 4.5 FROM placed, generate_series(1, 2) AS line";
    sqlx::query(statement).bind(number).bind(sku).execute(&mut orders).await.unwrap();
}

#[tokio::test]
async fn on_kafka_every_store_equals_the_plain_sql_before_and_after_a_kill() {
    let start = || Ok::<_, chimera_local::Error>((TestPostgres::start()?, TestRedis::start()?, KafkaBroker::start()?));
    let (postgres, redis, kafka) = match tokio::task::spawn_blocking(start).await.unwrap() {
        Ok(servers) => servers,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let (url, brokers) = (postgres.url("postgres"), kafka.bootstrap_servers());
    let server = Server::new(&url).unwrap();
    let arguments = ["--kafka", &brokers, "--database-url", &url, "--redis-url", &redis.url()];
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();

    let platform = Platform::start(home, &arguments);
    let sku: String =
        sqlx::query_scalar("SELECT min(sku) FROM products").fetch_one(&mut server.connect("catalog").await.unwrap()).await.unwrap();
    click(home, "before", &sku).await;
    order(&server, "before", &sku).await;
    let verified = platform.verify(None);
    assert_eq!(verified["equal"], true, "{verified:#}\n{}", platform.log());
    let before = reached(home);

    platform.kill();
    order(&server, "while away", &sku).await;
    let platform = Platform::start(home, &arguments);
    click(home, "after", &sku).await;
    let verified = platform.verify(None);
    assert_eq!(verified["equal"], true, "{verified:#}\n{}", platform.log());
    assert!(reached(home) > before, "the epochs go on where they were: {} after {before}", reached(home));
    assert!(!home.join("log").exists(), "nothing is kept in an embedded log");
}
