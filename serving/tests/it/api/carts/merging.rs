//! The cart of a guest goes along into the account's.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CART, MERGE, Shopper, carts_sql, catalog_sql, count, of, units};
use crate::api::server::{Answer, Server, TOKEN};

const PASSWORD: &str = "correct horse battery";

/// Registers or logs in with the token of a guest's cart.
async fn come_in(server: &Server, path: &str, guest: &str) -> Shopper {
    let request = server.request(Method::POST, path).header("chimera-cart", guest);
    let answer = Answer::of(request.json(&json!({ "email": "ada@example.com", "password": PASSWORD }))).await;
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
    let body: Value = answer.json();
    Shopper::User(body["user_id"].as_str().unwrap().parse().unwrap(), body["access_token"].as_str().unwrap().to_owned())
}

const REGISTER: &str = "/api/v1/auth/register";
const LOG_IN: &str = "/api/v1/auth/login";

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_takes_the_cart_along_and_never_fails_for_it() {
    let Some(server) = Server::start().await else { return };
    for sku in ["A", "B", "C"] {
        server.product(sku, 100, 1000).await;
    }
    let guest = Shopper::guest(&server, "A", 1).await;
    guest.add_once(&server, "B", 2, "b").await.ok();
    let ada = come_in(&server, REGISTER, guest.token()).await;
    assert_eq!(units(&ada.cart(&server).await), of(&[("A", 1), ("B", 2)]));
    assert_eq!(guest.cart(&server).await["id"], Value::Null);
    // The answer to this addition was lost, and it is sent again, by who has logged in meanwhile.
    assert_eq!(units(&ada.add_once(&server, "B", 2, "b").await.ok()), of(&[("A", 1), ("B", 2)]));

    let guest = Shopper::guest(&server, "B", 9_999).await;
    guest.add(&server, "C", 3).await.ok();
    catalog_sql(&server, "UPDATE products SET base_price_cents = 70").await;
    let ada = come_in(&server, LOG_IN, guest.token()).await;
    let cart = ada.cart(&server).await;
    assert_eq!(units(&cart), of(&[("A", 1), ("B", 10_000), ("C", 3)]));
    assert!(cart["items"].as_array().unwrap().iter().all(|item| item["was_unit_price_cents"] == 100 && item["unit_price_cents"] == 70));

    // Neither a token of something else nor one whose cart is gone, nor a database that is not there, is in the way.
    for token in [guest.token(), "chg_x", "nonsense"] {
        assert_eq!(units(&come_in(&server, LOG_IN, token).await.cart(&server).await), units(&cart));
    }
    let guest = Shopper::guest(&server, "A", 1).await;
    carts_sql(&server, "ALTER TABLE cart_items RENAME TO away").await;
    let ada = come_in(&server, LOG_IN, guest.token()).await;
    carts_sql(&server, "ALTER TABLE away RENAME TO cart_items").await;
    assert_eq!(units(&guest.cart(&server).await), of(&[("A", 1)]), "it waits for the next time");
    assert_eq!(units(&ada.merge(&server, &guest).await.ok()), of(&[("A", 2), ("B", 10_000), ("C", 3)]));
    // Wrong passwords merge nothing.
    let guest = Shopper::guest(&server, "A", 1).await;
    let wrong = server.request(Method::POST, LOG_IN).header("chimera-cart", guest.token());
    Answer::of(wrong.json(&json!({ "email": "ada@example.com", "password": "something else" }))).await.problem(401, "wrong-credentials");
    assert_eq!(units(&guest.cart(&server).await), of(&[("A", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_done_once_and_for_oneself() {
    let Some(server) = Server::start().await else { return };
    catalog_sql(
        &server,
        "INSERT INTO products (sku, name, base_price_cents) SELECT 'S' || lpad(n::text, 3, '0'), 'x', 1 FROM generate_series(1, 101) n",
    )
    .await;
    let ada = Shopper::account(&server).await;
    let guest = Shopper::guest(&server, "S001", 4).await;
    ada.add(&server, "S001", 3).await.ok();
    assert_eq!(units(&ada.merge(&server, &guest).await.ok()), of(&[("S001", 7)]));
    assert_eq!(units(&ada.merge(&server, &guest).await.ok()), of(&[("S001", 7)]));
    assert_eq!(count(&server, "carts").await, 1);
    // A merge of nothing makes no cart.
    let bob = Shopper::account(&server).await;
    assert_eq!(bob.merge(&server, &guest).await.ok()["id"], Value::Null);
    assert_eq!(count(&server, "carts").await, 1);
    // What does not fit is left out, and nothing is refused.
    let guest = Shopper::guest(&server, "S001", 1).await;
    for n in 2..=99 {
        ada.add(&server, &format!("S{n:03}"), 1).await.ok();
    }
    for sku in ["S100", "S101"] {
        guest.add(&server, sku, 5).await.ok();
    }
    let merged = units(&ada.merge(&server, &guest).await.ok());
    assert_eq!((merged.len(), merged[99].clone()), (100, ("S100".to_owned(), 5)));

    let merge = async |bearer: &str, token: &str| server.send(Method::POST, MERGE, bearer, Some(&json!({ "guest_token": token }))).await;
    merge(TOKEN, guest.token()).await.problem(403, "no-account");
    for wrong in ["", "x", "chg_", &"x".repeat(500)] {
        let problem = merge(ada.token(), wrong).await.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["path"], "guest_token", "{problem}");
    }
    server.post(MERGE, &json!({ "guest_token": guest.token() })).await.problem(401, "unauthenticated");
    assert_eq!(server.get(CART).await.ok()["id"], Value::Null);
}
