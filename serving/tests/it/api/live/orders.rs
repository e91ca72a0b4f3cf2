//! Orders.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::socket::Socket;
use super::{Changelog, Person, history};
use crate::api::server::Server;
use crate::api::streams::Events;

/// Somebody who follows an order, and what they saw.
struct Followers {
    events: Events,
    socket: Socket,
    graphql: Socket,
    seen: [Vec<String>; 3],
}

impl Followers {
    async fn of(person: &Person<'_>, order: Uuid) -> Self {
        let server = person.server;
        let request = server.request(Method::GET, &format!("/api/v1/orders/{order}/events")).bearer_auth(&person.token);
        let mut socket = Socket::of(&server.base, "/ws", &person.token).await;
        socket.say(&json!({ "type": "subscribe", "topic": "order", "id": order })).await;
        assert_eq!(socket.json().await, json!({ "type": "subscribed", "topic": "order", "id": order }));
        let query = format!("subscription {{ onOrderStatusUpdate(orderId: \"{order}\") {{ id status history {{ status }} }} }}");
        let graphql = Socket::graphql(&server.base, &person.token, &query).await;
        Self { events: Events::of(request).await, socket, graphql, seen: Default::default() }
    }

    /// Until each has seen this status. What they see is what the database has.
    async fn see(&mut self, status: &str) {
        let Self { events, socket, graphql, seen } = self;
        let [by_events, by_socket, by_graphql] = seen;
        let note = |seen: &mut Vec<String>, order: &Value| {
            seen.push(order["status"].as_str().unwrap().to_owned());
            order["status"] == status
        };
        loop {
            let (name, order) = events.next().await;
            assert_eq!(name, "order");
            if note(by_events, &order) {
                break;
            }
        }
        loop {
            let told = socket.json().await;
            assert_eq!((&told["type"], &told["id"]), (&json!("order"), &told["order"]["id"]));
            if note(by_socket, &told["order"]) {
                break;
            }
        }
        loop {
            let told = graphql.json().await;
            assert_eq!((&told["type"], &told["id"], &told["payload"]["errors"]), (&json!("next"), &json!("1"), &Value::Null), "{told}");
            if note(by_graphql, &told["payload"]["data"]["onOrderStatusUpdate"]) {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_followed_through_its_states_to_what_the_database_holds() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let _changelog = Changelog::start(&server).await;
    let (ada, clerk) = (Person::of(&server, Role::Shopper).await, Person::of(&server, Role::Merchandiser).await);
    let order = ada.order("a").await;
    let other = ada.order("b").await;
    let mut followers = Followers::of(&ada, order).await;
    // For the shop's people it is the same order.
    let mut shop = Followers::of(&clerk, order).await;
    followers.see("placed").await;
    shop.see("placed").await;
    let first = clerk.ship(order, 1).await;
    followers.see("partially_shipped").await;
    // Nobody hears of another order.
    clerk.ship(other, 1).await;
    let second = clerk.ship(order, 2).await;
    followers.see("shipped").await;
    clerk.deliver(order, &first).await;
    clerk.deliver(order, &second).await;
    followers.see("delivered").await;
    shop.see("delivered").await;
    let held: String =
        sqlx::query_scalar("SELECT status FROM orders WHERE id = $1").bind(order).fetch_one(&server.app.databases.orders).await.unwrap();
    assert_eq!(held, "delivered");
    // Sent in parts, and delivered in parts: some states come with another state of the parts.
    for mut seen in followers.seen {
        seen.dedup();
        assert_eq!(seen, ["placed", "partially_shipped", "shipped", "delivered"]);
    }
    let order_of = ["placed", "partially_shipped", "shipped", "delivered"];
    for seen in shop.seen {
        assert!(seen.is_sorted_by_key(|status| order_of.iter().position(|of| of == status)), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_follows_the_order_of_somebody_else() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let ada = Person::of(&server, Role::Shopper).await;
    let order = ada.order("a").await;
    let subscribe = json!({ "type": "subscribe", "topic": "order", "id": order });
    for role in [Role::Shopper, Role::Analyst] {
        let stranger = Person::of(&server, role).await;
        let path = format!("/api/v1/orders/{order}/events");
        stranger.send(Method::GET, &path, "", json!({})).await.problem(404, "order-not-found");
        let mut socket = Socket::of(&server.base, "/ws", &stranger.token).await;
        socket.say(&subscribe).await;
        let told = socket.json().await;
        assert_eq!(
            (&told["type"], &told["id"], &told["problem"]["type"]),
            (&json!("error"), &json!(order), &json!("/problems/order-not-found"))
        );
        let query = format!("subscription {{ onOrderStatusUpdate(orderId: \"{order}\") {{ id }} }}");
        let mut graphql = Socket::graphql(&server.base, &stranger.token, &query).await;
        let told = graphql.json().await;
        assert_eq!(told["payload"]["errors"][0]["extensions"]["type"], "/problems/order-not-found", "{told}");
        assert_eq!(told["payload"]["data"], Value::Null);
    }
    server.get(&format!("/api/v1/orders/{order}/events")).await.problem(401, "unauthenticated");
    let mut guest = Socket::open(&server.base, "/ws", &[]).await.unwrap();
    guest.say(&subscribe).await;
    assert_eq!(guest.json().await["problem"]["type"], "/problems/unauthenticated");
    assert_eq!(history(&server, order).await, Vec::<String>::new(), "an order that is paid elsewhere has no history yet");
}
