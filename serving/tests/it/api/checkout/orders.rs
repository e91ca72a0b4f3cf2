//! What becomes of an order that was bought.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::server::{Answer, Server};
use super::{Shopper, check_books, count};

/// An order of three mugs and a lamp.
async fn ordered(server: &Server, shopper: &mut Shopper<'_>, key: &str) -> Value {
    shopper.put_in("MUG", 3).await;
    shopper.put_in("LAMP", 1).await;
    let answer = shopper.bought(key, "tok_visa").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    super::flow::wait_until_done(server).await;
    answer.json()["order"].clone()
}

async fn refunds_are_done(server: &Server) {
    while count(&server.app.databases.orders, "SELECT count(*) FROM refunds WHERE done_at IS NULL").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_gives_back_its_articles_and_its_money() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 3).await;
    server.product("LAMP", 1999, 1).await;
    let mut shopper = Shopper::account(&server).await;
    let order = ordered(&server, &mut shopper, "a").await;
    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
    let stranger = Shopper::account(&server).await;
    let why = json!({ "reason": "ordered by mistake" });
    stranger.send(Method::POST, &format!("{path}/cancel"), None, Some(&why)).await.problem(404, "order-not-found");
    stranger.send(Method::GET, &path, None, None).await.problem(404, "order-not-found");
    assert_eq!(stranger.send(Method::GET, "/api/v1/orders", None, None).await.ok()["orders"], json!([]));

    // All at once: it is cancelled once, and refunded once.
    let cancel = format!("{path}/cancel");
    let answers: Vec<Answer> = futures::future::join_all((0..5).map(|_| shopper.send(Method::POST, &cancel, None, Some(&why)))).await;
    for answer in &answers {
        assert_eq!(answer.ok()["status"], "cancelled");
    }
    refunds_are_done(&server).await;
    check_books(&server).await;
    let now = shopper.send(Method::GET, &path, None, None).await.ok();
    assert_eq!(now["refunded_cents"], order["total_cents"]);
    let history: Vec<&str> = now["history"].as_array().unwrap().iter().map(|event| event["status"].as_str().unwrap()).collect();
    assert_eq!(history, ["placed", "paid", "cancelled"]);
    assert_eq!(now["history"][2]["note"], "ordered by mistake");
    ordered(&server, &mut shopper, "b").await;
    let listed = shopper.send(Method::GET, "/api/v1/orders?limit=1", None, None).await.ok();
    assert_eq!(listed["orders"][0]["status"], "paid");
    let next = listed["next"].as_str().unwrap();
    let page = shopper.send(Method::GET, &format!("/api/v1/orders?limit=1&before={next}"), None, None).await.ok();
    assert_eq!((&page["orders"][0]["id"], &page["next"]), (&order["id"], &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_sent_in_parts_and_comes_back_in_parts() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 333, 3).await;
    server.product("LAMP", 1999, 1).await;
    let mut shopper = Shopper::account(&server).await;
    let order = ordered(&server, &mut shopper, "a").await;
    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
    let line = |sku: &str| order["items"].as_array().unwrap().iter().find(|line| line["sku"] == sku).unwrap()["line_no"].clone();
    let (mug, lamp) = (line("MUG"), line("LAMP"));
    let clerk = server.account(Role::Merchandiser).await;
    let clerk = Shopper { server: &server, cart: None, bearer: Some(server.session(clerk, Role::Merchandiser).await) };
    let shipments = format!("{path}/shipments");
    let first = json!({ "carrier": "Royal Mail", "tracking_number": "RM1", "items": [{ "line_no": mug, "quantity": 2 }] });
    assert_eq!(shopper.send(Method::POST, &shipments, Some("s"), Some(&first)).await.status, 403, "not by the shopper");
    let returns = format!("{path}/returns");
    let back = |quantity: i64| json!({ "reason": "too small", "items": [{ "line_no": mug, "quantity": quantity }] });
    shopper.send(Method::POST, &returns, Some("r0"), Some(&back(1))).await.problem(409, "order-state");
    for _ in 0..2 {
        let sent = clerk.send(Method::POST, &shipments, Some("s1"), Some(&first)).await.ok();
        assert_eq!((&sent["status"], sent["shipments"].as_array().unwrap().len()), (&json!("partially_shipped"), 1));
    }
    let cancelled = shopper.send(Method::POST, &format!("{path}/cancel"), None, Some(&json!({}))).await;
    cancelled.problem(409, "order-state");
    let too_many = json!({ "carrier": "Royal Mail", "items": [{ "line_no": mug, "quantity": 2 }] });
    clerk.send(Method::POST, &shipments, Some("s2"), Some(&too_many)).await.problem(422, "invalid-body");
    let rest = clerk.send(Method::POST, &shipments, Some("s3"), Some(&json!({ "carrier": "Royal Mail" }))).await.ok();
    assert_eq!(rest["status"], "shipped");
    for (i, shipment) in rest["shipments"].as_array().unwrap().iter().enumerate() {
        let arrived = format!("{shipments}/{}/delivered", shipment["id"].as_str().unwrap());
        let now = clerk.send(Method::POST, &arrived, None, None).await.ok();
        assert_eq!(now["status"], if i == 0 { "shipped" } else { "delivered" });
    }

    // Three mugs come back one by one, and the lamp: what is given back is what was paid for them, to the cent.
    let paid =
        |sku: &str| order["items"].as_array().unwrap().iter().find(|line| line["sku"] == sku).unwrap()["paid_cents"].as_i64().unwrap();
    for i in 0..3 {
        let key = format!("r{i}");
        let asked = shopper.send(Method::POST, &returns, Some(&key), Some(&back(1))).await.ok();
        let id = asked["returns"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
        let decide = format!("{returns}/{id}");
        assert_eq!(shopper.send(Method::POST, &decide, None, Some(&json!({ "decision": "received" }))).await.status, 403);
        clerk.send(Method::POST, &decide, None, Some(&json!({ "decision": "received" }))).await.ok();
        clerk.send(Method::POST, &decide, None, Some(&json!({ "decision": "received" }))).await.ok();
        clerk.send(Method::POST, &decide, None, Some(&json!({ "decision": "refused" }))).await.problem(409, "order-state");
    }
    shopper.send(Method::POST, &returns, Some("r9"), Some(&back(1))).await.problem(422, "invalid-body");
    refunds_are_done(&server).await;
    let now = shopper.send(Method::GET, &path, None, None).await.ok();
    assert_eq!((&now["status"], &now["refunded_cents"]), (&json!("delivered"), &json!(paid("MUG"))));
    let lamp = json!({ "reason": "broken", "items": [{ "line_no": lamp, "quantity": 1 }] });
    let asked = shopper.send(Method::POST, &returns, Some("l"), Some(&lamp)).await.ok();
    let id = asked["returns"][3]["id"].as_str().unwrap().to_owned();
    let now = clerk.send(Method::POST, &format!("{returns}/{id}"), None, Some(&json!({ "decision": "received" }))).await.ok();
    assert_eq!((&now["status"], &now["refunded_cents"]), (&json!("returned"), &json!(paid("MUG") + paid("LAMP"))));
    refunds_are_done(&server).await;
    check_books(&server).await;
    assert_eq!(count(&server.app.databases.orders, "SELECT sum(quantity)::bigint FROM allocations").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_nobody_pays_for_are_placed_by_programs_of_the_shop_alone() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let owner = server.account(Role::Shopper).await;
    let ada = Shopper { server: &server, cart: None, bearer: Some(server.session(owner, Role::Shopper).await) };
    let order = json!({ "customer_id": owner, "country": "France", "items": [{ "sku": "MUG", "quantity": 1 }] });
    let place = async |shopper: &Shopper<'_>, key: &str| shopper.send(Method::POST, "/api/v1/orders", Some(key), Some(&order)).await;
    place(&Shopper::guest(&server), "a").await.problem(401, "unauthenticated");
    place(&ada, "b").await.problem(403, "forbidden");
    let clerk = server.account(Role::Merchandiser).await;
    let clerk = Shopper { server: &server, cart: None, bearer: Some(server.session(clerk, Role::Merchandiser).await) };
    place(&clerk, "c").await.problem(403, "forbidden");
    assert_eq!(ada.send(Method::GET, "/api/v1/orders", None, None).await.ok()["orders"], json!([]));
    let till = server.account(Role::Service).await;
    let till = Shopper { server: &server, cart: None, bearer: Some(server.session(till, Role::Service).await) };
    assert_eq!(place(&till, "d").await.status, 201);
    let listed = ada.send(Method::GET, "/api/v1/orders", None, None).await.ok();
    assert_eq!(listed["orders"].as_array().unwrap().len(), 1, "in the name of the customer");
}
