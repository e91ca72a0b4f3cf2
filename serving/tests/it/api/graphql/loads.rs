//! What many objects need is loaded at once.

use std::collections::BTreeMap;

use async_graphql::Request;
use axum::http::HeaderMap;
use chimera_local::TestRedis;
use chimera_serving::api::access::{Caller, Role};
use chimera_serving::api::graphql::{self, Asker};
use chimera_serving::api::{App, Parts};
use redis::AsyncCommands;
use serde_json::json;

use super::{NAMES, id, shop};
use crate::api::server::TOKEN;

// With one worker a load begins when all that is known to be needed was asked for, however slow the machine is.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn lines_of_many_orders_are_one_load_of_each_kind() {
    let Some(server) = shop().await else { return };
    // A Redis of its own, which counts its commands for this test alone.
    let private = tokio::task::spawn_blocking(TestRedis::start).await.unwrap().unwrap();
    let mut redis = redis::Client::open(private.url()).unwrap().get_connection_manager().await.unwrap();
    for (sku, ..) in NAMES {
        let document: String = server.app.redis.clone().get(format!("product:{}", id(sku))).await.unwrap();
        let () = redis.set(format!("product:{}", id(sku)), document).await.unwrap();
        let () = redis.set(format!("sku:{sku}"), json!({ "sku": sku, "id": id(sku) }).to_string()).await.unwrap();
    }
    let stock = json!({ "sku": "MUG-R", "received": 9, "sold": 2, "returned": 0, "available": 7 });
    let () = redis.set("stock:MUG-R", stock.to_string()).await.unwrap();
    let app = App::new(Parts { redis: redis.clone(), ..server.parts() });
    let user_id = server.account(Role::Shopper).await;
    for i in 0..6 {
        let items: Vec<_> = NAMES.iter().map(|(sku, ..)| json!({ "sku": sku, "quantity": 1 })).collect();
        let body = json!({ "customer_id": user_id, "country": "France", "items": items });
        let request = server.request(reqwest::Method::POST, "/api/v1/orders").bearer_auth(TOKEN);
        let placed = request.header("idempotency-key", i.to_string()).json(&body).send().await.unwrap();
        assert_eq!(placed.status(), 201);
    }
    let caller = Caller { user_id: Some(user_id), role: Role::Shopper, session_id: None, key_id: None, is_read_only: false };
    let asker = Asker::new(app, Some(caller), &HeaderMap::new()).unwrap();
    let loads = asker.loads.clone();
    let before = commands(&mut redis).await;
    let query = "{ me { orders(first: 6) { items { sku currentPrice product { name category { name } brand { name } imageUrls
        variants { sku availableStock } } } } } }";
    let answer = tokio::spawn(graphql::run(asker, Request::new(query))).await.unwrap();
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    let data = answer.data.into_json().unwrap();
    let lines: Vec<_> = data["me"]["orders"].as_array().unwrap().iter().flat_map(|order| order["items"].as_array().unwrap()).collect();
    assert_eq!(lines.len(), 6 * NAMES.len());
    for line in &lines {
        let (_, name, category, cents, ..) = NAMES.iter().find(|known| line["sku"] == known.0).unwrap();
        assert_eq!((&line["product"]["name"], &line["currentPrice"]), (&json!(name), &json!(cents)));
        assert_eq!(line["product"]["category"]["name"], *category);
        if line["sku"] == "MUG" {
            assert_eq!(line["product"]["variants"], json!([{ "sku": "MUG-R", "availableStock": 7 }]));
        }
    }
    let once = ["categories", "prices", "products", "shelves", "stock"].map(|of| (of, 1));
    assert_eq!(*loads.lock(), BTreeMap::from(once));
    // By Redis itself: SKUs, their products, the stock of variants.
    let after = commands(&mut redis).await;
    assert_eq!((after.0 - before.0, after.1 - before.1), (3, 0));
}

/// How often MGET and GET were called.
async fn commands(redis: &mut redis::aio::ConnectionManager) -> (u64, u64) {
    let told: String = redis::cmd("INFO").arg("commandstats").query_async(redis).await.unwrap();
    let calls = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
        line.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
    };
    (calls("mget"), calls("get"))
}
