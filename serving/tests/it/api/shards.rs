//! Orders in three databases, behind the same routes.

use std::collections::BTreeMap;
use std::time::Duration;

use chimera_serving::api::access::Role;
use chimera_serving::api::orders::placements;
use chimera_serving::shop::shards::Shard;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::checkout::{Shopper, check_books, count, flow};
use super::server::{Server, as_owner};

/// The databases that have this order.
async fn holders(server: &Server, id: &str) -> Vec<String> {
    let mut holders = Vec::new();
    for Shard { source, pool, .. } in server.app.databases.shards.all() {
        let found: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM orders WHERE id = $1)")
            .bind(id.parse::<Uuid>().unwrap())
            .fetch_one(pool)
            .await
            .unwrap();
        holders.extend(found.then(|| source.clone()));
    }
    holders
}

/// A program's order for a customer, or for a guest.
fn order_of(customer_id: Option<&str>) -> Value {
    json!({ "customer_id": customer_id, "country": "France", "items": [{ "sku": "MUG", "quantity": 1 }] })
}

/// A customer whose orders are in the `number`-th database.
fn customer_in(server: &Server, number: usize) -> String {
    let shards = &server.app.databases.shards;
    let is_there = |id: &String| shards.of_customer(id).source == shards.all()[number].source;
    (0..).map(|nth| format!("customer-{nth}")).find(is_there).unwrap()
}

