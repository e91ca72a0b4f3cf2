//! Purchases that come to nothing leave nothing.

use reqwest::Method;
use serde_json::json;

use super::super::server::Server;
use super::flow::wait_until_done;
use super::{Shopper, check_books, count, purchase};

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_fails_leaves_the_cart_and_gives_everything_back() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 1).await;
    let mut shopper = Shopper::account(&server).await;
    shopper.put_in("MUG", 1).await;
    for (token, name, code) in [
        ("tok_declined", "payment-declined", "insufficient_funds"),
        ("tok_pending_declined", "payment-declined", "bank_refused"),
        ("tok_capture_declined", "payment-refused", "card_blocked"),
        ("tok_nonsense", "payment-refused", "unknown_token"),
    ] {
        let problem = shopper.bought(token, token).await.problem(402, name);
        assert_eq!(problem["code"], code);
        wait_until_done(&server).await;
        assert_eq!(shopper.buy(token, token).await.problem(402, name)["checkout_id"], problem["checkout_id"], "the same again");
        check_books(&server).await;
        assert_eq!(shopper.cart().await["total_items"], 1);
    }
    // The one order that was written before its money was refused, and what took it back.
    let orders = &server.app.databases.orders;
    assert_eq!(count(orders, "SELECT count(*) FROM orders WHERE kind = 'order' AND status = 'cancelled'").await, 1);
    assert_eq!(count(orders, "SELECT count(*) FROM orders WHERE kind = 'cancellation' AND parent_id IS NOT NULL").await, 1);
    assert_eq!(shopper.bought("at last", "tok_visa").await.status, 201, "the last unit was given back each time");
    shopper.put_in("MUG", 1).await;
    let short = shopper.buy("one more", "tok_visa").await.problem(409, "out-of-stock");
    assert_eq!(short["items"][0]["available"], 0);
    wait_until_done(&server).await;
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_bought_at_a_price_that_was_not_shown() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 5).await;
    let mut shopper = Shopper::guest(&server);
    let mut wanted = purchase("tok_visa");
    assert_eq!(shopper.send(Method::POST, "/api/v1/checkout", Some("a"), Some(&wanted)).await.problem(409, "cart-empty")["status"], 409);
    shopper.put_in("MUG", 1).await;
    wanted["total_cents"] = json!(1);
    let problem = shopper.send(Method::POST, "/api/v1/checkout", Some("a"), Some(&wanted)).await.problem(409, "price-changed");
    let total = &problem["quote"]["total_cents"];
    assert!(total.as_i64().unwrap() >= 250, "{total}");
    wanted["total_cents"] = total.clone();
    let answer = shopper.send(Method::POST, "/api/v1/checkout", Some("a"), Some(&wanted)).await;
    assert_eq!((answer.status, &answer.json()["order"]["total_cents"]), (201, total));
    wanted["unit_price"] = json!(1);
    shopper.send(Method::POST, "/api/v1/checkout", Some("b"), Some(&wanted)).await.problem(422, "invalid-body");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_is_told_at_once() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 5).await;
    let mut shopper = Shopper::guest(&server);
    shopper.put_in("MUG", 1).await;
    let bare = json!({ "payment_token": "" });
    let problem = shopper.send(Method::POST, "/api/v1/checkout", Some("a"), Some(&bare)).await.problem(422, "invalid-body");
    let paths: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["email", "shipping_address", "payment_token"]);
    shopper.send(Method::POST, "/api/v1/checkout", None, Some(&purchase("tok_visa"))).await.problem(400, "idempotency-key-needed");
    let mut coupon = purchase("tok_visa");
    coupon["coupons"] = json!(["NOSUCH"]);
    let problem = shopper.send(Method::POST, "/api/v1/checkout", Some("c"), Some(&coupon)).await.problem(409, "coupon-rejected");
    assert_eq!(problem["rejected_coupons"][0]["code"], "NOSUCH");
    check_books(&server).await;
}
