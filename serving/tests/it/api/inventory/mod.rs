//! Stock: receipts, adjustments, transfers, counts; where it lies, and that nothing promised is written off.

mod bookings;
mod counts;
mod crashes;
mod history;
mod migration;
mod transfers;
mod warehouses;
mod write_offs;

use chimera_connectors::Frontier;
use chimera_serving::api::inventory::write_off::RECEIVED;
use chimera_serving::api::inventory::{booking, write_off};
use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, Server, TOKEN};

/// Books something under a key, as who runs the server.
async fn book(server: &Server, noun: &str, key: &str, body: &Value) -> Answer {
    let request = server.request(Method::POST, &format!("/api/v1/inventory/{noun}")).bearer_auth(TOKEN);
    Answer::of(request.header("idempotency-key", key).json(body)).await
}

fn receipt(warehouse: &str, items: &[(&str, i64)]) -> Value {
    let items: Vec<Value> = items.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity})).collect();
    json!({"warehouse": warehouse, "reference": "DN-1", "items": items})
}

fn lost(sku: &str, units: i64) -> Value {
    json!({"warehouse": "MAIN", "sku": sku, "quantity": -units, "reason": "lost"})
}

/// A product of which MAIN has so many units, that may all be promised.
async fn stocked(server: &Server, sku: &str, units: i64) {
    server.product(sku, 100, 0).await;
    let answer = book(server, "receipts", &format!("stock of {sku}"), &receipt("MAIN", &[(sku, units)])).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    follow(server).await;
}

async fn warehouse(server: &Server, code: &str) {
    let body = json!({"code": code, "name": code, "country": "United Kingdom"});
    assert_eq!(server.send(Method::POST, "/api/v1/warehouses", TOKEN, Some(&body)).await.status, 201);
}

/// What the `inventory` pipeline does: `received` becomes what the movements add up to. Where it is then.
async fn follow(server: &Server) -> i64 {
    let position = booking::position(&server.app.databases.inventory).await.unwrap();
    let sums: Vec<(String, i64)> = sqlx::query_as("SELECT sku, sum(quantity)::bigint FROM stock_movements GROUP BY sku")
        .fetch_all(&server.app.databases.inventory)
        .await
        .unwrap();
    let (skus, quantities): (Vec<String>, Vec<i64>) = sums.into_iter().unzip();
    sqlx::query(
        "INSERT INTO received SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT (sku) DO UPDATE SET quantity = excluded.quantity",
    )
    .bind(skus)
    .bind(quantities)
    .execute(&server.app.databases.orders)
    .await
    .unwrap();
    position
}

/// And what it says of that.
fn reached(server: &Server, position: i64) {
    server.board.set(RECEIVED, Frontier::single("inventory", position.cast_unsigned()), 0);
}

/// The pipeline follows, and withdrawals end: the first look notes where the changes are, the second finds the store there.
async fn settle(server: &Server) {
    for _ in 0..2 {
        reached(server, follow(server).await);
        write_off::settle(&server.app).await.unwrap();
    }
}

async fn of_orders(server: &Server, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&server.app.databases.orders).await.unwrap()
}

async fn of_inventory(server: &Server, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&server.app.databases.inventory).await.unwrap()
}

/// Levels are what movements add up to, and none is below zero.
async fn check_books(server: &Server) {
    let differences = "SELECT count(*) FROM stock_levels
        FULL JOIN (SELECT warehouse_id, sku, sum(quantity) AS quantity FROM stock_movements GROUP BY 1, 2) sums USING (warehouse_id, sku)
        WHERE coalesce(stock_levels.quantity, 0) <> coalesce(sums.quantity, 0) OR coalesce(stock_levels.quantity, 0) < 0";
    assert_eq!(of_inventory(server, differences).await, 0);
}
