//! Ages in answers, and reads that wait for a write.

use std::time::{Duration, Instant};

use chimera_connectors::Frontier;
use reqwest::Method;

use super::server::{Answer, Server, pretty};

#[tokio::test(flavor = "multi_thread")]
async fn a_read_waits_for_the_position_and_says_how_old_it_is() {
    let Some(server) = Server::start().await else { return };
    redis_set(&server, "stock:A", r#"{"sku":"A","received":5,"sold":1,"returned":0,"available":4}"#).await;
    server.board.set("inventory.stock", Frontier::single("orders", 10), 0);
    let board = server.board.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        board.set("inventory.stock", Frontier::single("orders", 20), 7);
    });
    let start = Instant::now();
    let answer = server.get("/api/v1/inventory/A?after=orders:20").await;
    assert!(start.elapsed() >= Duration::from_millis(190));
    let mut body = answer.ok();
    assert!(chrono::DateTime::parse_from_rfc3339(body["meta"]["as_of"].as_str().unwrap()).is_ok());
    body["meta"]["as_of"] = "…".into();
    insta::assert_snapshot!(pretty(&body), @r#"
    {
      "available": 4,
      "meta": {
        "age_ms": 7,
        "as_of": "…",
        "epoch": 1,
        "store": "inventory.stock"
      },
      "received": 5,
      "returned": 0,
      "sku": "A",
      "sold": 1
    }
    "#);
    let headers: Vec<&str> =
        ["chimera-store", "chimera-epoch", "chimera-age-ms", "chimera-position"].map(|name| answer.header(name)).into();
    assert_eq!(headers, ["inventory.stock", "1", "7", "orders:20"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_waits_in_vain_says_so() {
    let Some(server) = Server::start().await else { return };
    let answer =
        Answer::of(server.request(Method::GET, "/api/v1/inventory/A?wait_ms=50").header("chimera-after", "orders:20,mail:3")).await;
    insta::assert_snapshot!(pretty(&answer.problem(504, "store-behind")), @r#"
    {
      "age_ms": 0,
      "detail": "`inventory.stock` did not reach that position within 50 ms.",
      "position": "",
      "status": 504,
      "store": "inventory.stock",
      "title": "The store has not caught up yet",
      "type": "/problems/store-behind",
      "wanted": "mail:3,orders:20"
    }
    "#);
    assert_eq!(answer.header("retry-after"), "1");
    server.get("/api/v1/inventory/A?after=orders").await.problem(400, "bad-position-token");
    server.get("/api/v1/inventory/A?wait_ms=10001").await.problem(400, "bad-parameter");
}

pub async fn redis_set(server: &Server, key: &str, value: &str) {
    let () = redis::AsyncCommands::set(&mut server.app.redis.clone(), key, value).await.unwrap();
}
