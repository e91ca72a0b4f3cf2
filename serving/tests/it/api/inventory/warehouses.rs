//! Warehouses, and how few units are too few.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::server::{Server, TOKEN};
use super::{of_inventory, warehouse};

async fn send(server: &Server, method: Method, path: &str, body: Value) -> super::Answer {
    server.send(method, path, TOKEN, Some(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn warehouses_are_added_changed_and_listed() {
    let Some(server) = Server::start().await else { return };
    let leeds = json!({"code": "LEEDS-2", "name": " Leeds ", "country": "United Kingdom"});
    let answer = send(&server, Method::POST, "/api/v1/warehouses", leeds.clone()).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/api/v1/warehouses/LEEDS-2"), "{}", answer.text());
    assert_eq!((&answer.json()["name"], &answer.json()["is_active"]), (&json!("Leeds"), &json!(true)));
    send(&server, Method::POST, "/api/v1/warehouses", leeds).await.problem(409, "warehouse-taken");
    let changed = json!({"name": "Leeds", "country": "France", "is_active": false});
    send(&server, Method::PUT, "/api/v1/warehouses/LEEDS-2", changed.clone()).await.ok();
    send(&server, Method::PUT, "/api/v1/warehouses/NOWHERE", changed.clone()).await.problem(404, "warehouse-not-found");
    send(&server, Method::PUT, "/api/v1/warehouses/%00", changed).await.problem(404, "warehouse-not-found");
    let listed = server.get_as_operator("/api/v1/warehouses").await.ok();
    let seen: Vec<(&Value, &Value, &Value)> =
        listed["warehouses"].as_array().unwrap().iter().map(|one| (&one["code"], &one["country"], &one["is_active"])).collect();
    assert_eq!(seen, [(&json!("LEEDS-2"), &json!("France"), &json!(false)), (&json!("MAIN"), &Value::Null, &json!(true))]);
    for code in ["", "leeds", "-LEEDS", "LEEDS 2", "ABCDEFGHIJKLMNOPQRSTU", "É"] {
        let bad = json!({"code": code, "name": "", "country": "x".repeat(61)});
        let problem = send(&server, Method::POST, "/api/v1/warehouses", bad).await.problem(422, "invalid-body");
        let paths: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
        assert_eq!(paths, ["code", "name", "country"], "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_two_hundred_warehouses_at_most() {
    let Some(server) = Server::start().await else { return };
    sqlx::query("INSERT INTO warehouses (id, code, name) SELECT gen_random_uuid(), 'W' || i, 'W' FROM generate_series(1, 197) AS i")
        .execute(&server.app.databases.inventory)
        .await
        .unwrap();
    warehouse(&server, "LEEDS").await;
    let server = &server;
    let at_once = futures::future::join_all((0..5).map(|i| async move {
        send(server, Method::POST, "/api/v1/warehouses", json!({"code": format!("X{i}"), "name": "X", "country": "France"})).await.status
    }))
    .await;
    assert_eq!(at_once.iter().filter(|status| **status == 201).count(), 1, "{at_once:?}");
    assert_eq!(of_inventory(server, "SELECT count(*) FROM warehouses").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorder_point_is_set_and_changed() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 0).await;
    for threshold in [5, 0, 1_000_000] {
        let saved = send(&server, Method::PUT, "/api/v1/inventory/A/reorder-point", json!({"threshold": threshold})).await.ok();
        assert_eq!(saved, json!({"sku": "A", "threshold": threshold}));
        assert_eq!(of_inventory(&server, "SELECT threshold::bigint FROM reorder_points").await, threshold);
    }
    for threshold in [-1, 1_000_001] {
        let bad = json!({"threshold": threshold});
        send(&server, Method::PUT, "/api/v1/inventory/A/reorder-point", bad).await.problem(422, "invalid-body");
    }
    send(&server, Method::PUT, "/api/v1/inventory/a%00/reorder-point", json!({"threshold": 1})).await.problem(400, "bad-parameter");
    let problem = send(&server, Method::PUT, "/api/v1/inventory/no/reorder-point", json!({"threshold": 1})).await;
    assert_eq!(problem.problem(422, "sku-not-in-catalogue")["skus"], json!(["no"]));
}
