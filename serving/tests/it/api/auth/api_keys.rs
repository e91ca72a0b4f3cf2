//! Keys of programs.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, Server};
use crate::api::server::{Answer, TOKEN};

/// With the password, unless the body has one.
async fn make(server: &Server, token: &str, mut body: Value) -> Answer {
    body.as_object_mut().unwrap().entry("password").or_insert(json!(PASSWORD));
    server.send(Method::POST, "/api/v1/auth/api-keys", token, Some(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_acts_for_its_account_until_it_is_removed() {
    let Some(server) = Server::start().await else { return };
    let account = server.account(Role::Analyst).await;
    let token = server.session(account, Role::Analyst).await;
    let made = make(&server, &token, json!({ "name": "Grafana", "expires_in_days": 30 })).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"));
    let made = made.json();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("chk_"));
    assert_eq!(server.me(key).await.ok()["user_id"], json!(account));
    assert_eq!(server.send(Method::GET, "/api/v1/stores", key, None).await.status, 200);
    server.send(Method::GET, "/api/v1/accounts", key, None).await.problem(403, "forbidden");
    // Keys make no keys, and change no passwords.
    make(&server, key, json!({ "name": "another" })).await.problem(403, "session-needed");
    server.send(Method::POST, "/api/v1/auth/second-factor", key, None).await.problem(403, "session-needed");
    make(&server, TOKEN, json!({ "name": "another" })).await.problem(403, "no-account");

    let listed = server.send(Method::GET, "/api/v1/auth/api-keys", &token, None).await;
    assert!(!listed.text().contains(key));
    let listed = listed.ok();
    assert_eq!((&listed["api_keys"][0]["name"], &listed["api_keys"][0]["key_id"]), (&json!("Grafana"), &made["key_id"]));
    assert!(listed["api_keys"][0]["last_used_at"].is_string() && listed["api_keys"][0]["expires_at"].is_string(), "{listed}");

    let path = format!("/api/v1/auth/api-keys/{}", made["key_id"].as_str().unwrap());
    let other = server.session(server.account(Role::Analyst).await, Role::Analyst).await;
    server.send(Method::DELETE, &path, &other, None).await.problem(404, "api-key-not-found");
    assert_eq!(server.send(Method::DELETE, &path, &token, None).await.status, 204);
    server.me(key).await.problem(401, "unauthenticated");
    server.send(Method::DELETE, &path, &token, None).await.problem(404, "api-key-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_reading_writes_nothing_and_one_whose_time_is_over_opens_nothing() {
    let Some(server) = Server::start().await else { return };
    let token = server.session(server.account(Role::Admin).await, Role::Admin).await;
    let made = make(&server, &token, json!({ "name": "read", "read_only": true })).await.json();
    let key = made["key"].as_str().unwrap();
    assert_eq!(server.send(Method::GET, "/api/v1/dlq", key, None).await.status, 200);
    server.send(Method::POST, "/api/v1/dlq/replay", key, Some(&json!({}))).await.problem(403, "forbidden");
    server.send(Method::POST, "/api/v1/orders", key, Some(&json!({}))).await.problem(403, "forbidden");
    server.auth_sql("UPDATE api_keys SET expires_at = now()").await;
    server.me(key).await.problem(401, "unauthenticated");
    server.auth_sql("UPDATE api_keys SET expires_at = NULL; UPDATE credentials SET disabled_at = now()").await;
    server.me(key).await.problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_bounded() {
    let Some(server) = Server::start().await else { return };
    let token = server.session(server.account(Role::Service).await, Role::Service).await;
    for (body, path) in [
        (json!({ "name": " " }), "name"),
        (json!({ "name": "x".repeat(101) }), "name"),
        (json!({ "name": "x", "expires_in_days": 0 }), "expires_in_days"),
        (json!({ "name": "x", "expires_in_days": 3661 }), "expires_in_days"),
    ] {
        assert_eq!(make(&server, &token, body).await.problem(422, "invalid-body")["errors"][0]["path"], path);
    }
    for _ in 0..20 {
        assert_eq!(make(&server, &token, json!({ "name": "x" })).await.status, 201);
    }
    make(&server, &token, json!({ "name": "x" })).await.problem(409, "too-many-api-keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_makes_no_key() {
    let Some(server) = Server::start().await else { return };
    let ada = server.register("ada@example.com").await;
    let post = async |body: Value| server.send(Method::POST, "/api/v1/auth/api-keys", &ada.access, Some(&body)).await;
    post(json!({ "name": "x" })).await.problem(422, "invalid-body");
    for _ in 0..5 {
        post(json!({ "name": "x", "password": "something else" })).await.problem(401, "wrong-credentials");
    }
    // Guesses here and at log-in are one count.
    post(json!({ "name": "x", "password": PASSWORD })).await.problem(429, "too-many-attempts");
    server.log_in("ada@example.com", PASSWORD).await.problem(429, "too-many-attempts");
    server.auth_sql("DELETE FROM login_attempts").await;
    // An account without a password has to set one first.
    server.auth_sql("UPDATE credentials SET password_hash = ''").await;
    for password in ["", PASSWORD] {
        post(json!({ "name": "x", "password": password })).await.problem(401, "wrong-credentials");
    }
    server.log_in("ada@example.com", "").await.problem(401, "wrong-credentials");
    let keys = server.send(Method::GET, "/api/v1/auth/api-keys", &ada.access, None).await.ok();
    assert_eq!(keys["api_keys"], json!([]));
}
