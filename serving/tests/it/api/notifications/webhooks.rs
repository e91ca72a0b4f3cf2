//! Programs that are told of orders.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chimera_local::TestSmtp;
use chimera_serving::api::payments::signature;
use chrono::Utc;
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::checkout::{Shopper, flow::wait_until_done};
use super::super::server::{Server, TOKEN};
use super::{AT_MOST, notifications, rabbitmq, start};

/// A call: the signature, and the body.
type Call = (String, Vec<u8>);

/// A program that listens.
#[derive(Clone, Default)]
struct Listener {
    calls: Arc<Mutex<Vec<Call>>>,
    /// Its next answers; then 204.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Listener {
    /// Its URL.
    async fn listen(&self) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let router = axum::Router::new().route("/hook", post(Self::take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        url
    }

    async fn take(State(listener): State<Self>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let signature = headers["chimera-signature"].to_str().unwrap().to_owned();
        listener.calls.lock().push((signature, body.to_vec()));
        listener.answers.lock().pop().map_or(StatusCode::NO_CONTENT, |code| StatusCode::from_u16(code).unwrap())
    }

    async fn calls(&self, count: usize) -> Vec<Call> {
        let until = tokio::time::Instant::now() + AT_MOST;
        while self.calls.lock().len() < count {
            assert!(tokio::time::Instant::now() < until, "{} calls in the place of {count}", self.calls.lock().len());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        self.calls.lock().clone()
    }
}

async fn order(server: &Server, key: &str) -> Value {
    let mut shopper = Shopper::guest(server);
    shopper.put_in("MUG", 1).await;
    let answer = shopper.bought(key, "tok_visa").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    wait_until_done(server).await;
    answer.json()["order"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_told_what_it_wants_to_hear_signed_and_again_until_it_takes_it() {
    let Some((server, _smtp)) = start().await else { return };
    server.product("MUG", 250, 10).await;
    let (orders, others) = (Listener::default(), Listener::default());
    let url = orders.listen().await;
    let made = server.make_webhook(&url, &["order.confirmation", "order.shipped"]).await;
    server.make_webhook(&others.listen().await, &["order.cancelled"]).await;
    let secret = made["secret"].as_str().unwrap();
    *orders.answers.lock() = vec![500, 429];
    let bought = order(&server, "a").await;

    let calls = orders.calls(3).await;
    for (signed, body) in &calls {
        let now = Utc::now().timestamp();
        assert!(signature::is_good(secret, signed, body, now), "{signed}");
        assert!(!signature::is_good(secret, signed, &[body.as_slice(), b" "].concat(), now), "of this body only");
        assert!(!signature::is_good("another secret", signed, body, now));
        assert!(!signature::is_good(secret, signed, body, now + 600), "for a while only");
        assert_eq!(body, &calls[0].1, "it is the same each time");
    }
    let event: Value = serde_json::from_slice(&calls[0].1).unwrap();
    assert_eq!(event["event"], "order.confirmation");
    for name in ["id", "number", "currency", "total_cents"] {
        assert_eq!(event["data"]["order"][name], bought[name], "{name}");
    }
    assert!(!event.to_string().contains("ada@example.com") && !event.to_string().contains("Lovelace"), "{event}");
    let delivery = server.delivered_as(&url, "sent").await;
    assert_eq!((&delivery["id"], &delivery["attempts"], &delivery["webhook_id"]), (&event["id"], &json!(3), &made["id"]));
    assert_eq!(others.calls.lock().len(), 0);
    assert_eq!(orders.calls.lock().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_holds_up_nobody_and_one_that_goes_is_not_called_again() {
    let Some((server, _smtp)) = start().await else { return };
    server.product("MUG", 250, 10).await;
    let (good, bad, gone) = (Listener::default(), Listener::default(), Listener::default());
    let (good_url, bad_url, gone_url) = (good.listen().await, bad.listen().await, gone.listen().await);
    for url in [&good_url, &bad_url, &gone_url] {
        server.make_webhook(url, &["order.confirmation"]).await;
    }
    *bad.answers.lock() = vec![500; 4];
    *gone.answers.lock() = vec![410];
    order(&server, "a").await;
    good.calls(1).await;
    server.delivered_as(&good_url, "sent").await;
    let failed = server.delivered_as(&bad_url, "dead").await;
    assert_eq!((&failed["attempts"], &failed["error"]), (&json!(4), &json!("it answers 500 Internal Server Error")));
    assert_eq!(server.delivered_as(&gone_url, "dropped").await["attempts"], 1);

    // Put right, it gets what it missed.
    assert_eq!(server.replay(&json!({})).await["replayed"], 1);
    bad.calls(5).await;
    server.delivered_as(&bad_url, "sent").await;
    assert_eq!((good.calls.lock().len(), gone.calls.lock().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_made_changed_switched_off_and_removed() {
    let Some((server, _smtp)) = start().await else { return };
    server.product("MUG", 250, 10).await;
    let listener = Listener::default();
    let url = listener.listen().await;
    let made = server.make_webhook(&url, &["order.confirmation"]).await;
    assert!(made["secret"].as_str().unwrap().starts_with("chw_"));
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
    let shown = server.get_as_operator(&path).await.ok();
    assert_eq!((&shown["url"], &shown["is_active"], &shown["secret"]), (&json!(url), &json!(true), &Value::Null));
    assert_eq!(server.get_as_operator("/api/v1/webhooks").await.ok()["webhooks"], json!([shown]));
    let kept: Vec<u8> = sqlx::query_scalar("SELECT secret FROM webhooks").fetch_one(&server.app.databases.notifications).await.unwrap();
    let secret = made["secret"].as_str().unwrap().as_bytes();
    assert!(!kept.windows(secret.len()).any(|bytes| bytes == secret), "it is sealed");

    for wrong in [
        json!({ "url": url, "events": [] }),
        json!({ "url": url, "events": ["account.verify_email"] }),
        json!({ "url": url, "events": ["order.shipped", "order.shipped"] }),
        json!({ "url": "mailto:me@example.com", "events": ["order.shipped"] }),
        json!({ "url": url, "events": ["order.shipped"], "secret": "mine" }),
    ] {
        server.send(Method::POST, "/api/v1/webhooks", TOKEN, Some(&wrong)).await.problem(422, "invalid-body");
        server.send(Method::PUT, &path, TOKEN, Some(&wrong)).await.problem(422, "invalid-body");
    }
    let off = json!({ "url": url, "events": ["order.confirmation"], "is_active": false });
    assert_eq!(server.send(Method::PUT, &path, TOKEN, Some(&off)).await.ok()["is_active"], false);
    // Who is told is decided for all at once: when another has heard of it, this one will not.
    let other = Listener::default();
    server.make_webhook(&other.listen().await, &["order.confirmation"]).await;
    order(&server, "off").await;
    other.calls(1).await;
    let on = json!({ "url": url, "events": ["order.confirmation", "order.cancelled"] });
    assert_eq!(server.send(Method::PUT, &path, TOKEN, Some(&on)).await.ok()["is_active"], true);
    let heard = order(&server, "on").await;
    let event: Value = serde_json::from_slice(&listener.calls(1).await[0].1).unwrap();
    assert_eq!(event["data"]["order"]["id"], heard["id"]);

    assert_eq!(server.send(Method::DELETE, &path, TOKEN, None).await.status, 204);
    server.send(Method::DELETE, &path, TOKEN, None).await.problem(404, "webhook-not-found");
    server.send(Method::PUT, &path, TOKEN, Some(&on)).await.problem(404, "webhook-not-found");
    server.get_as_operator(&path).await.problem(404, "webhook-not-found");
    for i in 0..49 {
        server.make_webhook(&format!("{url}?{i}"), &["order.cancelled"]).await;
    }
    server.send(Method::POST, "/api/v1/webhooks", TOKEN, Some(&on)).await.problem(409, "too-many-webhooks");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_lead_nowhere_inside() {
    let Some(rabbitmq) = rabbitmq().await else { return };
    let smtp = TestSmtp::start().unwrap();
    let Some(server) = Server::start_sending(notifications(&rabbitmq.url(), &smtp, false)).await else { return };
    server.product("MUG", 250, 10).await;
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]:8080/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://2130706433/",
    ] {
        let wanted = json!({ "url": url, "events": ["order.confirmation"] });
        server.send(Method::POST, "/api/v1/webhooks", TOKEN, Some(&wanted)).await.problem(422, "invalid-body");
    }
    // A name tells where it leads only when it is looked up.
    let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/hook", inside.local_addr().unwrap().port());
    server.make_webhook(&url, &["order.confirmation"]).await;
    order(&server, "a").await;
    let refused = server.delivered_as(&url, "dead").await;
    assert_eq!(refused["error"], "localhost is not an address of the public internet");
    let called = tokio::time::timeout(Duration::from_millis(100), inside.accept()).await;
    assert!(called.is_err(), "nobody came");
}
