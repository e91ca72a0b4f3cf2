//! Events: all or nothing, and in the log before the answer.

use std::time::Duration;

use chimera_connectors::log::Log;
use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Server, TOKEN, pretty};

async fn logged(server: &Server) -> Vec<(String, Value)> {
    let log: &dyn Log = &*server.app.log;
    let Ok(entries) = log.read("clickstream", 0, 0, 10_000, Duration::ZERO).await else { return Vec::new() };
    let text = |bytes: &Option<bytes::Bytes>| bytes.clone().unwrap();
    entries
        .iter()
        .map(|entry| {
            (String::from_utf8(text(&entry.record.key).to_vec()).unwrap(), serde_json::from_slice(&text(&entry.record.value)).unwrap())
        })
        .collect()
}

/// Whose the events in the log are.
async fn customers(server: &Server) -> Vec<Value> {
    logged(server).await.into_iter().map(|(_, event)| event["customer_id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_in_the_log_when_they_are_answered() {
    let Some(server) = Server::start().await else { return };
    let events = json!({"events": [
        {"type": "view", "session_id": "s1", "sku": "A"},
        {"type": "search", "session_id": "s2", "query": "mug", "event_id": "0190c0de-0000-7000-8000-000000000001", "customer_id": "c"},
    ]});
    let answer = server.post("/api/v1/events", &events).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.json(), json!({"accepted": 2, "position": "clickstream:2"}));
    assert_eq!(answer.header("chimera-position"), "clickstream:2");
    let logged = logged(&server).await;
    assert_eq!(logged.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["s1", "s2"]);
    let mut second = logged[1].1.clone();
    for time in ["occurred_at", "received_at"] {
        assert!(chrono::DateTime::parse_from_rfc3339(second[time].as_str().unwrap()).is_ok());
        second[time] = json!("…");
    }
    insta::assert_snapshot!(pretty(&second), @r#"
    {
      "customer_id": "c",
      "event_id": "0190c0de-0000-7000-8000-000000000001",
      "occurred_at": "…",
      "query": "mug",
      "received_at": "…",
      "session_id": "s2",
      "sku": null,
      "type": "search"
    }
    "#);
    assert_eq!(&*server.app.sessions.last("s1"), &[Box::from("A")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_who_has_logged_in_are_their_accounts_and_never_anothers() {
    let Some(server) = Server::start().await else { return };
    let batch = json!({"events": [
        {"type": "view", "session_id": "s", "sku": "A"},
        {"type": "view", "session_id": "s", "sku": "A", "customer_id": "another"},
    ]});
    let mut wanted = Vec::new();
    for role in [Role::Shopper, Role::Merchandiser] {
        let account = server.account(role).await;
        let token = server.session(account, role).await;
        assert_eq!(server.send(Method::POST, "/api/v1/events", &token, Some(&batch)).await.status, 202);
        wanted.extend([json!(account), json!(account)]);
    }
    assert_eq!(customers(&server).await, wanted);
    // A guest's are as they say, and a program of the shop's and its operator send what others did.
    assert_eq!(server.post("/api/v1/events", &batch).await.status, 202);
    let program = server.session(server.account(Role::Service).await, Role::Service).await;
    for bearer in [program.as_str(), TOKEN] {
        assert_eq!(server.send(Method::POST, "/api/v1/events", bearer, Some(&batch)).await.status, 202);
    }
    for _ in 0..3 {
        wanted.extend([Value::Null, json!("another")]);
    }
    assert_eq!(customers(&server).await, wanted);
    server.send(Method::POST, "/api/v1/events", "nobodys", Some(&batch)).await.problem(401, "unauthenticated");
    assert_eq!(customers(&server).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_event_and_none_is_kept() {
    let Some(server) = Server::start().await else { return };
    let events = json!({"events": [
        {"type": "view", "session_id": "s", "sku": "A"},
        {"type": "stare", "session_id": "s", "sku": "A"},
        {"type": "view", "session_id": "", "occurred_at": "2001-01-01T00:00:00Z"},
        {"type": "view", "session_id": "s", "sku": "A", "price": 1},
        "view",
    ]});
    insta::assert_snapshot!(pretty(&server.post("/api/v1/events", &events).await.problem(422, "invalid-body")), @r#"
    {
      "detail": "4 of 5 events cannot be taken; none was kept. `errors` says what is wrong with which.",
      "errors": [
        {
          "index": 1,
          "message": "unknown variant `stare`, expected one of `view`, `click`, `add_to_cart`, `search`, `purchase`"
        },
        {
          "field": "session_id",
          "index": 2,
          "message": "this is empty"
        },
        {
          "field": "sku",
          "index": 2,
          "message": "this kind of event has a SKU"
        },
        {
          "field": "occurred_at",
          "index": 2,
          "message": "this is more than 30 days ago"
        },
        {
          "index": 3,
          "message": "unknown field `price`, expected one of `type`, `session_id`, `sku`, `query`, `customer_id`, `occurred_at`, `event_id`"
        },
        {
          "index": 4,
          "message": "invalid type: string \"view\", expected struct NewEvent"
        }
      ],
      "status": 422,
      "title": "The body is not what this address takes",
      "type": "/problems/invalid-body"
    }
    "#);
    assert!(logged(&server).await.is_empty());
    assert!(server.app.sessions.last("s").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_bounded() {
    let Some(server) = Server::start().await else { return };
    let event = json!({"type": "view", "session_id": "s", "sku": "A"});
    let batch = |n: usize| json!({"events": vec![event.clone(); n]});
    assert_eq!(server.post("/api/v1/events", &batch(1000)).await.json()["accepted"], 1000);
    server.post("/api/v1/events", &batch(0)).await.problem(422, "invalid-body");
    server.post("/api/v1/events", &batch(1001)).await.problem(422, "invalid-body");
    let long = json!({"events": [{"type": "search", "session_id": "s", "query": "x".repeat(1 << 20)}]});
    let problem = server.post("/api/v1/events", &long).await.problem(413, "body-too-large");
    assert_eq!(problem["limit_bytes"], 1 << 20);
    assert_eq!(logged(&server).await.len(), 1000);
}
