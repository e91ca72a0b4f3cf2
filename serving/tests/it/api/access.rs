//! Who may call what: every route of the router, against the list of public ones.

use chimera_serving::api::access::{Access, RULES, Role};
use chimera_serving::api::openapi;
use reqwest::Method;
use serde_json::Value;

use super::server::{Answer, Server, TOKEN};

/// Every method and path that the router has, from its own description.
pub fn routes() -> Vec<(Method, String)> {
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
    Entrance POST /api/v1/auth/login
    Entrance POST /api/v1/auth/password/forgot
    Entrance POST /api/v1/auth/password/reset
    Entrance POST /api/v1/auth/refresh
    Entrance POST /api/v1/auth/register
    Entrance POST /api/v1/auth/verify-email
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/brands
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/brands/{id}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/categories
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/categories/{id}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/products
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/products/{id}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/products/{id}/images
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/products/{id}/price-changes
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/products/{id}/variants
    Only([Analyst, Merchandiser, Service]) GET /api/v1/catalog/variants/{id}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/experiments
    Only([Analyst, Merchandiser, Service]) GET /api/v1/experiments/{key}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/experiments/{key}/results
    Only([Analyst, Merchandiser, Service]) GET /api/v1/flags
    Only([Analyst, Merchandiser, Service]) GET /api/v1/flags/{key}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/flags/{key}/changes
    Only([Analyst, Merchandiser, Service]) GET /api/v1/inventory/{sku}/movements
    Only([Analyst, Merchandiser, Service]) GET /api/v1/inventory/{sku}/warehouses
    Only([Analyst, Merchandiser, Service]) GET /api/v1/pipelines
    Only([Analyst, Merchandiser, Service]) GET /api/v1/pipelines/{name}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/pipelines/{name}/graph
    Only([Analyst, Merchandiser, Service]) GET /api/v1/promotions
    Only([Analyst, Merchandiser, Service]) GET /api/v1/promotions/{id}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/shipping-rates
    Only([Analyst, Merchandiser, Service]) GET /api/v1/stores
    Only([Analyst, Merchandiser, Service]) GET /api/v1/stores/stream
    Only([Analyst, Merchandiser, Service]) GET /api/v1/tax-rates
    Only([Analyst, Merchandiser, Service]) GET /api/v1/views
    Only([Analyst, Merchandiser, Service]) GET /api/v1/views/{name}
    Only([Analyst, Merchandiser, Service]) GET /api/v1/views/{name}/stream
    Only([Analyst, Merchandiser, Service]) GET /api/v1/warehouses
    Only([Merchandiser, Service]) POST /api/v1/inventory/receipts
    Only([Merchandiser, Service]) POST /api/v1/orders/{id}/returns/{return_id}
    Only([Merchandiser, Service]) POST /api/v1/orders/{id}/shipments
    Only([Merchandiser, Service]) POST /api/v1/orders/{id}/shipments/{shipment_id}/delivered
    Only([Merchandiser]) DELETE /api/v1/catalog/brands/{id}
    Only([Merchandiser]) DELETE /api/v1/catalog/categories/{id}
    Only([Merchandiser]) DELETE /api/v1/catalog/products/{id}
    Only([Merchandiser]) DELETE /api/v1/catalog/products/{id}/images/{image_id}
    Only([Merchandiser]) DELETE /api/v1/catalog/variants/{id}
    Only([Merchandiser]) DELETE /api/v1/flags/{key}
    Only([Merchandiser]) DELETE /api/v1/promotions/{id}
    Only([Merchandiser]) GET /api/v1/promotions/{id}/coupons
    Only([Merchandiser]) PATCH /api/v1/catalog/products/{id}
    Only([Merchandiser]) POST /api/v1/catalog/brands
    Only([Merchandiser]) POST /api/v1/catalog/categories
    Only([Merchandiser]) POST /api/v1/catalog/import
    Only([Merchandiser]) POST /api/v1/catalog/products
    Only([Merchandiser]) POST /api/v1/catalog/products/{id}/images
    Only([Merchandiser]) POST /api/v1/catalog/products/{id}/variants
    Only([Merchandiser]) POST /api/v1/experiments
    Only([Merchandiser]) POST /api/v1/experiments/{key}/start
    Only([Merchandiser]) POST /api/v1/experiments/{key}/stop
    Only([Merchandiser]) POST /api/v1/flags
    Only([Merchandiser]) POST /api/v1/inventory/adjustments
    Only([Merchandiser]) POST /api/v1/inventory/counts
    Only([Merchandiser]) POST /api/v1/inventory/transfers
    Only([Merchandiser]) POST /api/v1/promotions
    Only([Merchandiser]) POST /api/v1/promotions/{id}/coupons
    Only([Merchandiser]) POST /api/v1/warehouses
    Only([Merchandiser]) PUT /api/v1/catalog/brands/{id}
    Only([Merchandiser]) PUT /api/v1/catalog/categories/{id}
    Only([Merchandiser]) PUT /api/v1/catalog/products/{id}
    Only([Merchandiser]) PUT /api/v1/catalog/products/{id}/images
    Only([Merchandiser]) PUT /api/v1/catalog/products/{id}/price
    Only([Merchandiser]) PUT /api/v1/catalog/variants/{id}
    Only([Merchandiser]) PUT /api/v1/experiments/{key}
    Only([Merchandiser]) PUT /api/v1/flags/{key}
    Only([Merchandiser]) PUT /api/v1/inventory/{sku}/reorder-point
    Only([Merchandiser]) PUT /api/v1/promotions/{id}
    Only([Merchandiser]) PUT /api/v1/shipping-rates
    Only([Merchandiser]) PUT /api/v1/tax-rates
    Only([Merchandiser]) PUT /api/v1/warehouses/{code}
    Only([Service]) POST /api/v1/orders
    Only([]) DELETE /api/v1/webhooks/{id}
    Only([]) GET /api/v1/accounts
    Only([]) GET /api/v1/audit
    Only([]) GET /api/v1/dlq
    Only([]) GET /api/v1/notifications
    Only([]) GET /api/v1/stores/{store}/rows
    Only([]) GET /api/v1/topics/{topic}/records
    Only([]) GET /api/v1/webhooks
    Only([]) GET /api/v1/webhooks/{id}
    Only([]) GET /metrics
    Only([]) PATCH /api/v1/accounts/{user_id}
    Only([]) POST /api/v1/dlq/replay
    Only([]) POST /api/v1/notifications/replay
    Only([]) POST /api/v1/pipelines/{name}/diff
    Only([]) POST /api/v1/pipelines/{name}/rebuild
    Only([]) POST /api/v1/webhooks
    Only([]) PUT /api/v1/webhooks/{id}
    Public DELETE /api/v1/cart
    Public DELETE /api/v1/cart/items/{sku}
    Public GET /.well-known/jwks.json
    Public GET /.well-known/openid-configuration
    Public GET /api/v1/brands
    Public GET /api/v1/cart
    Public GET /api/v1/cart/events
    Public GET /api/v1/categories
    Public GET /api/v1/checkout/{id}
    Public GET /api/v1/feed
    Public GET /api/v1/graphql/schema
    Public GET /api/v1/graphql/ws
    Public GET /api/v1/images/{id}
    Public GET /api/v1/inventory/{sku}
    Public GET /api/v1/products/{id}
    Public GET /api/v1/products/{id}/related
    Public GET /api/v1/search
    Public GET /healthz
    Public GET /openapi.json
    Public GET /problems/{name}
    Public GET /readyz
    Public GET /ws
    Public POST /api/v1/cart/items
    Public POST /api/v1/checkout
    Public POST /api/v1/events
    Public POST /api/v1/graphql
    Public POST /api/v1/pricing/quote
    Public POST /api/v1/visual-search
    Public POST /ofrep/v1/evaluate/flags
    Public POST /ofrep/v1/evaluate/flags/{key}
    Public PUT /api/v1/cart/items/{sku}
    Signed POST /api/v1/payments/events
    SignedIn DELETE /api/v1/auth/api-keys/{key_id}
    SignedIn DELETE /api/v1/auth/second-factor
    SignedIn DELETE /api/v1/auth/sessions/{session_id}
    SignedIn DELETE /api/v1/users/me
    SignedIn DELETE /api/v1/users/me/addresses/{id}
    SignedIn GET /api/v1/auth/api-keys
    SignedIn GET /api/v1/auth/me
    SignedIn GET /api/v1/auth/sessions
    SignedIn GET /api/v1/orders
    SignedIn GET /api/v1/orders/{id}
    SignedIn GET /api/v1/orders/{id}/events
    SignedIn GET /api/v1/users/me
    SignedIn GET /api/v1/users/me/addresses
    SignedIn GET /api/v1/users/me/export
    SignedIn GET /api/v1/users/{user_id}
    SignedIn POST /api/v1/auth/api-keys
    SignedIn POST /api/v1/auth/logout
    SignedIn POST /api/v1/auth/second-factor
    SignedIn POST /api/v1/auth/second-factor/confirm
    SignedIn POST /api/v1/auth/verify-email/resend
    SignedIn POST /api/v1/cart/merge
    SignedIn POST /api/v1/orders/{id}/cancel
    SignedIn POST /api/v1/orders/{id}/returns
    SignedIn POST /api/v1/users/me/addresses
    SignedIn PUT /api/v1/auth/password
    SignedIn PUT /api/v1/users/me
    SignedIn PUT /api/v1/users/me/addresses/{id}
    SignedIn PUT /api/v1/users/{user_id}
    ");
    // A route in the list that is not there would be a slip of the pen that opens something later.
    for (method, path, _) in RULES {
        assert!(routes().iter().any(|(m, p)| m == method && p == path), "{method} {path} is in the list, but is no route");
        assert_eq!(RULES.iter().filter(|(m, p, _)| m == method && p == path).count(), 1, "{method} {path} is in the list twice");
    }
}

