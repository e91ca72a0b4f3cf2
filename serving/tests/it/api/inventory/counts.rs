//! Stock-taking: the books become what was counted.

use serde_json::{Value, json};

use super::super::server::Server;
use super::{book, check_books, follow, of_inventory, of_orders, stocked};

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
