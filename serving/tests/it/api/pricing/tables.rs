//! The tables of taxes and of shipping.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::server::Server;
use super::{quote, send};

const TAXES: &str = "/api/v1/tax-rates";
const SHIPPING: &str = "/api/v1/shipping-rates";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_table_replaces_the_old_one_whole_and_prices_follow() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 1000, 1).await;
    let seeded = server.get_as_operator(TAXES).await.ok();
    let britain = json!({ "country": "United Kingdom", "prices_include_tax": true,
        "rates": [{ "state_province": null, "category_id": null, "basis_points": 2000 }] });
    assert!(seeded["countries"].as_array().unwrap().contains(&britain), "{seeded}");
    // What is read can be written back as it is.
    assert_eq!(send(&server, Method::PUT, TAXES, &seeded).await.ok(), seeded);
    let shipping = server.get_as_operator(SHIPPING).await.ok();
    assert_eq!(send(&server, Method::PUT, SHIPPING, &shipping).await.ok(), shipping);

    let taxes = json!({ "countries": [
        { "country": "*", "prices_include_tax": true, "rates": [{ "basis_points": 1000 }] },
        { "country": "Canada", "prices_include_tax": false, "rates": [{ "basis_points": 500 }, { "state_province": "Ontario", "basis_points": 1300 }] },
        { "country": "Monaco", "prices_include_tax": false, "rates": [] }] });
    send(&server, Method::PUT, TAXES, &taxes).await.ok();
    let rate = |country: &str, currency: &str, from: i64, price: i64| json!({ "country": country, "method": "standard", "currency": currency, "from_subtotal_cents": from, "price_cents": price });
    let rates = [rate("Canada", "GBP", 0, 2000), rate("Canada", "GBP", 1001, 7), rate("*", "EUR", 0, 1), rate("*", "GBP", 0, 100)];
    send(&server, Method::PUT, SHIPPING, &json!({ "rates": rates })).await.ok();
    let priced = async |destination: Value, quantity: i64| {
        let body = json!({ "items": [{ "sku": "A", "quantity": quantity }], "destination": destination });
        let told = quote(&server, &body).await.ok();
        ["tax_cents", "shipping_cents", "total_cents"].map(|field| told[field].as_i64().unwrap())
    };
    assert_eq!(priced(json!({ "country": "CANADA", "state_province": "ontario" }), 1).await, [130 + 260, 2000, 3390]);
    assert_eq!(priced(json!({ "country": "Canada" }), 2).await, [100, 7, 2107]);
    assert_eq!(priced(json!({ "country": "Monaco" }), 1).await, [0, 100, 1100]);
    // A eleventh of 1000, and of 100.
    assert_eq!(priced(json!({ "country": "United Kingdom" }), 1).await, [91 + 9, 100, 1100]);
    let express = json!({ "items": [{ "sku": "A", "quantity": 1 }], "destination": { "country": "Canada" }, "shipping_method": "express" });
    quote(&server, &express).await.problem(422, "no-shipping-rate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_a_fault_changes_nothing() {
    let Some(server) = Server::start().await else { return };
    let (taxes, shipping) = (server.get_as_operator(TAXES).await.ok(), server.get_as_operator(SHIPPING).await.ok());
    let twice = json!({ "countries": [{ "country": "France", "prices_include_tax": true, "rates": [] },
        { "country": " FRANCE", "prices_include_tax": true, "rates": [{ "basis_points": 10001 }, { "basis_points": -1 }] }] });
    let problem = send(&server, Method::PUT, TAXES, &twice).await.problem(422, "invalid-body");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    let expected =
        ["countries[1].country", "countries[1].rates[0].basis_points", "countries[1].rates[1]", "countries[1].rates[1].basis_points"];
    assert_eq!(paths, expected);
    let rate = json!({ "country": "*", "method": "standard", "currency": "GBP", "from_subtotal_cents": 1, "price_cents": 1 });
    let problem = send(&server, Method::PUT, SHIPPING, &json!({ "rates": [rate] })).await.problem(422, "invalid-body");
    assert!(problem["detail"].as_str().unwrap().contains("no row that begins at 0"), "{problem}");
    assert_eq!((server.get_as_operator(TAXES).await.ok(), server.get_as_operator(SHIPPING).await.ok()), (taxes, shipping));
}