async fn allocated(server: &Server, sku: &'static str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT quantity FROM allocations WHERE sku = '{sku}'"));
    sqlx::query_scalar(sql).fetch_one(&server.app.databases.orders).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_customer_finds_their_orders_in_one_database_and_the_shop_finds_all() {
    let Some(server) = Server::start_sharded(3).await else { return };
    server.product("MUG", 250, 100).await;
    let mut by_customer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut in_databases: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0..3 {
        for number in 0..3 {
            let customer = customer_in(&server, number);
            let answer = server.order(&format!("{customer}-{round}"), &order_of(Some(&customer))).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            let placed = answer.json();
            let holders = holders(&server, placed["id"].as_str().unwrap()).await;
            assert_eq!(holders, [server.app.databases.shards.all()[number].source.clone()]);
            assert!(placed["position"].as_str().unwrap().starts_with(&format!("{}:", holders[0])), "{placed}");
            by_customer.entry(customer).or_default().push(placed["id"].as_str().unwrap().to_owned());
            *in_databases.entry(holders[0].clone()).or_default() += 1;
        }
        // A guest's is anywhere, and found all the same.
        let placed = server.order(&format!("guest-{round}"), &order_of(None)).await.json();
        let path = format!("/api/v1/orders/{}", placed["id"].as_str().unwrap());
        assert_eq!(server.get_as_operator(&path).await.ok()["number"], placed["number"]);
        by_customer.entry("guest".into()).or_default().push(placed["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(in_databases.len(), 3);
    assert_eq!(allocated(&server, "MUG").await, 12);

    let all: Vec<String> = {
        let mut all: Vec<String> = by_customer.values().flatten().cloned().collect();
        all.sort_by(|one, other| other.cmp(one));
        all
    };
    // Page by page, as if there were one table.
    let (mut pages, mut before) = (Vec::new(), String::new());
    loop {
        let page = server.get_as_operator(&format!("/api/v1/orders?limit=5{before}")).await.ok();
        pages.extend(page["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(pages, all);
    for (customer, orders) in by_customer.iter().filter(|(customer, _)| *customer != "guest") {
        let listed = server.get_as_operator(&format!("/api/v1/orders?customer_id={customer}")).await.ok();
        let listed: Vec<&str> = listed["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect();
        assert_eq!(listed, orders.iter().rev().map(String::as_str).collect::<Vec<_>>());
    }
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_or_comes_back_can_be_had_again_wherever_it_was() {
    let Some(server) = Server::start_sharded(3).await else { return };
    server.product("MUG", 250, 8).await;
    let clerk = server.session(server.account(Role::Merchandiser).await, Role::Merchandiser).await;
    let mut seen = std::collections::BTreeSet::new();
    // Accounts, until each database has had one that was cancelled and one that came back.
    while seen.len() < 6 {
        let comes_back = seen.len() % 2 == 1;
        let mut shopper = Shopper::account(&server).await;
        shopper.put_in("MUG", 2).await;
        let answer = shopper.bought("a", "tok_visa").await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        flow::wait_until_done(&server).await;
        let order = answer.json()["order"].clone();
        let id = order["id"].as_str().unwrap();
        let path = format!("/api/v1/orders/{id}");
        assert_eq!(shopper.send(Method::GET, "/api/v1/orders", None, None).await.ok()["orders"][0]["id"], order["id"]);
        let left = if comes_back {
            let sent = server.request(Method::POST, &format!("{path}/shipments")).header("idempotency-key", id);
            let sent = super::server::Answer::of(sent.bearer_auth(&clerk).json(&json!({ "carrier": "Royal Mail" }))).await;
            assert_eq!(sent.ok()["status"], "shipped");
            let back = json!({ "reason": "too small", "items": [{ "line_no": 1, "quantity": 2 }] });
            let asked = shopper.send(Method::POST, &format!("{path}/returns"), Some("r"), Some(&back)).await.ok();
            let decide = format!("{path}/returns/{}", asked["returns"][0]["id"].as_str().unwrap());
            server.send(Method::POST, &decide, &clerk, Some(&json!({ "decision": "received" }))).await.ok()
        } else {
            shopper.send(Method::POST, &format!("{path}/cancel"), None, Some(&json!({}))).await.ok()
        };
        assert_eq!(left["status"], if comes_back { "returned" } else { "cancelled" });
        while allocated(&server, "MUG").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        seen.insert((holders(&server, id).await.concat(), comes_back));
    }
    for Shard { pool, .. } in server.app.databases.shards.all() {
        while count(pool, "SELECT count(*) FROM refunds WHERE done_at IS NULL").await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_database_is_away_is_decided_and_written_later_once() {
    let Some(server) = Server::start_sharded(2).await else { return };
    server.product("MUG", 250, 2).await;
    let customer = customer_in(&server, 1);
    let away = &server.app.databases.shards.all()[1].pool;
    as_owner(away, "ALTER TABLE orders RENAME TO orders_away").await;
    let answer = server.order("a", &order_of(Some(&customer))).await;
    assert!(answer.status >= 500, "{}", answer.text());
    assert_eq!(allocated(&server, "MUG").await, 1, "it is decided");
    assert!(server.order("a", &order_of(Some(&customer))).await.status >= 500, "and not said to be there while it is not");
    as_owner(away, "ALTER TABLE orders_away RENAME TO orders").await;
    let again = server.order("a", &order_of(Some(&customer))).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"), "{}", again.text());
    for _ in 0..2 {
        placements::deliver_to(&server.app, &server.app.databases.shards.all()[1]).await.unwrap();
    }
    assert_eq!(count(away, "SELECT count(*) FROM orders").await, 1);
    assert_eq!(count(&server.app.databases.orders, "SELECT count(*) FROM placements").await, 0);

    // A purchase waits, and goes on by itself.
    let mut shopper = loop {
        let user_id = server.account(Role::Shopper).await;
        if !server.app.databases.shards.of_customer(&user_id.to_string()).is_home {
            break Shopper::of(&server, server.session(user_id, Role::Shopper).await);
        }
    };
    shopper.put_in("MUG", 1).await;
    as_owner(away, "ALTER TABLE orders RENAME TO orders_away").await;
    assert_eq!(shopper.buy("a", "tok_visa").await.status, 202);
    as_owner(away, "ALTER TABLE orders_away RENAME TO orders").await;
    assert_eq!(shopper.bought("a", "tok_visa").await.status, 201);
    flow::wait_until_done(&server).await;
    assert_eq!(count(away, "SELECT count(*) FROM orders").await, 2);
    check_books(&server).await;
}
