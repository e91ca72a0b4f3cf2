//! `POST /api/v1/pricing/quote`.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::super::server::{Server, pretty};
use super::{promotion, quote, with_coupon};

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_is_priced_with_everything_that_there_is() {
    let Some(server) = Server::start().await else { return };
    server.product("BOOT", 6000, 10).await;
    server.product("BOOK", 333, 10).await;
    // Boots are below shoes.
    let shoes: Uuid = sqlx::query_scalar(
        "WITH shoes AS (INSERT INTO categories (name) VALUES ('shoes') RETURNING id),
         boots AS (INSERT INTO categories (name, parent_id) SELECT 'boots', id FROM shoes RETURNING id)
         SELECT id FROM shoes",
    )
    .fetch_one(&server.app.databases.catalog)
    .await
    .unwrap();
    sqlx::query("UPDATE products SET category_id = (SELECT id FROM categories WHERE name = 'boots') WHERE sku = 'BOOT'")
        .execute(&server.app.databases.catalog)
        .await
        .unwrap();
    let shoe_sale = json!({ "name": "shoe sale", "rule": { "kind": "percentage", "basis_points": 1000 }, "priority": 1,
        "scope": { "kind": "categories", "category_ids": [shoes] } });
    promotion(&server, shoe_sale).await;
    let welcome = json!({ "name": "welcome", "rule": { "kind": "basket_amount", "amount_cents": 500 }, "currency": "GBP", "priority": 2,
        "minimum_basket_cents": 5000 });
    with_coupon(&server, "Welcome-5", welcome).await;

    let body = json!({ "items": [{ "sku": "BOOT", "quantity": 1 }, { "sku": "BOOK", "quantity": 1 }, { "sku": "BOOK", "quantity": 1 }],
        "coupons": [" welcome-5 ", "nothing"], "destination": { "country": "united kingdom" }, "shipping_method": "express" });
    let answer = quote(&server, &body).await;
    let mut told = answer.ok();
    assert_eq!(answer.header("cache-control"), "no-store");
    for discount in told["discounts"].as_array_mut().unwrap() {
        discount["promotion_id"] = json!("…");
    }
    for line in told["lines"].as_array_mut().unwrap() {
        line["product_id"] = json!("…");
    }
    // By hand: 600 off the boots, then 500 shared out over 666 and 5400: 54.9 and 445.1. A sixth of the rest is tax.
    assert_eq!(
        told,
        json!({
            "currency": "GBP",
            "lines": [
                { "sku": "BOOK", "name": "BOOK", "product_id": "…", "quantity": 2, "unit_price_cents": 333, "discount_cents": 55,
                    "tax_cents": 102, "total_cents": 611 },
                { "sku": "BOOT", "name": "BOOT", "product_id": "…", "quantity": 1, "unit_price_cents": 6000, "discount_cents": 1045,
                    "tax_cents": 826, "total_cents": 4955 },
            ],
            "subtotal_cents": 6666,
            "discounts": [
                { "promotion_id": "…", "name": "shoe sale", "coupon": null, "amount_cents": 600, "sku": "BOOT" },
                { "promotion_id": "…", "name": "welcome", "coupon": "WELCOME-5", "amount_cents": 500, "sku": null },
            ],
            "discount_cents": 1100,
            "shipping_cents": 995,
            "shipping_tax_cents": 166,
            "tax_cents": 102 + 826 + 166,
            "tax_included": true,
            "total_cents": 6666 - 1100 + 995,
            "rejected_coupons": [{ "code": "NOTHING", "reason": "unknown" }],
        }),
        "{}",
        pretty(&told)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_price_is_the_catalogues_and_never_the_clients() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1).await;
    sqlx::query(
        "INSERT INTO product_variants (product_id, variant_sku, price_cents) SELECT id, 'A-own', 70 FROM products WHERE sku = 'A'
        UNION ALL SELECT id, 'A-base', NULL FROM products WHERE sku = 'A'",
    )
    .execute(&server.app.databases.catalog)
    .await
    .unwrap();
    sqlx::query("INSERT INTO products (sku, name, base_price_cents, currency, is_active) VALUES ('EURO', 'x', 1, 'EUR', true), ('OFF', 'x', 1, 'GBP', false)")
        .execute(&server.app.databases.catalog)
        .await
        .unwrap();
    let of = |items: serde_json::Value| json!({ "items": items });
    let told = quote(&server, &of(json!([{ "sku": "A-own", "quantity": 2 }, { "sku": "A-base", "quantity": 1 }]))).await.ok();
    assert_eq!((&told["total_cents"], &told["shipping_cents"], &told["tax_cents"]), (&json!(240), &json!(0), &json!(0)));

    let problem = quote(&server, &of(json!([{ "sku": "A", "quantity": 1, "price_cents": 1 }]))).await.problem(422, "invalid-body");
    assert!(problem["detail"].as_str().unwrap().contains("never taken from a request"), "{problem}");
    let unknown = quote(&server, &of(json!([{ "sku": "OFF", "quantity": 1 }, { "sku": "no", "quantity": 1 }]))).await;
    assert_eq!(unknown.problem(422, "unknown-sku")["skus"], json!(["OFF", "no"]));
    quote(&server, &of(json!([{ "sku": "A", "quantity": 1 }, { "sku": "EURO", "quantity": 1 }]))).await.problem(422, "mixed-currencies");
    let bad = json!({ "items": [], "coupons": vec!["x"; 11], "destination": { "country": "" } });
    let problem = quote(&server, &bad).await.problem(422, "invalid-body");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["items", "coupons", "destination.country"]);
    let many = of(json!([{ "sku": "A", "quantity": 10_000 }, { "sku": "A", "quantity": 1 }]));
    quote(&server, &many).await.problem(422, "invalid-body");
    // Codes that nobody could have made are as unknown as others.
    let odd = json!({ "items": [{ "sku": "A", "quantity": 1 }], "coupons": ["é", "'; --"] });
    assert_eq!(quote(&server, &odd).await.ok()["rejected_coupons"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_own_limits_show_in_their_quotes() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 1000, 1).await;
    let once = json!({ "rule": { "kind": "percentage", "basis_points": 5000 }, "max_per_customer": 1 });
    with_coupon(&server, "ONCE", once).await;
    let body = json!({ "items": [{ "sku": "A", "quantity": 1 }], "coupons": ["once"] });
    let reason = |told: &serde_json::Value| told["rejected_coupons"][0]["reason"].clone();
    assert_eq!(reason(&quote(&server, &body).await.ok()), "sign-in-needed");

    let ada = server.account(Role::Shopper).await;
    let token = server.session(ada, Role::Shopper).await;
    let as_ada = async || server.send(Method::POST, "/api/v1/pricing/quote", &token, Some(&body)).await.ok();
    let told = as_ada().await;
    assert_eq!((&told["discount_cents"], &told["rejected_coupons"]), (&json!(500), &json!([])));
    let told: chimera_serving::api::pricing::Quote = serde_json::from_value(told).unwrap();
    chimera_serving::api::pricing::redeem(&server.app, Uuid::now_v7(), Some(ada), &told).await.unwrap();
    assert_eq!(reason(&as_ada().await), "used-by-you");
    let token = server.session(server.account(Role::Shopper).await, Role::Shopper).await;
    let other = server.send(Method::POST, "/api/v1/pricing/quote", &token, Some(&body)).await.ok();
    assert_eq!(other["discount_cents"], 500);
}
