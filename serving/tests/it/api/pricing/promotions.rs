//! `/api/v1/promotions` and their coupons.

use std::collections::BTreeSet;

use chimera_serving::api::pricing::{self, Quote};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::server::{Server, TOKEN};
use super::{promotion, quote, send, with_coupon};

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_of_each_kind_is_kept_as_it_was_given() {
    let Some(server) = Server::start().await else { return };
    let category = Uuid::now_v7();
    let whole = json!({ "name": "whole", "rule": { "kind": "buy_x_get_y", "buy": 2, "get": 1, "basis_points": 5000 },
        "scope": { "kind": "categories", "category_ids": [category] }, "currency": "GBP", "minimum_basket_cents": 100,
        "starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-02-01T00:00:00Z", "needs_coupon": true, "priority": 3, "is_exclusive": true,
        "max_redemptions": 10, "max_per_customer": 2, "is_active": false });
    let kinds = [
        whole.clone(),
        json!({ "rule": { "kind": "percentage", "basis_points": 10000 } }),
        json!({ "rule": { "kind": "basket_amount", "amount_cents": 1 }, "currency": "EUR" }),
        json!({ "rule": { "kind": "line_amount", "amount_cents": 100 }, "currency": "EUR", "scope": { "kind": "skus", "skus": ["a", "b"] } }),
        json!({ "rule": { "kind": "free_shipping" } }),
    ];
    let mut made = Vec::new();
    for terms in &kinds {
        made.push(promotion(&server, terms.clone()).await);
    }
    for (made, terms) in made.iter().zip(&kinds) {
        let path = format!("/api/v1/promotions/{}", made["id"].as_str().unwrap());
        assert_eq!(&server.get_as_operator(&path).await.ok(), made);
        for (field, value) in terms.as_object().unwrap() {
            assert_eq!(&made[field], value, "{field} of {made}");
        }
    }
    let defaults =
        json!([made[1]["scope"]["kind"], made[1]["priority"], made[1]["is_active"], made[1]["needs_coupon"], made[1]["used_count"]]);
    assert_eq!(defaults, json!(["all", 100, true, false, 0]));

    // By pages, in the order in which they were made.
    let ids = |page: &Value| page["promotions"].as_array().unwrap().iter().map(|promotion| promotion["id"].clone()).collect::<Vec<_>>();
    let first = server.get_as_operator("/api/v1/promotions?limit=3").await.ok();
    let rest = server.get_as_operator(&format!("/api/v1/promotions?limit=3&after={}", first["next"].as_str().unwrap())).await.ok();
    assert_eq!(rest["next"], Value::Null);
    assert_eq!([ids(&first), ids(&rest)].concat(), made.iter().map(|promotion| promotion["id"].clone()).collect::<Vec<_>>());
    let off = server.get_as_operator("/api/v1/promotions?is_active=false").await.ok();
    assert_eq!(ids(&off), [made[0]["id"].clone()]);
    server.get_as_operator("/api/v1/promotions?limit=101").await.problem(400, "bad-parameter");

    // Replaced whole: what is left out is as if it had never been said.
    let path = format!("/api/v1/promotions/{}", made[0]["id"].as_str().unwrap());
    let less = send(&server, Method::PUT, &path, &json!({ "name": "less", "rule": { "kind": "free_shipping" } })).await.ok();
    assert_eq!(json!([less["currency"], less["ends_at"], less["is_exclusive"], less["scope"]["kind"]]), json!([null, null, false, "all"]));
    let nobody = format!("/api/v1/promotions/{}", Uuid::now_v7());
    send(&server, Method::PUT, &nobody, &whole).await.problem(404, "promotion-not-found");
    server.get_as_operator(&nobody).await.problem(404, "promotion-not-found");
    server.get_as_operator(&format!("{nobody}/coupons")).await.problem(404, "promotion-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_make_no_sense_are_refused_all_at_once() {
    let Some(server) = Server::start().await else { return };
    let bad = json!({ "name": " ", "rule": { "kind": "buy_x_get_y", "buy": 0, "get": 1001, "basis_points": 10001 },
        "scope": { "kind": "skus", "skus": [] }, "minimum_basket_cents": 1, "starts_at": "2030-01-01T00:00:00Z",
        "ends_at": "2030-01-01T00:00:00Z", "priority": -1, "max_redemptions": 0, "max_per_customer": -1 });
    let problem = send(&server, Method::POST, "/api/v1/promotions", &bad).await.problem(422, "invalid-body");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    let expected = [
        "name",
        "rule.basis_points",
        "rule.buy",
        "rule.get",
        "scope.skus",
        "currency",
        "ends_at",
        "priority",
        "max_redemptions",
        "max_per_customer",
    ];
    assert_eq!(paths, expected);
    for odd in [
        json!({ "name": "x", "rule": { "kind": "percentage", "basis_points": 1, "amount_cents": 1 } }),
        json!({ "name": "x", "rule": { "kind": "free_shipping", "amount_cents": 1 } }),
        // Not taken for a promotion of everything.
        json!({ "name": "x", "rule": { "kind": "free_shipping" }, "scope": { "kind": "all", "skus": ["A"] } }),
        json!({ "name": "x", "rule": { "kind": "free_shipping" }, "used_count": 1 }),
        json!({ "name": "x", "rule": { "kind": "basket_amount", "amount_cents": 1 } }),
    ] {
        send(&server, Method::POST, "/api/v1/promotions", &odd).await.problem(422, "invalid-body");
    }
    assert_eq!(server.get_as_operator("/api/v1/promotions").await.ok()["promotions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn coupons_are_made_by_name_or_by_number() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 1000, 1).await;
    let made = promotion(&server, json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "needs_coupon": true })).await;
    let path = format!("/api/v1/promotions/{}/coupons", made["id"].as_str().unwrap());
    let make = async |body: Value| send(&server, Method::POST, &path, &body).await;
    let named = make(json!({ "codes": ["spring", "SPRING", "Autumn-1"] })).await;
    let codes = |body: &Value| -> Vec<String> {
        body["coupons"].as_array().unwrap().iter().map(|coupon| coupon["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((named.status, codes(&named.json())), (201, vec!["AUTUMN-1".to_owned(), "SPRING".to_owned()]));
    let many = make(json!({ "count": 120, "max_redemptions": 1 })).await;
    assert_eq!(many.status, 201);
    let guessed: BTreeSet<String> = codes(&many.json()).into_iter().collect();
    assert_eq!(guessed.len(), 120);
    assert_eq!(many.json()["coupons"][0]["max_redemptions"], 1);

    // All of them or none.
    let taken = make(json!({ "codes": ["NEW", "spring"] })).await.problem(409, "coupon-taken");
    assert_eq!(taken["codes"], json!(["SPRING"]));
    for bad in [
        json!({}),
        json!({ "codes": ["A"] }),
        json!({ "codes": [] }),
        json!({ "count": 0 }),
        json!({ "count": 1001 }),
        json!({ "count": 1, "codes": ["GOOD"] }),
        json!({ "count": 1, "max_redemptions": 0 }),
    ] {
        make(bad).await.problem(422, "invalid-body");
    }
    let mut listed = BTreeSet::new();
    let mut next = String::new();
    loop {
        let page = server.get_as_operator(&format!("{path}?limit=50{next}")).await.ok();
        listed.extend(codes(&page));
        let Some(last) = page["next"].as_str() else { break };
        next = format!("&after={last}");
    }
    assert_eq!(listed.len(), 122);

    // A promotion that applies by itself takes none, and those that it had bring nothing.
    let body = json!({ "items": [{ "sku": "A", "quantity": 1 }], "coupons": ["spring"] });
    assert_eq!(quote(&server, &body).await.ok()["discounts"][0]["coupon"], "SPRING");
    let one = path.trim_end_matches("/coupons");
    send(&server, Method::PUT, one, &json!({ "name": "x", "rule": { "kind": "percentage", "basis_points": 1000 } })).await.ok();
    make(json!({ "count": 1 })).await.problem(409, "promotion-automatic");
    let told = quote(&server, &body).await.ok();
    assert_eq!(json!([told["discount_cents"], told["rejected_coupons"][0]["reason"]]), json!([100, "unknown"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_goes_while_nobody_has_used_it_and_is_switched_off_afterwards() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 1000, 1).await;
    let terms = json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "max_redemptions": 5 });
    let made = with_coupon(&server, "TENTH", terms.clone()).await;
    let path = format!("/api/v1/promotions/{}", made["id"].as_str().unwrap());
    let delete = async || server.send(Method::DELETE, &path, TOKEN, None).await;
    let body = json!({ "items": [{ "sku": "A", "quantity": 1 }], "coupons": ["TENTH"] });
    let told: Quote = serde_json::from_value(quote(&server, &body).await.ok()).unwrap();
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    pricing::redeem(&server.app, first, None, &told).await.unwrap();
    pricing::redeem(&server.app, second, None, &told).await.unwrap();

    let lower = json!({ "name": "x", "rule": { "kind": "free_shipping" }, "max_redemptions": 1 });
    send(&server, Method::PUT, &path, &lower).await.problem(422, "invalid-body");
    assert_eq!(delete().await.status, 204);
    let off = server.get_as_operator(&path).await.ok();
    assert_eq!(json!([off["is_active"], off["used_count"]]), json!([false, 2]));
    assert_eq!(quote(&server, &body).await.ok()["rejected_coupons"], json!([{ "code": "TENTH", "reason": "over" }]));

    pricing::release(&server.app, first).await.unwrap();
    pricing::release(&server.app, second).await.unwrap();
    assert_eq!(delete().await.status, 204);
    server.get_as_operator(&path).await.problem(404, "promotion-not-found");
    delete().await.problem(404, "promotion-not-found");
    assert_eq!(quote(&server, &body).await.ok()["rejected_coupons"], json!([{ "code": "TENTH", "reason": "unknown" }]));
}
