//! Transfers: what leaves one warehouse comes to another.

use serde_json::{Value, json};

use super::super::server::Server;
use super::{book, check_books, of_inventory, of_orders, stocked, warehouse};

fn transfer(from: &str, to: &str, quantity: i64) -> Value {
    json!({"from": from, "to": to, "sku": "A", "quantity": quantity})
}

#[tokio::test(flavor = "multi_thread")]
async fn units_change_the_warehouse() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    warehouse(&server, "LEEDS").await;
    // However many are promised: there are as many as before.
    let order = json!({"country": "France", "items": [{"sku": "A", "quantity": 10}]});
    assert_eq!(server.order("k", &order).await.status, 201);
    let answer = book(&server, "transfers", "a", &transfer("MAIN", "LEEDS", 4)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let told = answer.json();
    let seen: Vec<(&str, i64)> = told["movements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|movement| (movement["warehouse"].as_str().unwrap(), movement["quantity"].as_i64().unwrap()))
        .collect();
    assert_eq!(seen, [("MAIN", -4), ("LEEDS", 4)]);
    let levels = server.get_as_operator("/api/v1/inventory/A/warehouses").await.ok();
    let expected =
        json!({"sku": "A", "warehouses": [{"warehouse": "LEEDS", "quantity": 4}, {"warehouse": "MAIN", "quantity": 6}], "total": 10});
    assert_eq!(levels, expected);
    let problem = book(&server, "transfers", "b", &transfer("MAIN", "LEEDS", 7)).await.problem(409, "stock-not-there");
    assert_eq!((&problem["wanted"], &problem["held"]), (&json!(7), &json!(6)));
    book(&server, "transfers", "c", &transfer("MAIN", "MAIN", 1)).await.problem(422, "invalid-body");
    book(&server, "transfers", "c", &transfer("MAIN", "LEEDS", 0)).await.problem(422, "invalid-body");
    book(&server, "transfers", "c", &transfer("MAIN", "NOWHERE", 1)).await.problem(404, "warehouse-not-found");
    assert_eq!(of_orders(&server, "SELECT count(*) FROM withdrawals").await, 0);
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_in_all_directions_at_once_lose_and_make_nothing() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 30).await;
    let codes = ["LEEDS", "MAIN", "YORK"];
    warehouse(&server, "LEEDS").await;
    warehouse(&server, "YORK").await;
    let server = &server;
    let answers = futures::future::join_all((0..60_usize).map(|i| async move {
        let (from, to) = (codes[i % 3], codes[(i + 1 + i / 3 % 2) % 3]);
        book(server, "transfers", &format!("k{i}"), &transfer(from, to, 1 + (i % 7) as i64)).await
    }))
    .await;
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "stock-not-there");
    }
    let booked = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(booked > 0);
    assert_eq!(of_inventory(server, "SELECT count(*) FROM stock_movements WHERE reason = 'transfer'").await, 2 * booked as i64);
    assert_eq!(of_inventory(server, "SELECT sum(quantity)::bigint FROM stock_movements WHERE reason = 'transfer'").await, 0);
    assert_eq!(of_inventory(server, "SELECT sum(quantity)::bigint FROM stock_levels").await, 30);
    check_books(server).await;
}