/// A path that matches the route, of things that are not there.
fn url(path: &str) -> String {
    const NOTHING: &str = "00000000-0000-0000-0000-000000000000";
    let mut url = path.to_owned();
    for (name, value) in [("name", "x.y"), ("sku", "x"), ("store", "x.y"), ("topic", "x")] {
        url = url.replace(&format!("{{{name}}}"), value);
    }
    while let Some((before, rest)) = url.split_once('{') {
        url = format!("{before}{NOTHING}{}", rest.split_once('}').unwrap().1);
    }
    url
}

fn with_head(method: Method) -> Vec<Method> {
    if method == Method::GET { vec![Method::GET, Method::HEAD] } else { vec![method] }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_who_calls_exactly_if_it_is_not_public() {
    let Some(server) = Server::start().await else { return };
    for (method, path) in routes() {
        let url = url(&path);
        for method in with_head(method) {
            let access = Access::of(&method, &path);
            let bare = server.request(method.clone(), &url).send().await.unwrap();
            assert_eq!(bare.status() == 401, !access.is_public(), "{method} {path} without a token: {}", bare.status());
            if !access.is_public() {
                assert_eq!(bare.headers()["www-authenticate"], "Bearer realm=\"chimera\"");
                for wrong in ["", "x", "the operator's toke", "the operator's token2", "chk_x", "e30.e30.x"] {
                    let refused = server.request(method.clone(), &url).bearer_auth(wrong).send().await.unwrap();
                    assert_eq!(refused.status(), 401, "{method} {path} with the token `{wrong}`");
                }
                let basic = server.request(method.clone(), &url).header("authorization", format!("Basic {TOKEN}")).send().await.unwrap();
                assert_eq!(basic.status(), 401, "{method} {path} with another scheme");
                let right = server.request(method.clone(), &url).bearer_auth(TOKEN).send().await.unwrap();
                assert_ne!(right.status(), 401, "{method} {path} with the token");
            } else if access == Access::Public {
                // Not served as if nobody had asked: a client whose token has run out has to learn it.
                let refused = server.request(method.clone(), &url).bearer_auth("x").send().await.unwrap();
                assert_eq!(refused.status(), 401, "{method} {path} with a token that is none");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_the_roles_through_that_it_is_for() {
    let Some(server) = Server::start().await else { return };
    for role in Role::ALL {
        let account = server.account(role).await;
        for (method, path) in routes() {
            for method in with_head(method) {
                // A new one each time: some routes end it.
                let token = server.session(account, role).await;
                let answer = server.request(method.clone(), &url(&path)).bearer_auth(token).send().await.unwrap();
                // Bodies are not read: some of them have no end.
                let refused = [401, 403].contains(&answer.status().as_u16());
                let allowed = Access::of(&method, &path).allows(role);
                assert_eq!(refused, !allowed, "{method} {path} as {role:?}: {}", answer.status());
                assert!(allowed || answer.status() == 403, "{method} {path} as {role:?}: {}", answer.status());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_and_marks_the_operators_routes() {
    let Some(server) = Server::start().await else { return };
    let document = server.get("/openapi.json").await.ok();
    assert_eq!(document["paths"]["/metrics"]["get"]["security"][0]["bearer"], serde_json::json!(["admin"]));
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
