//! Orders read from a streaming replica, which stands still while the primary goes on.

use std::time::Duration;

use chimera_local::{TestPostgres, TestRedis};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::platform::Platform;

#[tokio::test(flavor = "multi_thread")]
async fn a_read_with_a_position_sees_its_write_though_the_replica_does_not() {
    let started = tokio::task::spawn_blocking(|| {
        let primary = TestPostgres::start()?;
        let replica = primary.replicate()?;
        Ok::<_, chimera_local::Error>((primary, replica, TestRedis::start()?))
    });
    let (primary, replica, redis) = match started.await.unwrap() {
        Ok(servers) => servers,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let (primary_url, replica_url, redis_url) = (primary.url("postgres"), replica.url("postgres"), redis.url());
    let arguments = ["--no-sample", "--database-url", &primary_url, "--replica-url", &replica_url, "--redis-url", &redis_url];
    let platform = tokio::task::block_in_place(|| Platform::start(folder.path(), &arguments));
    let token = std::fs::read_to_string(folder.path().join("operator.token")).unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let send = async |method: Method, path: &str, body: Option<Value>| {
        let request = client.request(method, format!("{}{path}", platform.url())).bearer_auth(token.trim());
        let request = request.header("idempotency-key", uuid::Uuid::new_v4().to_string());
        let answer = if let Some(body) = body { request.json(&body) } else { request }.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let product = json!({ "sku": "MUG", "name": "Mug", "price_cents": 250, "currency": "GBP" });
    assert_eq!(send(Method::POST, "/api/v1/catalog/products", Some(product)).await.0, 201);
    let receipt = json!({ "warehouse": "MAIN", "reference": "DN-1", "items": [{ "sku": "MUG", "quantity": 5 }] });
    let (status, booked) = send(Method::POST, "/api/v1/inventory/receipts", Some(receipt)).await;
    assert_eq!(status, 201, "{booked}");
    let position = booked["position"].as_str().unwrap();
    assert_eq!(send(Method::GET, &format!("/api/v1/inventory/MUG?after={position}&wait_ms=10000"), None).await.0, 200);

    replica.query("postgres", "SELECT pg_wal_replay_pause()").unwrap();
    let placed = loop {
        let wanted = json!({ "country": "United Kingdom", "items": [{ "sku": "MUG", "quantity": 1 }] });
        match send(Method::POST, "/api/v1/orders", Some(wanted)).await {
            (201, placed) => break placed,
            // The units that may be promised are another store than the one that was waited for.
            (409, _) => tokio::time::sleep(Duration::from_millis(50)).await,
            (status, problem) => panic!("{status} {problem}"),
        }
    };
    let (id, position) = (placed["id"].as_str().unwrap(), placed["position"].as_str().unwrap());
    let one = format!("/api/v1/orders/{id}");
    assert_eq!(send(Method::GET, &one, None).await.0, 404, "the replica is read, and has not got it");
    let after = format!("after={position}&wait_ms=50");
    assert_eq!(send(Method::GET, &format!("{one}?{after}"), None).await.1["id"], id, "the primary is, since the replica is behind");
    assert_eq!(send(Method::GET, "/api/v1/orders", None).await.1["orders"], json!([]));
    assert_eq!(send(Method::GET, &format!("/api/v1/orders?{after}"), None).await.1["orders"][0]["id"], id);

    replica.query("postgres", "SELECT pg_wal_replay_resume()").unwrap();
    assert_eq!(send(Method::GET, &format!("{one}?after={position}&wait_ms=10000"), None).await.1["id"], id);
    while send(Method::GET, &one, None).await.0 == 404 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    tokio::task::block_in_place(|| replica.crash()).unwrap();
    assert_eq!(send(Method::GET, &one, None).await.1["id"], id, "without a replica the primary answers");
}
