//! What happened to an article, page by page.

use serde_json::Value;

use super::super::server::Server;
use super::{book, lost, receipt, stocked};

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_movement_once_with_its_running_total() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 40).await;
    stocked(&server, "B", 1).await;
    // Of one moment, and with ids that say nothing of the time.
    sqlx::query("INSERT INTO stock_movements (sku, quantity) SELECT 'A', i FROM generate_series(1, 9) AS i")
        .execute(&server.app.databases.inventory)
        .await
        .unwrap();
    for i in 0..5 {
        assert_eq!(book(&server, "receipts", &format!("r{i}"), &receipt("MAIN", &[("A", i + 1)])).await.status, 201);
        assert_eq!(book(&server, "adjustments", &format!("a{i}"), &lost("A", i + 1)).await.status, 201);
    }
    let expected: Vec<(String, i64)> = sqlx::query_as(
        "SELECT id::text, (SELECT sum(quantity) FROM stock_movements older
             WHERE older.sku = 'A' AND (older.created_at < m.created_at OR older.created_at = m.created_at AND older.id <= m.id))::bigint
         FROM stock_movements m WHERE sku = 'A' ORDER BY created_at DESC, id DESC",
    )
    .fetch_all(&server.app.databases.inventory)
    .await
    .unwrap();
    assert_eq!((expected.len(), expected[0].1), (20, 85));
    for limit in [1, 3, 20, 100] {
        let mut seen: Vec<(String, i64)> = Vec::new();
        let mut before = String::new();
        loop {
            let page = server.get_as_operator(&format!("/api/v1/inventory/A/movements?limit={limit}{before}")).await.ok();
            let movements = page["movements"].as_array().unwrap();
            assert!(movements.len() <= limit && movements.iter().all(|movement| movement["sku"] == "A"));
            let row = |movement: &Value| (movement["id"].as_str().unwrap().to_owned(), movement["running_total"].as_i64().unwrap());
            seen.extend(movements.iter().map(row));
            let Some(next) = page["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        assert_eq!(seen, expected, "limit {limit}");
    }
    for (path, status, kind) in [
        ("no%20such/movements", 404, "sku-not-found"),
        ("no%20such/warehouses", 404, "sku-not-found"),
        ("a%00/movements", 400, "bad-parameter"),
        ("a%00/warehouses", 400, "bad-parameter"),
        ("A/movements?limit=101", 400, "bad-parameter"),
        ("A/movements?limit=0", 400, "bad-parameter"),
        ("A/movements?before=1", 400, "bad-parameter"),
    ] {
        server.get_as_operator(&format!("/api/v1/inventory/{path}")).await.problem(status, kind);
    }
}
