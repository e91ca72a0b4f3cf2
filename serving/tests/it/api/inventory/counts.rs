//! Stock-taking: the books become what was counted.

use std::collections::BTreeSet;
use std::time::Duration;

use chimera_serving::api::access::Role;
use chimera_serving::shop::databases::begin;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::checkout::{Shopper, flow};
use super::super::server::{Answer, Server};
use super::{book, check_books, follow, of_inventory, of_orders, receipt, stocked, warehouse};

fn count(counted: i64) -> Value {
    json!({"warehouse": "MAIN", "sku": "A", "counted": counted, "reference": "2026"})
}

fn quantities(booked: &Value) -> Vec<i64> {
    booked["movements"].as_array().unwrap().iter().map(|movement| movement["quantity"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_books_the_difference() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    for (counted, difference) in [(10, vec![]), (12, vec![2]), (7, vec![-5])] {
        let answer = book(&server, "counts", &format!("count {counted}"), &count(counted)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(quantities(&answer.json()), difference);
        follow(&server).await;
    }
    // The answer of then, though the books have changed.
    assert_eq!(quantities(&book(&server, "counts", "count 12", &count(12)).await.json()), [2]);
    assert_eq!(of_inventory(&server, "SELECT quantity FROM stock_levels").await, 7);
    let order = json!({"country": "France", "items": [{"sku": "A", "quantity": 1}]});
    // Five units are withdrawn until the store is said to have reached the last count; two are free.
    assert_eq!(of_orders(&server, "SELECT quantity FROM allocations").await, 5);
    assert_eq!(server.order("k", &order).await.status, 201);
    let problem = book(&server, "counts", "less", &count(5)).await.problem(409, "stock-promised");
    assert_eq!(problem["available"], 1);
    book(&server, "counts", "bad", &count(-1)).await.problem(422, "invalid-body");
    let unknown = json!({"warehouse": "MAIN", "sku": "no such", "counted": 0});
    book(&server, "counts", "bad", &unknown).await.problem(422, "sku-not-in-catalogue");
    check_books(&server).await;
}

/// What a count of A in MAIN finds, booked under a key of its own.
async fn found(server: &Server, counted: i64) -> Vec<i64> {
    let answer = book(server, "counts", &Uuid::now_v7().to_string(), &count(counted)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    quantities(&answer.json())
}

/// How many units of A can be had: an order of more is told.
async fn on_offer(server: &Server) -> Value {
    let order = json!({"country": "France", "items": [{"sku": "A", "quantity": 1000}]});
    let problem = server.order(&Uuid::now_v7().to_string(), &order).await.problem(409, "out-of-stock");
    problem["items"][0]["available"].clone()
}

/// Buys units of A. The order.
async fn bought(server: &Server, shopper: &mut Shopper<'_>, units: i64) -> Uuid {
    shopper.put_in("A", units).await;
    let answer = shopper.bought("a", "tok_visa").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    flow::wait_until_done(server).await;
    answer.json()["order"]["id"].as_str().unwrap().parse().unwrap()
}

async fn clerk(server: &Server) -> String {
    server.session(server.account(Role::Merchandiser).await, Role::Merchandiser).await
}

async fn ship(server: &Server, clerk: &str, order: Uuid) {
    let request = server.request(Method::POST, &format!("/api/v1/orders/{order}/shipments")).header("idempotency-key", "s");
    let sent = Answer::of(request.bearer_auth(clerk).json(&json!({"carrier": "Royal Mail"}))).await.ok();
    assert_eq!(sent["status"], "shipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_not_missing() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    let clerk = clerk(&server).await;
    let mut shopper = Shopper::account(&server).await;
    let order = bought(&server, &mut shopper, 4).await;
    assert!(found(&server, 10).await.is_empty(), "sold, and still there");
    ship(&server, &clerk, order).await;
    assert!(found(&server, 6).await.is_empty());
    assert_eq!(on_offer(&server).await, 6);

    // One comes back, once it was received.
    let returns = format!("/api/v1/orders/{order}/returns");
    let back = json!({"reason": "too small", "items": [{"line_no": 1, "quantity": 1}]});
    let asked = shopper.send(Method::POST, &returns, Some("r"), Some(&back)).await.ok();
    assert!(found(&server, 6).await.is_empty());
    let decide = format!("{returns}/{}", asked["returns"][0]["id"].as_str().unwrap());
    server.send(Method::POST, &decide, &clerk, Some(&json!({"decision": "received"}))).await.ok();
    assert!(found(&server, 7).await.is_empty());
    assert_eq!(on_offer(&server).await, 7);
    assert_eq!(of_inventory(&server, "SELECT count(*) FROM stock_movements").await, 1, "the receipt alone");

    // And what is really missing, or there, is told from it.
    assert_eq!((found(&server, 5).await, found(&server, 5).await), (vec![-2], vec![]));
    assert_eq!((found(&server, 8).await, found(&server, 8).await), (vec![3], vec![]));
    assert_eq!(of_inventory(&server, "SELECT quantity FROM stock_levels").await, 11);
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn which_of_two_warehouses_units_were_sent_from_is_not_guessed() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    warehouse(&server, "LEEDS").await;
    let in_leeds = |counted: i64| json!({"warehouse": "LEEDS", "sku": "A", "counted": counted});
    assert_eq!(book(&server, "receipts", "more", &receipt("LEEDS", &[("A", 5)])).await.status, 201);
    // As long as nothing was sent, each has its own.
    assert!(found(&server, 10).await.is_empty());
    assert_eq!(book(&server, "counts", "leeds", &in_leeds(5)).await.json()["movements"], json!([]));
    let clerk = clerk(&server).await;
    let mut shopper = Shopper::account(&server).await;
    let order = bought(&server, &mut shopper, 4).await;
    ship(&server, &clerk, order).await;
    for (key, body) in [("a", count(6)), ("b", in_leeds(5))] {
        let problem = book(&server, "counts", key, &body).await.problem(409, "warehouse-unclear");
        assert_eq!((&problem["held"], &problem["sent"], &problem["expected"]), (&json!(15), &json!(4), &json!(11)));
    }
    // Emptied into the other, it is in one again.
    let all = json!({"from": "LEEDS", "to": "MAIN", "sku": "A", "quantity": 5});
    assert_eq!(book(&server, "transfers", "all", &all).await.status, 201);
    assert!(found(&server, 11).await.is_empty());
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_while_a_count_waits_was_counted() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    let clerk = clerk(&server).await;
    let mut shopper = Shopper::account(&server).await;
    let order = bought(&server, &mut shopper, 4).await;
    let mut transaction = begin(&server.app.databases.inventory).await.unwrap();
    sqlx::query("SELECT FROM stock_levels FOR UPDATE").execute(&mut *transaction).await.unwrap();
    let sending = async {
        // Whoever waits for a row holds the lock of its place.
        let waiting = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                       WHERE locktype = 'tuple' AND datname = current_database()";
        while of_inventory(&server, waiting).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        ship(&server, &clerk, order).await;
        transaction.rollback().await.unwrap();
    };
    let (met, ()) = tokio::join!(found(&server, 10), sending);
    assert!(met.is_empty(), "{met:?}");
    assert!(found(&server, 6).await.is_empty());
    assert_eq!(on_offer(&server).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_known_of_all_databases_of_orders() {
    let Some(server) = Server::start_sharded(2).await else { return };
    stocked(&server, "A", 50).await;
    let clerk = clerk(&server).await;
    let (mut seen, mut sent) = (BTreeSet::new(), 0);
    // Accounts, until each database has had one.
    while seen.len() < 2 {
        let mut shopper = Shopper::account(&server).await;
        let order = bought(&server, &mut shopper, 1).await;
        ship(&server, &clerk, order).await;
        seen.insert(server.app.databases.shards.of(order).number);
        sent += 1;
    }
    assert!(found(&server, 50 - sent).await.is_empty());
    assert_eq!(on_offer(&server).await, 50 - sent);
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_counts_at_once_one_finds_the_difference() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    let (server, body) = (&server, &count(17));
    let answers = futures::future::join_all((0..20).map(|i| async move { book(server, "counts", &format!("k{i}"), body).await })).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(answers.iter().flat_map(|answer| quantities(&answer.json())).collect::<Vec<_>>(), [7]);
    assert_eq!(of_inventory(server, "SELECT quantity FROM stock_levels").await, 17);
    check_books(server).await;
}
