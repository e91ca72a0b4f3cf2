//! Limits: never passed, however many come at once, and given back once.

use chimera_serving::api::access::Role;
use chimera_serving::api::pricing::{self, Quote};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::server::Server;
use super::{promotion, quote, with_coupon};

async fn number(server: &Server, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&server.app.databases.pricing).await.unwrap()
}

/// The counts that limits are held against are those of the rows.
async fn assert_consistent(server: &Server) {
    let differences = "SELECT (SELECT count(*) FROM promotions WHERE used_count <>
            (SELECT count(*) FROM redeemed_promotions WHERE promotion_id = promotions.id))
        + (SELECT count(*) FROM coupons WHERE used_count <> (SELECT count(*) FROM redeemed_promotions WHERE coupon = code))";
    assert_eq!(number(server, differences).await, 0);
}

async fn priced(server: &Server, coupons: Value) -> Quote {
    let body = json!({ "items": [{ "sku": "A", "quantity": 1 }], "coupons": coupons });
    serde_json::from_value(quote(server, &body).await.ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_for_ten_uses_are_exactly_ten() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 1000, 1).await;
    promotion(&server, json!({ "rule": { "kind": "percentage", "basis_points": 1000 } })).await;
    promotion(&server, json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "max_redemptions": 10 })).await;
    let told = priced(&server, json!([])).await;
    assert_eq!(told.discount_cents, 190);
    let (app, told) = (&server.app, &told);
    let outcomes = join_all((0..50).map(|_| pricing::redeem(app, Uuid::now_v7(), None, told))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 10);
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(refused.kind().name, "promotion-used-up");
    }
    // Of those that were refused, the promotion without a limit was not counted either.
    assert_eq!(number(&server, "SELECT count(*) FROM redeemed_promotions").await, 20);
    assert_eq!(number(&server, "SELECT count(*) FROM redemptions").await, 10);
    assert_consistent(&server).await;
    assert_eq!(priced(&server, json!([])).await.discount_cents, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_counts_once_and_is_given_back_once() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 1000, 1).await;
    with_coupon(&server, "CODE", json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "max_redemptions": 3 })).await;
    let told = &priced(&server, json!(["code"])).await;
    let app = &server.app;
    let id = Uuid::now_v7();
    for outcome in join_all((0..10).map(|_| pricing::redeem(app, id, None, told))).await {
        outcome.unwrap();
    }
    assert_eq!(number(&server, "SELECT used_count FROM promotions").await, 1);
    pricing::redeem(app, Uuid::now_v7(), None, told).await.unwrap();
    for outcome in join_all((0..10).map(|_| pricing::release(app, id))).await {
        outcome.unwrap();
    }
    assert_eq!(number(&server, "SELECT used_count FROM promotions").await, 1);
    assert_consistent(&server).await;
    // Given up is given up; and a release that overtakes its redemption is not outlived by it.
    let again = pricing::redeem(app, id, None, told).await.unwrap_err();
    assert_eq!(again.kind().name, "redemption-released");
    let overtaken = Uuid::now_v7();
    pricing::release(app, overtaken).await.unwrap();
    assert_eq!(pricing::redeem(app, overtaken, None, told).await.unwrap_err().kind().name, "redemption-released");
    assert_eq!(number(&server, "SELECT used_count FROM promotions").await, 1);
    // A quote without promotions counts nothing.
    pricing::redeem(app, Uuid::now_v7(), None, &priced(&server, json!([])).await).await.unwrap();
    assert_consistent(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_and_one_coupon_have_limits_of_their_own() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 1000, 1).await;
    let terms = json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "max_per_customer": 2 });
    let made = with_coupon(&server, "CODE", terms).await;
    sqlx::query("UPDATE coupons SET max_redemptions = 3").execute(&server.app.databases.pricing).await.unwrap();
    let (ada, bob) = (server.account(Role::Shopper).await, server.account(Role::Shopper).await);
    let token = server.session(ada, Role::Shopper).await;
    let body = json!({ "items": [{ "sku": "A", "quantity": 1 }], "coupons": ["CODE"] });
    let told = server.send(reqwest::Method::POST, "/api/v1/pricing/quote", &token, Some(&body)).await.ok();
    let told: &Quote = &serde_json::from_value(told).unwrap();
    assert_eq!(told.discounts[0].promotion_id.to_string(), made["id"].as_str().unwrap());
    let app = &server.app;
    let uses = async |user: Option<Uuid>, times: usize| {
        let outcomes = join_all((0..times).map(|_| pricing::redeem(app, Uuid::now_v7(), user, told))).await;
        outcomes.iter().filter(|outcome| outcome.is_ok()).count()
    };
    // Who is not known cannot be counted.
    assert_eq!(uses(None, 1).await, 0);
    assert_eq!(uses(Some(ada), 8).await, 2);
    assert_eq!(uses(Some(bob), 8).await, 1);
    assert_consistent(&server).await;
    assert_eq!(number(&server, "SELECT used_count FROM coupons").await, 3);

    // Erased: still counted, and nobody's.
    pricing::forget_user(app, ada).await.unwrap();
    let left = "SELECT count(*) FROM redemptions JOIN redeemed_promotions ON redemption_id = id
        WHERE redemptions.user_id IS NULL AND redeemed_promotions.user_id IS NULL";
    assert_eq!(number(&server, left).await, 2);
    assert_consistent(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redemptions_and_releases_of_several_promotions_neither_deadlock_nor_lose_count() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 10_000, 1).await;
    for i in 0..4 {
        let terms = json!({ "rule": { "kind": "percentage", "basis_points": 100 }, "max_redemptions": 12, "priority": 10 - i });
        with_coupon(&server, &format!("CODE-{i}"), terms).await;
    }
    let mut quotes = Vec::new();
    for i in 0..4 {
        // Two of the four each, in every order.
        quotes.push(priced(&server, json!([format!("CODE-{i}"), format!("CODE-{}", (i + 1 + i % 3) % 4)])).await);
    }
    let (app, quotes) = (&server.app, &quotes);
    let outcomes = join_all((0..60_usize).map(|i| async move {
        let id = Uuid::now_v7();
        let outcome = pricing::redeem(app, id, None, &quotes[i % 4]).await;
        if i % 3 == 0 {
            pricing::release(app, id).await.unwrap();
        }
        outcome
    }))
    .await;
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(refused.kind().name, "promotion-used-up", "{refused}");
    }
    assert_consistent(&server).await;
    assert_eq!(number(&server, "SELECT count(*) FROM promotions WHERE used_count > max_redemptions").await, 0);
    assert!(number(&server, "SELECT sum(used_count)::bigint FROM promotions").await > 12);
}
