//! Redis, and who tells it, are away for a while.

use std::time::{Duration, Instant};

use chimera_connectors::Context;
use chimera_local::TestRedis;
use chimera_serving::api::access::Role;
use chimera_serving::api::{App, Parts};
use futures::StreamExt;
use serde_json::json;

use super::socket::Socket;
use super::{Changelog, Person, history};
use crate::api::server::Server;
use crate::api::streams::Events;

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_comes_to_the_last_state_though_redis_was_away() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    let mut private = tokio::task::spawn_blocking(TestRedis::start).await.unwrap().unwrap();
    let redis = redis::Client::open(private.url()).unwrap().get_connection_manager().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    // A node whose Redis this test may stop.
    let app = App::new(Parts {
        connectors: Context::new(folder.path(), server.app.log.clone(), private.url(), "postgres://127.0.0.1/none".to_owned()).unwrap(),
        redis: redis.clone(),
        ..server.parts()
    });
    let base = server.serve_too(app).await;
    let _changelog = Changelog::start_with(&server, redis).await;
    let (ada, clerk) = (Person::of(&server, Role::Shopper).await, Person::of(&server, Role::Merchandiser).await);
    let order = ada.order("a").await;
    let mut events = Events::of(server.client.get(format!("{base}/api/v1/orders/{order}/events")).bearer_auth(&ada.token)).await;
    assert_eq!(events.next().await.1["status"], "placed");
    let mut socket = Socket::of(&base, "/ws", &ada.token).await;
    for topic in [json!({ "type": "subscribe", "topic": "order", "id": order }), json!({ "type": "subscribe", "topic": "cart" })] {
        socket.say(&topic).await;
        assert_eq!(socket.json().await["type"], "subscribed");
        assert!(["order", "cart"].contains(&socket.json().await["type"].as_str().unwrap()));
    }
    clerk.ship(order, 1).await;
    assert_eq!(events.next().await.1["status"], "partially_shipped");
    assert_eq!(socket.json().await["order"]["status"], "partially_shipped");

    private = tokio::task::spawn_blocking(move || private.stop().map(|()| private)).await.unwrap().unwrap();
    clerk.ship(order, 2).await;
    // By a node that has its own Redis: of this change nobody will ever be told.
    ada.put_in("MUG", 2).await;
    private = tokio::task::spawn_blocking(move || private.start_again().map(|()| private)).await.unwrap().unwrap();
    let back = Instant::now();
    assert_eq!(events.next().await.1["status"], "shipped");
    let (mut status, mut units) = (json!(null), 0);
    while status != "shipped" || units != 2 {
        let told = socket.json().await;
        match told["type"].as_str().unwrap() {
            "order" => status = told["order"]["status"].clone(),
            "cart" => units = told["cart"]["total_items"].as_i64().unwrap(),
            other => panic!("{other}"),
        }
    }
    // Not by looking again every half minute, but because Redis is back.
    assert!(back.elapsed() < Duration::from_secs(20), "{:?}", back.elapsed());
    assert_eq!(history(&server, order).await, ["partially_shipped", "shipped"]);
    drop(private);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_while_nobody_told_is_told_afterwards() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    let (ada, clerk) = (Person::of(&server, Role::Shopper).await, Person::of(&server, Role::Merchandiser).await);
    let client = redis::Client::open(server.context.redis_url.as_str()).unwrap();
    let mut listening = client.get_async_pubsub().await.unwrap();
    let before = ada.order("a").await;
    let changelog = Changelog::start(&server).await;
    let orders = [ada.order("b").await, ada.order("c").await];
    for order in orders.iter().chain([&before]) {
        listening.subscribe(format!("order:{order}")).await.unwrap();
    }
    clerk.ship(orders[0], 1).await;
    let next = async |listening: &mut redis::aio::PubSub| {
        let message = tokio::time::timeout(Duration::from_secs(20), listening.on_message().next()).await.unwrap().unwrap();
        (message.get_channel_name().to_owned(), message.get_payload::<String>().unwrap())
    };
    let shipped = |order| (format!("order:{order}"), json!({ "status": "partially_shipped" }).to_string());
    while next(&mut listening).await != shipped(orders[0]) {}
    drop(changelog);
    clerk.ship(orders[1], 1).await;
    clerk.ship(before, 1).await;
    let _changelog = Changelog::start(&server).await;
    let mut told = vec![];
    while told.len() < 2 {
        let message = next(&mut listening).await;
        // What was told just before the end may come again.
        if message == shipped(orders[1]) || message == shipped(before) {
            told.push(message);
        }
    }
    assert_eq!(told, [shipped(orders[1]), shipped(before)]);
}
