//! Sessions that end while something is followed.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::json;

use super::Person;
use super::socket::Socket;
use crate::api::server::{PASSWORD, Server, TOKEN};
use crate::api::streams::Events;

const CART: &str = "subscription { onCartUpdate { version } }";

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_come_in_any_more_hears_nothing_more() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    for end in ["log out", "switched off", "another role", "key removed"] {
        let mut ada = Person::of(&server, Role::Shopper).await;
        if end == "key removed" {
            let wanted = json!({ "name": "a program", "password": PASSWORD });
            let made = ada.send(Method::POST, "/api/v1/auth/api-keys", "", wanted).await;
            let session = std::mem::replace(&mut ada.token, made.json()["key"].as_str().unwrap().to_owned());
            follow(&ada, async || {
                let path = format!("/api/v1/auth/api-keys/{}", made.json()["key_id"].as_str().unwrap());
                assert_eq!(server.send(Method::DELETE, &path, &session, None).await.status, 204);
            })
            .await;
            continue;
        }
        follow(&ada, async || {
            let account = format!("/api/v1/accounts/{}", ada.user_id);
            let answer = match end {
                "log out" => server.send(Method::POST, "/api/v1/auth/logout", &ada.token, None).await,
                "switched off" => server.send(Method::PATCH, &account, TOKEN, Some(&json!({ "disabled": true }))).await,
                _ => server.send(Method::PATCH, &account, TOKEN, Some(&json!({ "role": "analyst" }))).await,
            };
            assert!(answer.status < 300, "{end}: {}", answer.text());
        })
        .await;
    }
}

/// Follows a cart in every way, ends the session, and sees that all of them end.
async fn follow(ada: &Person<'_>, end: impl AsyncFnOnce()) {
    let server = ada.server;
    ada.put_in("MUG", 1).await;
    let mut events = Events::of(server.request(Method::GET, "/api/v1/cart/events").bearer_auth(&ada.token)).await;
    assert_eq!(events.next().await.1["version"], 1);
    let mut socket = Socket::of(&server.base, "/ws", &ada.token).await;
    let mut later = Socket::open(&server.base, "/ws", &[]).await.unwrap();
    later.say(&json!({ "type": "authenticate", "token": ada.token })).await;
    assert_eq!(later.json().await["type"], "authenticated");
    for socket in [&mut socket, &mut later] {
        socket.say(&json!({ "type": "subscribe", "topic": "cart" })).await;
        assert_eq!(socket.json().await["type"], "subscribed");
    }
    let mut graphql = Socket::graphql(&server.base, &ada.token, CART).await;
    assert_eq!(graphql.json().await["payload"]["data"]["onCartUpdate"]["version"], 1);
    end().await;
    while events.next_or_end().await.is_some() {}
    for mut socket in [socket, later, graphql] {
        assert_eq!(socket.closed().await, 4401);
    }
}
