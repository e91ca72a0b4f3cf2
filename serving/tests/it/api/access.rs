//! Who may call what: every route of the router, against the list of public ones.

use chimera_serving::api::access::{Access, PUBLIC};
use chimera_serving::api::openapi;
use reqwest::Method;
use serde_json::Value;

use super::server::{Answer, Server, TOKEN};

/// Every method and path that the router has, from its own description.
fn routes() -> Vec<(Method, String)> {
    let document: Value = serde_json::to_value(openapi::document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str())) {
            routes.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    routes
}

#[test]
fn the_classes_of_all_routes_are_these() {
    let mut lines: Vec<String> = routes().iter().map(|(method, path)| format!("{:?} {method} {path}", Access::of(method, path))).collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Operator GET /api/v1/dlq
    Operator GET /api/v1/pipelines
    Operator GET /api/v1/pipelines/{name}
    Operator GET /api/v1/pipelines/{name}/graph
    Operator GET /api/v1/stores
    Operator GET /api/v1/stores/stream
    Operator GET /api/v1/stores/{store}/rows
    Operator GET /api/v1/topics/{topic}/records
    Operator GET /api/v1/views
    Operator GET /api/v1/views/{name}
    Operator GET /api/v1/views/{name}/stream
    Operator GET /metrics
    Operator POST /api/v1/dlq/replay
    Operator POST /api/v1/pipelines/{name}/diff
    Operator POST /api/v1/pipelines/{name}/rebuild
    Public GET /api/v1/feed
    Public GET /api/v1/images/{id}
    Public GET /api/v1/inventory/{sku}
    Public GET /api/v1/products/{id}
    Public GET /api/v1/products/{id}/related
    Public GET /api/v1/search
    Public GET /healthz
    Public GET /openapi.json
    Public GET /problems/{name}
    Public GET /readyz
    Public POST /api/v1/events
    Public POST /api/v1/orders
    Public POST /api/v1/visual-search
    ");
    // A public route that is not there would be a slip of the pen that opens something later.
    for (method, path) in PUBLIC {
        assert!(routes().iter().any(|(m, p)| m == method && p == path), "{method} {path} is in the list, but is no route");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_the_token_exactly_if_it_is_not_public() {
    let Some(server) = Server::start().await else { return };
    for (method, path) in routes() {
        let url = path
            .replace("{id}", "00000000-0000-0000-0000-000000000000")
            .replace("{name}", "x.y")
            .replace("{sku}", "x")
            .replace("{store}", "x.y")
            .replace("{topic}", "x");
        for method in if method == Method::GET { vec![Method::GET, Method::HEAD] } else { vec![method] } {
            let operator = Access::of(&method, &path) == Access::Operator;
            let bare = server.request(method.clone(), &url).send().await.unwrap();
            assert_eq!(bare.status() == 401, operator, "{method} {path} without a token: {}", bare.status());
            if operator {
                assert_eq!(bare.headers()["www-authenticate"], "Bearer realm=\"chimera\"");
                for wrong in ["", "x", "the operator's toke", "the operator's token2"] {
                    let refused = server.request(method.clone(), &url).bearer_auth(wrong).send().await.unwrap();
                    assert_eq!(refused.status(), 401, "{method} {path} with the token `{wrong}`");
                }
                let basic = server.request(method.clone(), &url).header("authorization", format!("Basic {TOKEN}")).send().await.unwrap();
                assert_eq!(basic.status(), 401, "{method} {path} with another scheme");
                let right = server.request(method.clone(), &url).bearer_auth(TOKEN).send().await.unwrap();
                assert_ne!(right.status(), 401, "{method} {path} with the token");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_and_marks_the_operators_routes() {
    let Some(server) = Server::start().await else { return };
    let document = server.get("/openapi.json").await.ok();
    assert_eq!(document["paths"]["/metrics"]["get"]["security"][0]["operator"], serde_json::json!([]));
    assert!(document["paths"]["/api/v1/search"]["get"]["security"].is_null());
    let parameters = document["paths"]["/api/v1/search"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["q", "brand", "category", "min_price", "max_price", "in_stock", "sort", "limit", "offset", "after", "wait_ms"]);
    for schema in ["Product", "SearchResults", "OrderResponse", "NewOrder", "ProblemBody", "StoreStatus"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema} is missing");
    }
    // Whatever is referred to is there.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document["components"]["schemas"][reference].is_object(), "{reference} is referred to, and missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_of_routes_and_stores() {
    let Some(server) = Server::start().await else { return };
    server.board.set("inventory.stock", Default::default(), 1500);
    server.get("/api/v1/inventory/none").await.problem(404, "sku-not-found");
    let text = Answer::of(server.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text().to_owned();
    assert!(text.contains(r#"chimera_http_request_seconds_bucket{method="GET",route="/api/v1/inventory/{sku}",status="404","#), "{text}");
    assert!(text.contains(r#"chimera_store_age_seconds{store="inventory.stock"} 1.5"#), "{text}");
}
