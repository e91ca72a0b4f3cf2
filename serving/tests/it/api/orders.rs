//! Placing orders: never oversold, once a key, never a price from outside.

use std::collections::HashSet;

use chimera_serving::api::orders::idempotency;
use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, Server, TOKEN, as_owner, pretty};

fn order(items: &[(&str, i64)]) -> Value {
    let items: Vec<Value> = items.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity})).collect();
    json!({"country": "France", "items": items})
}

async fn number(server: &Server, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&server.app.databases.orders).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_orders_at_once_for_ten_units_sell_exactly_ten() {
    let Some(server) = Server::start().await else { return };
    server.product("LAST", 250, 10).await;
    let (body, server) = (&order(&[("LAST", 1)]), &server);
    let answers = futures::future::join_all((0..50).map(|i| async move { server.order(&format!("key-{i}"), body).await })).await;
    let placed: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(placed.len(), 10);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        let problem = answer.problem(409, "out-of-stock");
        assert_eq!(problem["items"], json!([{"sku": "LAST", "wanted": 1, "available": 0}]));
    }
    let numbers: HashSet<String> = placed.iter().map(|answer| answer.json()["number"].to_string()).collect();
    assert_eq!(numbers.len(), 10);
    assert_eq!(number(server, "SELECT sum(quantity)::bigint FROM order_items").await, 10);
    assert_eq!(number(server, "SELECT quantity FROM allocations").await, 10);
    assert_eq!(number(server, "SELECT count(*) FROM orders").await, 10);
    // Only what was placed is remembered: the others may try again when there is stock.
    assert_eq!(number(server, "SELECT count(*) FROM idempotency_keys").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_over_several_articles_in_any_order_neither_deadlock_nor_oversell() {
    let Some(server) = Server::start().await else { return };
    let skus: Vec<String> = (0..8).map(|i| format!("S{i}")).collect();
    for sku in &skus {
        server.product(sku, 100, 30).await;
    }
    let (skus, server) = (&skus, &server);
    let answers = futures::future::join_all((0..60_usize).map(|i| async move {
        // Three articles each, named in different orders; 180 units are wanted of 240, but of some articles more than there is.
        let mut items: Vec<(&str, i64)> =
            [i % 4, (i * 7 + 1) % 8, (i * 5 + 3) % 8].iter().map(|j| (skus[*j].as_str(), 1 + (i % 3) as i64)).collect();
        if i % 2 == 0 {
            items.reverse();
        }
        server.order(&format!("k{i}"), &order(&items)).await
    }))
    .await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{answers:?}");
    let sold = number(server, "SELECT sum(quantity)::bigint FROM order_items").await;
    let told: i64 = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .flat_map(|answer| answer.json()["items"].as_array().unwrap().clone())
        .map(|item| item["quantity"].as_i64().unwrap())
        .sum();
    assert_eq!(sold, told);
    assert_eq!(
        number(server, "SELECT count(*) FROM allocations JOIN received USING (sku) WHERE allocations.quantity > received.quantity").await,
        0
    );
    let differences =
        "SELECT count(*) FROM allocations FULL JOIN (SELECT sku, sum(quantity) AS sold FROM order_items GROUP BY sku) lines USING (sku)
        WHERE coalesce(allocations.quantity, 0) <> coalesce(lines.sold, 0)";
    assert_eq!(number(server, differences).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_all_or_nothing() {
    let Some(server) = Server::start().await else { return };
    server.product("MANY", 100, 100).await;
    server.product("FEW", 100, 2).await;
    let problem = server.order("a", &order(&[("MANY", 5), ("FEW", 3)])).await.problem(409, "out-of-stock");
    insta::assert_snapshot!(pretty(&problem), @r#"
    {
      "detail": "Nothing was ordered. `FEW`: 3 wanted, 2 available.",
      "items": [
        {
          "available": 2,
          "sku": "FEW",
          "wanted": 3
        }
      ],
      "status": 409,
      "title": "There is not enough stock",
      "type": "/problems/out-of-stock"
    }
    "#);
    assert_eq!(number(&server, "SELECT coalesce(sum(quantity), 0)::bigint FROM allocations").await, 0);
    assert_eq!(number(&server, "SELECT count(*) FROM orders").await, 0);
    assert_eq!(server.order("a", &order(&[("MANY", 5), ("FEW", 2)])).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_answered_with_the_catalogues_prices_and_a_position() {
    let Some(server) = Server::start().await else { return };
    server.product("B", 255, 100).await;
    server.product("A", 1999, 100).await;
    sqlx::query(
        "INSERT INTO product_variants (product_id, variant_sku, price_cents) SELECT id, sku || '-own', 1 FROM products WHERE sku = 'A'
        UNION ALL SELECT id, sku || '-base', NULL FROM products WHERE sku = 'A'",
    )
    .execute(&server.app.databases.catalog)
    .await
    .unwrap();
    sqlx::query("INSERT INTO received VALUES ('A-own', 5), ('A-base', 5)").execute(&server.app.databases.orders).await.unwrap();
    let before: i64 = number(&server, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").await;
    let mut body = order(&[("B", 2), ("A-own", 1), ("A", 1), ("B", 1), ("A-base", 1)]);
    body["customer_id"] = json!("17850");
    let answer = server.order("k", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let mut told = answer.json();
    assert_eq!(answer.header("chimera-position"), told["position"].as_str().unwrap());
    let position: i64 = told["position"].as_str().unwrap().strip_prefix("orders:").unwrap().parse().unwrap();
    let after: i64 = number(&server, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").await;
    assert!(before < position && position <= after, "{before} {position} {after}");
    let id: uuid::Uuid = told["id"].as_str().unwrap().parse().unwrap();
    assert!(told["number"].as_str().unwrap().starts_with("W-0"));
    for varying in ["id", "number", "position"] {
        told[varying] = json!("…");
    }
    insta::assert_snapshot!(pretty(&told), @r#"
    {
      "currency": "GBP",
      "id": "…",
      "items": [
        {
          "quantity": 1,
          "sku": "A",
          "unit_price": "19.99"
        },
        {
          "quantity": 1,
          "sku": "A-base",
          "unit_price": "19.99"
        },
        {
          "quantity": 1,
          "sku": "A-own",
          "unit_price": "0.01"
        },
        {
          "quantity": 3,
          "sku": "B",
          "unit_price": "2.55"
        }
      ],
      "number": "…",
      "position": "…",
      "status": "placed",
      "total_cents": 4764
    }
    "#);
    let row: (String, String, Option<String>, String) =
        sqlx::query_as("SELECT kind, country, customer_id, currency FROM orders WHERE id = $1")
            .bind(id)
            .fetch_one(&server.app.databases.orders)
            .await
            .unwrap();
    assert_eq!(row, ("order".into(), "France".into(), Some("17850".into()), "GBP".into()));
    let lines: Vec<(i32, String, i32, String)> =
        sqlx::query_as("SELECT line_no, sku, quantity, unit_price::text FROM order_items WHERE order_id = $1 ORDER BY line_no")
            .bind(id)
            .fetch_all(&server.app.databases.orders)
            .await
            .unwrap();
    let expected = [(1, "A", 1, "19.990"), (2, "A-base", 1, "19.990"), (3, "A-own", 1, "0.010"), (4, "B", 3, "2.550")];
    assert_eq!(lines, expected.map(|(no, sku, quantity, price)| (no, sku.to_owned(), quantity, price.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_places_one_order_however_often_it_is_sent() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    let first = server.order("the key", &order(&[("A", 2)])).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    // Neither the price of today nor the layout of the JSON matters.
    sqlx::query("UPDATE products SET base_price_cents = 999").execute(&server.app.databases.catalog).await.unwrap();
    let again = Answer::of(
        server
            .request(Method::POST, "/api/v1/orders")
            .bearer_auth(TOKEN)
            .header("idempotency-key", "\"the key\"")
            .header("content-type", "application/json; charset=utf-8")
            .body(r#" {"items": [{"quantity":1,"sku":"A"},{"sku":"A","quantity":1}], "country":"France"}"#),
    )
    .await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"), "{}", again.text());
    let (mut one, mut two) = (first.json(), again.json());
    one["position"] = Value::Null;
    two["position"] = Value::Null;
    assert_eq!(one, two);
    server.order("the key", &order(&[("A", 3)])).await.problem(422, "idempotency-key-reused");
    assert_eq!(number(&server, "SELECT count(*) FROM orders").await, 1);
    assert_eq!(number(&server, "SELECT quantity FROM allocations").await, 2);

    let (server, body) = (&server, &order(&[("A", 1)]));
    let at_once = futures::future::join_all((0..20).map(|_| async move { server.order("another key", body).await })).await;
    assert_eq!(at_once.iter().filter(|answer| answer.status == 201 && answer.header("idempotency-replayed").is_empty()).count(), 1);
    for answer in at_once.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "order-in-flight");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(number(server, "SELECT count(*) FROM orders").await, 2);

    sqlx::query("UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE key = 'the key'")
        .execute(&server.app.databases.orders)
        .await
        .unwrap();
    assert_eq!(idempotency::forget_old(&server.app.databases.orders).await.unwrap(), 1);
    assert_eq!(number(server, "SELECT count(*) FROM idempotency_keys").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_ordered_is_refused() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    server.product("GONE", 100, 1000).await;
    sqlx::query("UPDATE products SET is_active = false WHERE sku = 'GONE'").execute(&server.app.databases.catalog).await.unwrap();
    let problem = server.order("a", &order(&[("A", 1), ("GONE", 1), ("no such", 1)])).await.problem(422, "unknown-sku");
    assert_eq!(problem["skus"], json!(["GONE", "no such"]));
    sqlx::query("INSERT INTO products (sku, name, base_price_cents, currency) VALUES ('EURO', 'x', 1, 'EUR')")
        .execute(&server.app.databases.catalog)
        .await
        .unwrap();
    server.order("b", &order(&[("A", 1), ("EURO", 1)])).await.problem(422, "mixed-currencies");
    server.order("c", &order(&[("EURO", 1)])).await.problem(409, "out-of-stock");

    let with_price = json!({"country": "France", "items": [{"sku": "A", "quantity": 1, "price": 1}]});
    insta::assert_snapshot!(pretty(&server.order("d", &with_price).await.problem(422, "invalid-body")), @r#"
    {
      "column": 37,
      "detail": "`items[0].price`: unknown field `price`, expected `sku` or `quantity`. Prices, totals, stock and the state of an order come from the server's catalogue and are never taken from a request.",
      "line": 1,
      "path": "items[0].price",
      "status": 422,
      "title": "The body is not what this address takes",
      "type": "/problems/invalid-body"
    }
    "#);
    let bad = json!({"country": "", "items": [{"sku": "A", "quantity": 0}, {"sku": "", "quantity": 1}]});
    insta::assert_snapshot!(pretty(&server.order("e", &bad).await.problem(422, "invalid-body")), @r#"
    {
      "detail": "`country`: this is empty (and 2 more in `errors`).",
      "errors": [
        {
          "message": "this is empty",
          "path": "country"
        },
        {
          "message": "a quantity goes from 1 to 10000, not 0",
          "path": "items[0].quantity"
        },
        {
          "message": "this is empty",
          "path": "items[1].sku"
        }
      ],
      "status": 422,
      "title": "The body is not what this address takes",
      "type": "/problems/invalid-body"
    }
    "#);
    server.send(Method::POST, "/api/v1/orders", TOKEN, Some(&order(&[("A", 1)]))).await.problem(400, "idempotency-key-needed");
    assert_eq!(number(&server, "SELECT count(*) FROM orders").await, 0);
    assert_eq!(number(&server, "SELECT coalesce(sum(quantity), 0)::bigint FROM allocations").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_stock_levels_orders_wait() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    as_owner(&server.app.databases.orders, "DROP TABLE received").await;
    let answer = server.order("a", &order(&[("A", 1)])).await;
    answer.problem(503, "store-not-ready");
    assert_eq!(answer.header("retry-after"), "2");
}
