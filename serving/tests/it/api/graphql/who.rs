//! Who may ask for what.

use chimera_serving::api::Limits;
use chimera_serving::api::access::Role;
use chimera_serving::api::rate_limit::{Rate, Rates};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Asker, PATH, shop};
use crate::api::server::{Answer, PASSWORD, Server, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_what_they_see_over_rest() {
    let Some(server) = shop().await else { return };
    let (ada, stranger) = (Asker::of(&server, Role::Shopper).await, Asker::of(&server, Role::Shopper).await);
    let user = ada.get("/api/v1/auth/me").await["user_id"].clone();
    ada.send(Method::POST, "/api/v1/cart/items", &json!({ "sku": "BAG", "quantity": 1 })).await.ok();
    let order = json!({ "customer_id": user, "country": "France", "items": [{ "sku": "BAG", "quantity": 1 }] });
    let request = server.request(Method::POST, "/api/v1/orders").bearer_auth(TOKEN);
    let placed = Answer::of(request.header("idempotency-key", "a").json(&order)).await;
    let order = placed.json()["id"].clone();
    let (of_user, of_order, orders) = (
        "query ($id: ID!) { user(id: $id) { email orders { id } } }",
        "query ($id: ID!) { order(id: $id) { id } }",
        "query ($id: ID!) { orders(userId: $id) { id } }",
    );
    assert_eq!(ada.data(of_order, json!({ "id": order })).await["order"]["id"], order);
    assert_eq!(ada.data(of_user, json!({ "id": user })).await["user"]["orders"], json!([{ "id": order }]));
    assert_eq!(stranger.refused(of_order, json!({ "id": order })).await["type"], "/problems/order-not-found");
    assert_eq!(stranger.refused(orders, json!({ "id": user })).await["type"], "/problems/forbidden");
    assert_eq!(stranger.data("{ cart { id } }", json!({})).await["cart"], Value::Null);
    for role in [Role::Shopper, Role::Merchandiser, Role::Analyst, Role::Service] {
        let other = Asker::of(&server, role).await;
        assert_eq!(other.refused(of_user, json!({ "id": user })).await["type"], "/problems/forbidden", "{role:?}");
        let rest = other.send(Method::GET, &format!("/api/v1/orders/{}", order.as_str().unwrap()), &json!({})).await.status;
        let here = other.ask(of_order, json!({ "id": order })).await["errors"].is_null();
        assert_eq!(rest == 200, here, "{role:?}");
    }
    let admin = Asker::of(&server, Role::Admin).await;
    assert_eq!(admin.data(of_user, json!({ "id": user })).await["user"]["orders"], json!([{ "id": order }]));
    assert_eq!(admin.data(orders, json!({ "id": user })).await["orders"], json!([{ "id": order }]));
    let guest = Asker::guest(&server);
    for query in ["{ me { id } }", "mutation { updateProfile(input: { firstName: \"A\", lastName: \"B\" }) { id } }"] {
        let refused = guest.refused(query, json!({})).await;
        assert_eq!((&refused["type"], &refused["status"]), (&json!("/problems/unauthenticated"), &json!(401)));
    }
    for (query, id) in [(of_user, &user), (of_order, &order), (orders, &user)] {
        assert_eq!(guest.refused(query, json!({ "id": id })).await["type"], "/problems/unauthenticated");
    }
    let wrong = server.request(Method::POST, PATH).bearer_auth("x").json(&json!({ "query": "{ __typename }" }));
    crate::api::server::Answer::of(wrong).await.problem(401, "unauthenticated");
    // The operator has no account, and needs none for products.
    let operator = Asker { bearer: Some(crate::api::server::TOKEN.to_owned()), ..Asker::guest(&server) };
    assert_eq!(operator.refused("{ me { id } }", json!({})).await["type"], "/problems/no-account");
    assert_eq!(operator.data("{ searchProducts(query: \"mug\") { sku } }", json!({})).await["searchProducts"][0]["sku"], "MUG");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_reading_asks_and_changes_nothing() {
    let Some(server) = shop().await else { return };
    let ada = Asker::of(&server, Role::Shopper).await;
    let wanted = json!({ "name": "a program", "read_only": true, "password": PASSWORD });
    let made = ada.send(Method::POST, "/api/v1/auth/api-keys", &wanted).await.json();
    let program = Asker { bearer: Some(made["key"].as_str().unwrap().to_owned()), ..Asker::guest(&server) };
    assert_eq!(program.data("{ me { id } }", json!({})).await["me"]["id"], ada.get("/api/v1/auth/me").await["user_id"]);
    let change =
        json!({ "query": "query a { __typename } mutation b { addCartItem(sku: \"BAG\", quantity: 1) { id } }", "operationName": "b" });
    program.send(Method::POST, PATH, &change).await.problem(403, "forbidden");
    assert_eq!(ada.data("{ cart { id } }", json!({})).await["cart"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_count_as_reads_and_mutations_as_writes() {
    let slow = Rate { per_s: 1, burst: 5 };
    let rates = Rates { reads: Rate { per_s: 1, burst: 20 }, writes: slow, entrances: slow, counts_loopback: true };
    let Some(server) = Server::start_with(Limits { rates, ..Limits::default() }, None).await else { return };
    let ada = Asker::of(&server, Role::Shopper).await;
    let refused = async |query: &str, times: usize| {
        let body = json!({ "query": query });
        let answers = join_all((0..times).map(|_| ada.send(Method::POST, PATH, &body))).await;
        answers.iter().filter(|answer| answer.status == 429).count()
    };
    // What was counted while they ran may let one more through.
    let of_writes = refused("mutation { removeCartItem(sku: \"BAG\") { id } }", 12).await;
    assert!((6..=7).contains(&of_writes), "{of_writes} of 12 mutations were refused");
    let of_reads = refused("{ __typename }", 12).await;
    assert_eq!(of_reads, 0, "reads are counted for themselves");
    // What cannot be read costs as well.
    assert!(refused("{", 20).await >= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_costly_query_counts_as_many_reads_and_mutations_count_each() {
    let rate = |burst: u32| Rate { per_s: 1, burst };
    let rates = Rates { reads: rate(20), writes: rate(5), entrances: rate(5), counts_loopback: true };
    let Some(server) = Server::start_with(Limits { rates, ..Limits::default() }, None).await else { return };
    let ada = Asker::of(&server, Role::Shopper).await;
    let refused = async |query: &str, times: usize| {
        let body = json!({ "query": query });
        let answers: Vec<Answer> = join_all((0..times).map(|_| ada.send(Method::POST, PATH, &body))).await;
        answers.iter().filter(|answer| answer.status == 429).count()
    };
    let costly: String = (0..40).map(|i| format!("m{i}: me {{ id }} ")).collect();
    // The first is let through, and those after it wait for what it cost.
    assert_eq!(refused(&format!("{{ {costly} }}"), 1).await, 0);
    assert_eq!(refused("{ __typename }", 3).await, 3);
    let five: String = (0..5).map(|i| format!("m{i}: removeCartItem(sku: \"{i}\") {{ id }} ")).collect();
    assert_eq!(refused(&format!("mutation {{ {five} }}"), 1).await, 0);
    // What was counted while it ran may let one through.
    assert!(refused("mutation { removeCartItem(sku: \"BAG\") { id } }", 3).await >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_costs_more_than_is_left_is_not_run() {
    let rate = |burst: u32| Rate { per_s: 1, burst };
    let rates = Rates { reads: rate(1), writes: rate(5), entrances: rate(5), counts_loopback: true };
    let Some(server) = Server::start_with(Limits { rates, ..Limits::default() }, None).await else { return };
    let ada = Asker::of(&server, Role::Shopper).await;
    // It is one read already, and there is no second one.
    let answer = ada.send(Method::POST, PATH, &json!({ "query": "{ me { id } }" })).await;
    answer.problem(429, "too-many-requests");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
}
