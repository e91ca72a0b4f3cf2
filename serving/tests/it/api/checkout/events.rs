//! What the payment provider tells of its own accord, or too late.

use chimera_serving::api::payments::signature::sign;
use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::server::{Answer, PAYMENT_SECRET, Server};
use super::flow::wait_until_done;
use super::{Shopper, check_books, count};

#[tokio::test(flavor = "multi_thread")]
async fn late_slow_and_repeated_answers_come_to_one_payment() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    for token in ["tok_pending", "tok_repeated", "tok_slow"] {
        let mut shopper = Shopper::account(&server).await;
        shopper.put_in("MUG", 1).await;
        let answer = shopper.bought("a", token).await;
        assert_eq!((answer.status, &answer.json()["order"]["status"]), (201, &json!("paid")), "{token}: {}", answer.text());
    }
    wait_until_done(&server).await;
    check_books(&server).await;
    assert_eq!(count(&server.app.databases.simulated_provider, "SELECT count(*) FROM movements").await, 3);
    // The third telling of `tok_repeated` comes two seconds later than the first, and nobody is told more often than there is to tell.
    while count(&server.app.databases.simulated_provider, "SELECT count(*) FROM events").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // Authorised and captured, of three payments; pending too, of one.
    assert_eq!(count(&server.app.databases.payments, "SELECT count(*) FROM provider_events").await, 7);
}

async fn tell(server: &Server, body: &Value, secret: &str, seconds_ago: i64) -> Answer {
    let body = body.to_string();
    let signature = sign(secret, body.as_bytes(), Utc::now().timestamp() - seconds_ago);
    Answer::of(server.request(Method::POST, "/api/v1/payments/events").header("provider-signature", signature).body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_provider_is_believed_and_only_forward() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let mut shopper = Shopper::account(&server).await;
    shopper.put_in("MUG", 1).await;
    let id = shopper.bought("a", "tok_visa").await.json()["id"].clone();
    let mut event = json!({ "id": "e1", "payment_id": id, "status": "voided" });
    tell(&server, &event, "another secret", 0).await.problem(400, "bad-signature");
    tell(&server, &event, PAYMENT_SECRET, 400).await.problem(400, "bad-signature");
    let unsigned = Answer::of(server.request(Method::POST, "/api/v1/payments/events").body(event.to_string())).await;
    unsigned.problem(400, "bad-signature");
    tell(&server, &json!({ "id": "e1" }), PAYMENT_SECRET, 0).await.problem(422, "invalid-body");
    // What was captured does not become void by being told so.
    assert_eq!(tell(&server, &event, PAYMENT_SECRET, 0).await.status, 204);
    assert_eq!(tell(&server, &event, PAYMENT_SECRET, 0).await.status, 204, "again");
    event["payment_id"] = json!(Uuid::now_v7());
    event["id"] = json!("e2");
    assert_eq!(tell(&server, &event, PAYMENT_SECRET, 0).await.status, 204, "of a payment that is none of ours");
    let captured = "SELECT count(*) FROM payments WHERE status = 'captured'";
    assert_eq!(count(&server.app.databases.payments, captured).await, 1);
    wait_until_done(&server).await;
    check_books(&server).await;
}
