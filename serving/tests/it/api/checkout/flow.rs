//! Purchases that come to their end.

use reqwest::Method;
use serde_json::json;

use super::super::server::{Answer, Server};
use super::{Shopper, check_books, count, purchase};

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_and_an_account_buy_what_is_in_their_carts() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    server.product("LAMP", 1999, 10).await;
    for mut shopper in [Shopper::guest(&server), Shopper::account(&server).await] {
        shopper.put_in("MUG", 2).await;
        shopper.put_in("LAMP", 1).await;
        let answer = shopper.bought("first", "tok_visa").await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let bought = answer.json();
        let order = &bought["order"];
        assert_eq!((&order["status"], &order["subtotal_cents"]), (&json!("paid"), &json!(2 * 250 + 1999)));
        assert_eq!(order["total_cents"], bought["quote"]["total_cents"]);
        assert_eq!(order["shipping_address"]["city"], "London");
        let lines: Vec<_> = order["items"].as_array().unwrap().iter().map(|line| (&line["sku"], &line["quantity"])).collect();
        assert_eq!(lines, [(&json!("LAMP"), &json!(1)), (&json!("MUG"), &json!(2))]);
        assert_eq!(answer.header("chimera-position"), bought["position"].as_str().unwrap());
        // Emptying the cart comes after the answer could be given.
        while !shopper.cart().await["items"].as_array().unwrap().is_empty() {}
        // The same again, whatever is in the cart by now.
        shopper.put_in("MUG", 1).await;
        let again = shopper.buy("first", "tok_visa").await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
        assert_eq!(again.json()["order"]["id"], order["id"]);
        let location = answer.header("location").to_owned();
        assert_eq!(shopper.send(Method::GET, &location, None, None).await.ok()["order"]["id"], order["id"]);
        assert_eq!(Shopper::guest(&server).send(Method::GET, &location, None, None).await.status, 404, "nobody else sees it");
    }
    assert_eq!(count(&server.app.databases.simulated_provider, "SELECT count(*) FROM movements").await, 2);
    wait_until_done(&server).await;
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_buys_with_its_own_address_and_e_mail() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let mut shopper = Shopper::account(&server).await;
    shopper.put_in("MUG", 1).await;
    let bare = json!({ "payment_token": "tok_visa" });
    shopper.send(Method::POST, "/api/v1/checkout", Some("a"), Some(&bare)).await.problem(422, "invalid-body");
    let mut address = purchase("")["shipping_address"].clone();
    address["address_type"] = json!("shipping");
    address["country"] = json!("France");
    let saved = shopper.send(Method::POST, "/api/v1/users/me/addresses", None, Some(&address)).await;
    assert_eq!(saved.status, 201, "{}", saved.text());
    let answer = shopper.send(Method::POST, "/api/v1/checkout", Some("a"), Some(&bare)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let order = &answer.json()["order"];
    assert_eq!(order["shipping_address"]["country"], "France");
    assert!(order["email"].as_str().unwrap().ends_with("@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_at_once_with_one_key_are_one_purchase() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let mut shopper = Shopper::account(&server).await;
    shopper.put_in("MUG", 1).await;
    let answers: Vec<Answer> = futures::future::join_all((0..10).map(|_| shopper.bought("one", "tok_visa"))).await;
    let ids: std::collections::HashSet<String> = answers.iter().map(|answer| answer.json()["order"]["id"].to_string()).collect();
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count(), 1);
    let other = json!({ "payment_token": "tok_visa", "shipping_address": purchase("")["shipping_address"] });
    shopper.send(Method::POST, "/api/v1/checkout", Some("one"), Some(&other)).await.problem(422, "idempotency-key-reused");
    wait_until_done(&server).await;
    check_books(&server).await;
}

/// Until no purchase is on its way.
pub async fn wait_until_done(server: &Server) {
    let open = "SELECT count(*) FROM checkouts WHERE state NOT IN ('completed', 'failed')";
    while count(&server.app.databases.orders, open).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
