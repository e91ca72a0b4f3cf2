//! Prices: quotes, promotions and their limits, the tables of taxes and shipping, and the same over gRPC.

mod grpc;
mod promotions;
mod quotes;
mod redemptions;
mod tables;
mod tls;

use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, Server, TOKEN};

/// As the operator.
async fn send(server: &Server, method: Method, path: &str, body: &Value) -> Answer {
    server.send(method, path, TOKEN, Some(body)).await
}

/// Makes a promotion of these terms; what became of it.
async fn promotion(server: &Server, mut terms: Value) -> Value {
    if terms["name"].is_null() {
        terms["name"] = json!("a promotion");
    }
    let answer = send(server, Method::POST, "/api/v1/promotions", &terms).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/promotions/{}", made["id"].as_str().unwrap()));
    made
}

/// A promotion that needs a coupon, of this code.
async fn with_coupon(server: &Server, code: &str, mut terms: Value) -> Value {
    terms["needs_coupon"] = json!(true);
    let made = promotion(server, terms).await;
    let path = format!("/api/v1/promotions/{}/coupons", made["id"].as_str().unwrap());
    let answer = send(server, Method::POST, &path, &json!({ "codes": [code] })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    made
}

async fn quote(server: &Server, body: &Value) -> Answer {
    server.post("/api/v1/pricing/quote", body).await
}
