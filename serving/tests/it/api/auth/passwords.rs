//! Passwords: changed, forgotten, brought from elsewhere.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{PASSWORD, Server, Tokens};

const NEW: &str = "battery staple correct";

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_a_token_from_a_message() {
    let Some(server) = Server::start().await else { return };
    let ada = server.register("ada@example.com").await;
    let wanted = json!({ "name": "left by whoever", "password": PASSWORD });
    let key = server.send(Method::POST, "/api/v1/auth/api-keys", &ada.access, Some(&wanted)).await.json();
    let key = key["key"].as_str().unwrap();
    for email in ["nobody@example.com", "ADA@example.com"] {
        assert_eq!(server.post("/api/v1/auth/password/forgot", &json!({ "email": email })).await.status, 202);
    }
    let token = server.mailed("ada@example.com", "account.reset_password", 1).await;
    assert_eq!(server.messages("nobody@example.com").await, []);
    let reset = async |password: &str| server.post("/api/v1/auth/password/reset", &json!({ "token": token, "password": password })).await;
    reset("short").await.problem(422, "invalid-body");
    // Guessing does not keep the owner out.
    for _ in 0..5 {
        server.log_in("ada@example.com", "something else").await;
    }
    assert_eq!(reset(NEW).await.status, 204);
    reset("yet another password").await.problem(400, "bad-one-time-token");
    server.me(&ada.access).await.problem(401, "unauthenticated");
    server.me(key).await.problem(401, "unauthenticated");
    server.refresh(&ada.refresh).await.problem(401, "session-over");
    server.log_in("ada@example.com", PASSWORD).await.problem(401, "wrong-credentials");
    let tokens = Tokens::of(&server.log_in("ada@example.com", NEW).await);
    assert!(server.me(&tokens.access).await.ok()["email_verified_at"].is_string(), "who has the message has the address");
    let topics: Vec<String> = server.messages("ada@example.com").await.into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, ["account.verify_email", "account.reset_password", "account.password_changed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_letter_box_is_filled() {
    let Some(server) = Server::start().await else { return };
    server.register("ada@example.com").await;
    let forgotten = json!({ "email": "ada@example.com" });
    futures::future::join_all((0..10).map(|_| server.post("/api/v1/auth/password/forgot", &forgotten))).await;
    server.mailed("ada@example.com", "account.reset_password", 1).await;
    assert_eq!(server.post("/api/v1/auth/password/forgot", &forgotten).await.status, 202);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let topics: Vec<String> = server.messages("ada@example.com").await.into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, ["account.verify_email", "account.reset_password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_from_messages_run_out_and_are_for_one_thing() {
    let Some(server) = Server::start().await else { return };
    server.register("ada@example.com").await;
    let verification = server.mailed("ada@example.com", "account.verify_email", 1).await;
    let reset = async |token: &str| server.post("/api/v1/auth/password/reset", &json!({ "token": token, "password": NEW })).await;
    reset(&verification).await.problem(400, "bad-one-time-token");
    server.post("/api/v1/auth/password/forgot", &json!({ "email": "ada@example.com" })).await;
    let token = server.mailed("ada@example.com", "account.reset_password", 1).await;
    server.auth_sql("UPDATE one_time_tokens SET expires_at = now() WHERE purpose = 'reset_password'").await;
    reset(&token).await.problem(400, "bad-one-time-token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_the_other_sessions() {
    let Some(server) = Server::start().await else { return };
    let here = server.register("ada@example.com").await;
    let there = Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    let change = async |current: &str, password: &str| {
        let body = json!({ "current": current, "password": password });
        server.send(Method::PUT, "/api/v1/auth/password", &here.access, Some(&body)).await
    };
    change("something else", NEW).await.problem(401, "wrong-credentials");
    change(PASSWORD, "ada@example.com").await.problem(422, "invalid-body");
    let forgot = async || server.post("/api/v1/auth/password/forgot", &json!({ "email": "ada@example.com" })).await.status;
    assert_eq!(forgot().await, 202);
    let token = server.mailed("ada@example.com", "account.reset_password", 1).await;
    assert_eq!(change(PASSWORD, NEW).await.status, 204);
    // Who got hold of an old message gets nowhere with it.
    server.post("/api/v1/auth/password/reset", &json!({ "token": token, "password": PASSWORD })).await.problem(400, "bad-one-time-token");
    assert_eq!(server.me(&here.access).await.status, 200);
    server.me(&there.access).await.problem(401, "unauthenticated");
    Tokens::of(&server.log_in("ada@example.com", NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_bcrypt_is_taken_once_and_then_made_anew() {
    let Some(server) = Server::start().await else { return };
    server.register("ada@example.com").await;
    // Made by PostgreSQL's own bcrypt, as another shop may have done.
    server
        .auth_sql("CREATE EXTENSION pgcrypto; UPDATE credentials SET password_hash = crypt('käse und brötchen', gen_salt('bf', 6))")
        .await;
    let hash =
        async || sqlx::query_scalar::<_, String>("SELECT password_hash FROM credentials").fetch_one(&server.app.auth.pool).await.unwrap();
    assert!(hash().await.starts_with("$2a$06$"));
    server.log_in("ada@example.com", "käse und brötchem").await.problem(401, "wrong-credentials");
    assert!(hash().await.starts_with("$2a$06$"), "a wrong password changes nothing");
    // Three at once: one of them makes it anew, and the others come in all the same.
    for log_in in join_all((0..3).map(|_| server.log_in("ada@example.com", "käse und brötchen"))).await {
        Tokens::of(&log_in);
    }
    let made = hash().await;
    assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    Tokens::of(&server.log_in("ada@example.com", "käse und brötchen").await);
    assert_eq!(hash().await, made);
}
