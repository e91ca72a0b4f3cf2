//! What may be said on a WebSocket, how much of it, and by whom.

use chimera_serving::api::Limits;
use chimera_serving::api::access::Role;
use chimera_serving::api::rate_limit::Rates;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Person;
use super::socket::{Heard, Socket};
use crate::api::server::Server;

const TRANSPORT: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_said_and_what_is_too_much_ends_it() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    let ada = Person::of(&server, Role::Shopper).await;
    let mut socket = Socket::of(&server.base, "/ws", &ada.token).await;
    for wrong in ["", "{", "[]", r#"{"type":"shout"}"#, r#"{"type":"subscribe","topic":"order","id":"x"}"#] {
        socket.say_text(wrong.to_owned()).await;
        assert_eq!(socket.json().await["problem"]["type"], "/problems/bad-message", "{wrong}");
    }
    socket.say(&json!({ "type": "ping" })).await;
    assert_eq!(socket.json().await, json!({ "type": "pong" }));
    // Another's token, and none.
    let stranger = Person::of(&server, Role::Shopper).await;
    socket.say(&json!({ "type": "authenticate", "token": stranger.token })).await;
    assert_eq!(socket.json().await["problem"]["type"], "/problems/unauthenticated");
    assert_eq!(socket.hear().await, Heard::Closed(4401));
    let mut guest = Socket::open(&server.base, "/ws", &[]).await.unwrap();
    guest.say(&json!({ "type": "authenticate", "token": "chk_guess" })).await;
    assert_eq!(guest.json().await["problem"]["type"], "/problems/unauthenticated");
    assert_eq!(guest.hear().await, Heard::Closed(4401));

    let mut socket = Socket::of(&server.base, "/ws", &ada.token).await;
    let mut orders = vec![];
    for i in 0..17 {
        orders.push(ada.order(&i.to_string()).await);
        socket.say(&json!({ "type": "subscribe", "topic": "order", "id": orders[i] })).await;
        let told = socket.json().await;
        if i == 16 {
            assert_eq!(told["problem"]["type"], "/problems/too-many-topics");
        } else {
            assert_eq!(told["type"], "subscribed");
            assert_eq!(socket.json().await["order"]["id"], json!(orders[i]));
        }
    }
    socket.say(&json!({ "type": "unsubscribe", "topic": "order", "id": orders[0] })).await;
    assert_eq!(socket.json().await, json!({ "type": "unsubscribed", "topic": "order", "id": orders[0] }));
    socket.say(&json!({ "type": "subscribe", "topic": "order", "id": orders[16] })).await;
    assert_eq!(socket.json().await["type"], "subscribed");
    socket.say_text(format!("{{\"type\":\"{}\"}}", "x".repeat(40_000))).await;
    socket.closed().await;
    // Whoever goes leaves nothing behind.
    drop(guest);
    for _ in 0..200 {
        if server.app.hub().channels() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} channels are listened to for nobody", server.app.hub().channels());
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_open_it_for_pages_of_the_shop_only() {
    let Some(server) = Server::start().await else { return };
    // The one speaks a protocol that has a name, the other our own.
    for (path, protocol) in [("/ws", ("accept", "*/*")), ("/api/v1/graphql/ws", TRANSPORT)] {
        for foreign in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            let (status, problem) = Socket::open(&server.base, path, &[("origin", foreign), protocol]).await.err().unwrap();
            assert_eq!((status, &problem["type"]), (403, &json!("/problems/foreign-origin")), "{path} from {foreign}");
        }
        for own in [server.base.as_str(), "https://shop.example.com"] {
            assert!(Socket::open(&server.base, path, &[("origin", own), protocol]).await.is_ok(), "{path} from {own}");
        }
        server.get(path).await.problem(426, "websocket-needed");
        let (status, _) = Socket::open(&server.base, path, &[("authorization", "Bearer x"), protocol]).await.err().unwrap();
        assert_eq!(status, 401);
    }
    let other = Socket::open(&server.base, "/api/v1/graphql/ws", &[("sec-websocket-protocol", "graphql-ws")]).await;
    assert_eq!(other.err().unwrap().0, 426);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_all_places() {
    let rates = Rates { counts_loopback: true, ..Rates::default() };
    let limits = Limits { max_streams_each: 2, rates, ..Limits::default() };
    let Some(server) = Server::start_with(limits, None).await else { return };
    let ada = Person::of(&server, Role::Shopper).await;
    let bearer = format!("Bearer {}", ada.token);
    let header = [("authorization", bearer.as_str())];
    let held = [Socket::of(&server.base, "/ws", &ada.token).await, Socket::of(&server.base, "/ws", &ada.token).await];
    let (status, problem) = Socket::open(&server.base, "/ws", &header).await.err().unwrap();
    assert_eq!((status, &problem["type"]), (429, &json!("/problems/too-many-streams")));
    let other = Person::of(&server, Role::Shopper).await;
    Socket::of(&server.base, "/ws", &other.token).await;
    drop(held);
    while Socket::open(&server.base, "/ws", &header).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_graphql_a_connection_begins_by_saying_who_it_is_and_only_subscribes() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    let ada = Person::of(&server, Role::Shopper).await;
    ada.put_in("MUG", 1).await;
    let open = async || Socket::open(&server.base, "/api/v1/graphql/ws", &[TRANSPORT]).await.unwrap();
    let subscribe = |id: &str, query: &str| json!({ "id": id, "type": "subscribe", "payload": { "query": query } });
    let mut early = open().await;
    early.say(&subscribe("1", "subscription { onCartUpdate { id } }")).await;
    assert!(early.closed().await >= 1000);
    let mut wrong = open().await;
    wrong.say(&json!({ "type": "connection_init", "payload": { "authorization": "Bearer chk_guess" } })).await;
    assert!(wrong.closed().await >= 1000);
    // Nothing at all is said.
    let mut silent = open().await;
    assert_eq!(silent.closed().await, 4408);

    let mut socket = Socket::graphql(&server.base, &ada.token, "{ me { id } }").await;
    let refused = async |socket: &mut Socket, id: &str| {
        let told = socket.json().await;
        assert_eq!((&told["type"], &told["id"], &told["payload"]["data"]), (&json!("next"), &json!(id), &Value::Null), "{told}");
        assert_eq!(socket.json().await, json!({ "type": "complete", "id": id }));
        told["payload"]["errors"][0]["extensions"]["type"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(&mut socket, "1").await, "/problems/bad-query");
    let deep = format!("subscription {{ onCartUpdate {}", "{ a".repeat(5000));
    socket.say(&subscribe("2", &deep)).await;
    assert_eq!(refused(&mut socket, "2").await, "/problems/bad-query");
    socket.say(&subscribe("3", &format!("subscription {{ onOrderStatusUpdate(orderId: \"{}\") {{ id }} }}", Uuid::nil()))).await;
    assert_eq!(refused(&mut socket, "3").await, "/problems/order-not-found");
    for i in 0..17 {
        socket.say(&subscribe(&format!("s{i}"), "subscription { onCartUpdate { version } }")).await;
        if i < 16 {
            let told = socket.json().await;
            assert_eq!((&told["id"], &told["payload"]["data"]["onCartUpdate"]["version"]), (&json!(format!("s{i}")), &json!(1)));
        }
    }
    assert_eq!(refused(&mut socket, "s16").await, "/problems/too-many-topics");
    socket.say(&json!({ "id": "s0", "type": "complete" })).await;
    assert_eq!(socket.json().await, json!({ "type": "complete", "id": "s0" }));
    socket.say(&json!({ "type": "ping" })).await;
    assert_eq!(socket.json().await["type"], "pong");
}
