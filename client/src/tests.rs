//! Against a server that counts what it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::types::{GetStockQuery, NewCartItem, NewCheckout, SearchQuery};
use crate::{Client, Error, Key, Retries};

/// How many requests came, and how many of them are turned away.
#[derive(Default)]
struct Counts {
    came: AtomicUsize,
    busy: AtomicUsize,
}

fn problem(status: StatusCode, name: &str) -> Response {
    let body = json!({ "type": format!("/problems/{name}"), "title": "No", "status": status.as_u16(), "detail": "not now", "sku": "A" });
    let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::RETRY_AFTER, "1")];
    (status, headers, body.to_string()).into_response()
}

async fn server() -> (Client, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let busy = |State(counts): State<Arc<Counts>>, headers: HeaderMap| async move {
        counts.came.fetch_add(1, Ordering::SeqCst);
        if counts.busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded");
        }
        let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Json(json!({ "version": 1, "items": [], "total_items": 0, "subtotal_cents": 0, "is_ready": false,
            "guest_token": format!("{:?} {:?} {:?}", told("authorization"), told("chimera-cart"), told("idempotency-key")) }))
        .into_response()
    };
    let stock = |Path(sku): Path<String>, Query(query): Query<Vec<(String, String)>>| async move {
        Json(json!({ "sku": sku, "received": query.len(), "sold": 0, "returned": 0, "available": 0,
            "meta": { "store": "inventory.stock", "epoch": 1, "age_ms": 0, "as_of": "2026-01-01T00:00:00.000Z" } }))
    };
    let routes = Router::new()
        .route("/shop/api/v1/cart", get(busy).delete(busy))
        .route("/shop/api/v1/cart/items", post(busy))
        .route("/shop/api/v1/inventory/{sku}", get(stock))
        .route("/shop/api/v1/checkout", post(|| async { problem(StatusCode::CONFLICT, "out-of-stock") }))
        .route("/shop/api/v1/search", get(|| async { "no JSON" }))
        .with_state(counts.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}/shop/", listener.local_addr().expect("an address"));
    tokio::spawn(async { axum::serve(listener, routes).await });
    (Client::new(&base).expect("an address"), counts)
}

#[tokio::test]
async fn what_does_nothing_twice_is_sent_again_when_the_server_is_busy() {
    let (client, counts) = server().await;
    counts.busy.store(2, Ordering::SeqCst);
    let began = Instant::now();
    client.get_cart().await.expect("answered in the end");
    assert!(began.elapsed() >= Duration::from_secs(2), "the server asked for a second each time");
    assert_eq!(counts.came.load(Ordering::SeqCst), 3);

    // A write without a key is not; with one it is.
    counts.busy.store(1, Ordering::SeqCst);
    let item = NewCartItem { sku: "A".into(), quantity: 1 };
    let error = client.add_item(None, &item).await.expect_err("turned away");
    assert!(error.is("overloaded") && error.status() == Some(503), "{error}");
    assert_eq!(error.problem().expect("a problem").retry_after, Some(Duration::from_secs(1)));
    counts.busy.store(1, Ordering::SeqCst);
    client.add_item(Some(&Key::new()), &item).await.expect("answered in the end");

    // Nor for longer than is wanted, nor more often.
    counts.busy.store(1, Ordering::SeqCst);
    let hasty = client.clone().with_retries(Retries { wait_at_most: Duration::from_millis(500), ..Retries::default() });
    assert!(hasty.get_cart().await.is_err());
    counts.busy.store(1, Ordering::SeqCst);
    assert!(client.with_retries(Retries::NONE).get_cart().await.is_err());
}

#[tokio::test]
async fn who_asks_is_told_and_where_it_matters_alone() {
    let (client, _) = server().await;
    let told = async |client: &Client, key: Option<&Key>| {
        let answer = client.add_item(key, &NewCartItem { sku: "A".into(), quantity: 1 }).await.expect("answered");
        answer.guest_token.clone().expect("what was sent")
    };
    assert_eq!(told(&client, None).await, "None None None");
    let known = client.with_bearer("abc").with_cart("chg_1");
    let key = Key::from("key-1".to_owned());
    assert_eq!(told(&known, Some(&key)).await, r#"Some("Bearer abc") Some("chg_1") Some("key-1")"#);
    let error = known.with_cart("no\nheader").get_cart().await.expect_err("refused here");
    assert!(matches!(error, Error::Header { name: "chimera-cart", .. }), "{error}");
}

#[tokio::test]
async fn addresses_and_answers_are_what_was_meant() {
    let (client, _) = server().await;
    let query = GetStockQuery { after: Some("orders:5".into()), wait_ms: None };
    let stock = client.get_stock("a/b ?&#", &query).await.expect("answered");
    assert_eq!((stock.stock.sku.as_str(), stock.stock.received), ("a/b ?&#", 1));
    let refused = client.create_checkout(&Key::new(), &NewCheckout::default()).await.expect_err("refused");
    let problem = refused.problem().expect("a problem");
    assert_eq!((problem.name(), problem.status, problem.extensions.get("sku")), ("out-of-stock", 409, Some(&Value::from("A"))));
    let odd = client.search(&SearchQuery::default()).await.expect_err("no JSON");
    assert!(matches!(odd, Error::Answer { status: 200, .. }), "{odd}");
    let nobody = Client::new("http://127.0.0.1:9").expect("an address").get_cart().await.expect_err("nobody is there");
    assert!(matches!(nobody, Error::Unreachable(_)), "{nobody}");
    for address in ["", "shop", "ftp://shop.example.com", "mailto:a@example.com"] {
        assert!(matches!(Client::new(address), Err(Error::Address(_))), "{address}");
    }
}
