//! Carts.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::Person;
use super::socket::Socket;
use crate::api::server::{Answer, Server};
use crate::api::streams::Events;

const EVENTS: &str = "/api/v1/cart/events";

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_followed_on_other_devices() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    server.product("LAMP", 1999, 100).await;
    let (ada, stranger) = (Person::of(&server, Role::Shopper).await, Person::of(&server, Role::Shopper).await);
    let mut events = Events::of(server.request(Method::GET, EVENTS).bearer_auth(&ada.token)).await;
    assert_eq!(events.next().await.1["version"], 0);
    // Logged in by a message, as browsers do.
    let mut socket = Socket::open(&server.base, "/ws", &[]).await.unwrap();
    socket.say(&json!({ "type": "authenticate", "token": ada.token })).await;
    assert_eq!(socket.json().await, json!({ "type": "authenticated", "user_id": ada.user_id }));
    socket.say(&json!({ "type": "subscribe", "topic": "cart" })).await;
    assert_eq!(socket.json().await, json!({ "type": "subscribed", "topic": "cart" }));
    assert_eq!(socket.json().await["cart"]["version"], 0);
    let query = "subscription { onCartUpdate { version totalItems items { sku quantity totalPrice } } }";
    let mut graphql = Socket::graphql(&server.base, &ada.token, query).await;
    assert_eq!(graphql.json().await["payload"], json!({ "data": { "onCartUpdate": null } }));
    stranger.put_in("MUG", 9).await;
    for (sku, quantity) in [("MUG", 2), ("LAMP", 1), ("MUG", 1)] {
        ada.put_in(sku, quantity).await;
        let held = ada.send(Method::GET, "/api/v1/cart", "", json!({})).await.ok();
        let (name, cart) = events.next().await;
        assert_eq!((name.as_str(), &cart), ("cart", &held));
        assert_eq!(socket.json().await, json!({ "type": "cart", "cart": held }));
        let told = graphql.json().await["payload"]["data"]["onCartUpdate"].clone();
        assert_eq!((&told["version"], &told["totalItems"]), (&held["version"], &held["total_items"]));
        let items = |cart: &Value, total: &str| -> Vec<Value> {
            let items = cart["items"].as_array().unwrap().iter();
            items.map(|item| json!([item["sku"], item["quantity"], item[total]])).collect()
        };
        assert_eq!(items(&told, "totalPrice"), items(&held, "total_cents"));
    }
    let rows: Vec<(String, i32)> =
        sqlx::query_as("SELECT sku, quantity FROM cart_items JOIN carts ON carts.id = cart_id WHERE user_id = $1 ORDER BY sku")
            .bind(ada.user_id)
            .fetch_all(&server.app.databases.carts)
            .await
            .unwrap();
    assert_eq!(rows, [("LAMP".to_owned(), 1), ("MUG".to_owned(), 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_follows_by_the_token_until_the_cart_is_taken_along() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    server.get(EVENTS).await.problem(400, "bad-parameter");
    let first = server.post("/api/v1/cart/items", &json!({ "sku": "MUG", "quantity": 1 })).await.ok();
    let token = first["guest_token"].as_str().unwrap();
    let mut events = Events::of(server.request(Method::GET, EVENTS).header("chimera-cart", token)).await;
    assert_eq!(events.next().await.1["total_items"], 1);
    let mut socket = Socket::open(&server.base, "/ws", &[]).await.unwrap();
    socket.say(&json!({ "type": "subscribe", "topic": "cart" })).await;
    assert_eq!(socket.json().await["problem"]["type"], "/problems/bad-parameter");
    socket.say(&json!({ "type": "subscribe", "topic": "cart", "guest_token": "chg_guess" })).await;
    assert_eq!(socket.json().await["problem"]["type"], "/problems/bad-message");
    socket.say(&json!({ "type": "subscribe", "topic": "cart", "guest_token": token })).await;
    assert_eq!(socket.json().await, json!({ "type": "subscribed", "topic": "cart" }), "the token is not told back");
    assert_eq!(socket.json().await["cart"]["total_items"], 1);
    let mut graphql =
        Socket::open(&server.base, "/api/v1/graphql/ws", &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap();
    graphql.say(&json!({ "type": "connection_init", "payload": { "chimera-cart": token } })).await;
    assert_eq!(graphql.json().await["type"], "connection_ack");
    let query = "subscription { onCartUpdate { totalItems } }";
    graphql.say(&json!({ "id": "1", "type": "subscribe", "payload": { "query": query } })).await;
    let told = |total_items: Value| json!({ "data": { "onCartUpdate": total_items } });
    assert_eq!(graphql.json().await["payload"], told(json!({ "totalItems": 1 })));
    let more =
        server.request(Method::POST, "/api/v1/cart/items").header("chimera-cart", token).json(&json!({ "sku": "MUG", "quantity": 4 }));
    Answer::of(more).await.ok();
    assert_eq!(events.next().await.1["total_items"], 5);
    assert_eq!(socket.json().await["cart"]["total_items"], 5);
    assert_eq!(graphql.json().await["payload"], told(json!({ "totalItems": 5 })));
    let ada = Person::of(&server, Role::Shopper).await;
    ada.send(Method::POST, "/api/v1/cart/merge", "", json!({ "guest_token": token })).await.ok();
    assert_eq!(events.next().await.1["id"], Value::Null);
    assert_eq!(socket.json().await["cart"]["total_items"], 0);
    assert_eq!(graphql.json().await["payload"], told(Value::Null), "it is gone");
}
