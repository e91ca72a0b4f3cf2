//! Receipts and adjustments: all or nothing, once a key.

use chimera_serving::api::access::Role;
use chimera_serving::api::inventory::booking;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::server::{Answer, Server, TOKEN, pretty};
use super::{book, check_books, follow, lost, of_inventory, of_orders, receipt, stocked, warehouse};

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_booked_whole_and_answered_with_a_position() {
    let Some(server) = Server::start().await else { return };
    for sku in ["A", "B"] {
        server.product(sku, 100, 0).await;
    }
    let variant = "INSERT INTO product_variants (product_id, variant_sku) SELECT id, 'A-red' FROM products WHERE sku = 'A'";
    sqlx::query(variant).execute(&server.app.databases.catalog).await.unwrap();
    // Its stock is still there.
    sqlx::query("UPDATE products SET is_active = false WHERE sku = 'B'").execute(&server.app.databases.catalog).await.unwrap();
    let before = booking::position(&server.app.databases.inventory).await.unwrap();
    let answer = book(&server, "receipts", "k", &receipt("MAIN", &[("B", 2), ("A-red", 7)])).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let mut told = answer.json();
    assert_eq!(answer.header("chimera-position"), told["position"]);
    let position: i64 = told["position"].as_str().unwrap().strip_prefix("inventory:").unwrap().parse().unwrap();
    let after = booking::position(&server.app.databases.inventory).await.unwrap();
    assert!(before < position && position <= after, "{before} {position} {after}");
    told["position"] = json!("…");
    for movement in told["movements"].as_array_mut().unwrap() {
        assert!(movement["booked_at"].as_str().unwrap().ends_with('Z'));
        (movement["id"], movement["booked_at"]) = (json!("…"), json!("…"));
    }
    insta::assert_snapshot!(pretty(&told), @r#"
    {
      "movements": [
        {
          "booked_at": "…",
          "booked_by": null,
          "id": "…",
          "quantity": 7,
          "reason": "receipt",
          "reference": "DN-1",
          "sku": "A-red",
          "warehouse": "MAIN"
        },
        {
          "booked_at": "…",
          "booked_by": null,
          "id": "…",
          "quantity": 2,
          "reason": "receipt",
          "reference": "DN-1",
          "sku": "B",
          "warehouse": "MAIN"
        }
      ],
      "position": "…"
    }
    "#);
    let rows: Vec<(String, i32)> =
        sqlx::query_as("SELECT sku, quantity FROM stock_movements ORDER BY sku").fetch_all(&server.app.databases.inventory).await.unwrap();
    assert_eq!(rows, [("A-red".to_owned(), 7), ("B".to_owned(), 2)]);
    check_books(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_books_once_however_often_it_is_sent() {
    let Some(server) = Server::start().await else { return };
    for sku in ["A", "B"] {
        server.product(sku, 100, 0).await;
    }
    let first = book(&server, "receipts", "the key", &receipt("MAIN", &[("A", 2), ("B", 1)])).await;
    // Neither the order of the items matters, nor that a SKU has gone from the catalogue since.
    sqlx::query("DELETE FROM products WHERE sku = 'B'").execute(&server.app.databases.catalog).await.unwrap();
    let again = book(&server, "receipts", "\"the key\"", &receipt("MAIN", &[("B", 1), ("A", 2)])).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""), "{}", first.text());
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"), "{}", again.text());
    assert_eq!(first.json()["movements"], again.json()["movements"]);
    book(&server, "receipts", "the key", &receipt("MAIN", &[("A", 3), ("B", 1)])).await.problem(422, "idempotency-key-reused");
    // The same body, of another noun.
    let found = json!({"warehouse": "MAIN", "sku": "A", "quantity": 1, "reason": "found"});
    book(&server, "adjustments", "the key", &found).await.problem(422, "idempotency-key-reused");
    assert_eq!(of_inventory(&server, "SELECT count(*) FROM stock_movements").await, 2);

    // The key is its owner's: somebody else's is another one.
    let account = server.account(Role::Service).await;
    let token = server.session(account, Role::Service).await;
    let theirs = server.request(Method::POST, "/api/v1/inventory/receipts").bearer_auth(token).header("idempotency-key", "the key");
    let theirs = Answer::of(theirs.json(&receipt("MAIN", &[("A", 5)]))).await;
    assert_eq!((theirs.status, &theirs.json()["movements"][0]["booked_by"]), (201, &json!(account)));

    // Those who come at the same time wait for the first, and are told the same: also where the units last for one only.
    stocked(&server, "LAST", 3).await;
    for (noun, body) in [("receipts", receipt("MAIN", &[("A", 1)])), ("adjustments", lost("LAST", 3))] {
        let (server, body) = (&server, &body);
        let at_once = futures::future::join_all((0..20).map(|_| book(server, noun, noun, body))).await;
        assert!(at_once.iter().all(|answer| answer.status == 201), "{at_once:?}");
        assert_eq!(at_once.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count(), 1);
        assert!(at_once.iter().all(|answer| answer.json()["movements"] == at_once[0].json()["movements"]));
    }
    assert_eq!(of_inventory(&server, "SELECT count(*) FROM stock_movements WHERE sku = 'A'").await, 3);
    assert_eq!(of_inventory(&server, "SELECT sum(quantity)::bigint FROM stock_movements WHERE sku = 'LAST'").await, 0);
    assert_eq!(of_orders(&server, "SELECT quantity FROM allocations WHERE sku = 'LAST'").await, 3);

    let old = "UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE key = 'receipts'";
    sqlx::query(old).execute(&server.app.databases.inventory).await.unwrap();
    let keys = of_inventory(&server, "SELECT count(*) FROM idempotency_keys").await;
    booking::forget_old(&server.app.databases.inventory).await.unwrap();
    assert_eq!(of_inventory(&server, "SELECT count(*) FROM idempotency_keys").await, keys - 1);
    check_books(&server).await;
}

fn paths(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_booked_is_refused() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    warehouse(&server, "SHUT").await;
    let shut = json!({"name": "Shut", "country": "France", "is_active": false});
    server.send(Method::PUT, "/api/v1/warehouses/SHUT", TOKEN, Some(&shut)).await.ok();

    let problem = book(&server, "receipts", "a", &receipt("MAIN", &[("A", 1), ("no such", 1), ("nor such", 1)])).await;
    assert_eq!(problem.problem(422, "sku-not-in-catalogue")["skus"], json!(["no such", "nor such"]));
    for (i, nowhere) in ["", "MAIN ", "main", "NOWHERE", "\0"].iter().enumerate() {
        book(&server, "receipts", &format!("b{i}"), &receipt(nowhere, &[("A", 1)])).await.problem(404, "warehouse-not-found");
    }
    book(&server, "receipts", "c", &receipt("SHUT", &[("A", 1)])).await.problem(409, "warehouse-closed");
    let bad = json!({"warehouse": "MAIN", "reference": " ", "items": [{"sku": "A", "quantity": 0}, {"sku": "A", "quantity": 1_000_001},
        {"sku": "", "quantity": 1}]});
    let problem = book(&server, "receipts", "d", &bad).await.problem(422, "invalid-body");
    assert_eq!(paths(&problem), ["reference", "items[0].quantity", "items[1].quantity", "items[1].sku", "items[2].sku"]);
    book(&server, "receipts", "d", &receipt("MAIN", &[])).await.problem(422, "invalid-body");
    let many: Vec<String> = (0..501).map(|i| format!("S{i}")).collect();
    let many: Vec<(&str, i64)> = many.iter().map(|sku| (sku.as_str(), 1)).collect();
    book(&server, "receipts", "d", &receipt("MAIN", &many)).await.problem(422, "invalid-body");
    server
        .send(Method::POST, "/api/v1/inventory/receipts", TOKEN, Some(&receipt("MAIN", &[("A", 1)])))
        .await
        .problem(400, "idempotency-key-needed");

    let adjustment = |quantity: i64, reason: &str| json!({"warehouse": "MAIN", "sku": "A", "quantity": quantity, "reason": reason});
    for (quantity, reason) in [(0, "correction"), (1_000_001, "found"), (-1_000_001, "lost")] {
        let problem = book(&server, "adjustments", "e", &adjustment(quantity, reason)).await.problem(422, "invalid-body");
        assert_eq!(paths(&problem), ["quantity"]);
    }
    for (quantity, reason) in [(1, "lost"), (1, "damaged"), (-1, "found")] {
        let problem = book(&server, "adjustments", "f", &adjustment(quantity, reason)).await.problem(422, "invalid-body");
        assert_eq!(paths(&problem), ["reason"]);
    }
    let mut unknown = adjustment(1, "found");
    unknown["sku"] = json!("no such");
    book(&server, "adjustments", "g", &unknown).await.problem(422, "sku-not-in-catalogue");
    unknown["quantity"] = json!(-1);
    unknown["reason"] = json!("lost");
    assert_eq!(book(&server, "adjustments", "g", &unknown).await.problem(409, "stock-not-there")["held"], 0);
    let problem = book(&server, "adjustments", "h", &adjustment(-11, "lost")).await.problem(409, "stock-not-there");
    assert_eq!((&problem["wanted"], &problem["held"]), (&json!(11), &json!(10)));

    // None of it left a trace: only the receipt of ten units is there, and its key.
    assert_eq!(of_inventory(&server, "SELECT count(*) FROM stock_movements").await, 1);
    assert_eq!(of_inventory(&server, "SELECT count(*) FROM stock_levels").await, 1);
    assert_eq!(of_inventory(&server, "SELECT count(*) FROM idempotency_keys").await, 1);
    assert_eq!(of_orders(&server, "SELECT coalesce(sum(quantity), 0)::bigint FROM allocations").await, 0);
    // A key of something refused can be used again.
    assert_eq!(book(&server, "adjustments", "h", &adjustment(-10, "lost")).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn importers_write_movements_and_the_levels_follow() {
    let Some(server) = Server::start().await else { return };
    warehouse(&server, "LEEDS").await;
    let inventory = &server.app.databases.inventory;
    for statement in [
        "INSERT INTO stock_movements (sku, quantity) SELECT 'S' || i % 7, i FROM generate_series(1, 50) AS i",
        "INSERT INTO stock_movements (id, sku, quantity) VALUES ('00000000-0000-0000-0000-000000000001', 'S1', 5)
         ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity",
        "INSERT INTO stock_movements (id, sku, quantity) VALUES ('00000000-0000-0000-0000-000000000001', 'S1', 50), (gen_random_uuid(), 'NEW', 1)
         ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity",
        "UPDATE stock_movements SET warehouse_id = (SELECT id FROM warehouses WHERE code = 'LEEDS') WHERE sku = 'S2'",
        "UPDATE stock_movements SET sku = 'S4', quantity = quantity + 1 WHERE sku = 'S3'",
        "DELETE FROM stock_movements WHERE sku = 'S5'",
        "DELETE FROM stock_movements WHERE sku = 'no such'",
    ] {
        sqlx::query(statement).execute(inventory).await.unwrap();
        check_books(&server).await;
    }
    let levels: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT code, sku, quantity FROM stock_levels JOIN warehouses ON id = warehouse_id WHERE sku IN ('S1', 'S2', 'S5', 'NEW') AND quantity <> 0 ORDER BY 1, 2",
    )
    .fetch_all(inventory)
    .await
    .unwrap();
    // 1 + 8 + … + 50 = 204 and 50 more; 2 + 9 + … + 44 = 161.
    let expected = [("LEEDS", "S2", 161), ("MAIN", "NEW", 1), ("MAIN", "S1", 254)];
    assert_eq!(levels, expected.map(|(code, sku, quantity)| (code.to_owned(), sku.to_owned(), quantity)));
    let below = sqlx::query("INSERT INTO stock_movements (sku, quantity) VALUES ('NEW', -2)").execute(inventory).await.unwrap_err();
    assert_eq!(below.as_database_error().unwrap().code().as_deref(), Some("23514"));
    assert!(follow(&server).await > 0);
}
