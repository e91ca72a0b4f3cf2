//! The second factor, with codes that PostgreSQL computes.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, PASSWORD, Server, Tokens};

/// RFC 6238 over pgcrypto's HMAC: not by the library that checks them.
async fn code(server: &Server, secret: &str, steps_from_now: i64) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret.chars().map(|c| format!("{:05b}", LETTERS.find(c).unwrap())).collect();
    let key: Vec<u8> = (0..bits.len() / 8).map(|i| u8::from_str_radix(&bits[i * 8..i * 8 + 8], 2).unwrap()).collect();
    let step = chrono::Utc::now().timestamp() / 30 + steps_from_now;
    let mac: Vec<u8> = sqlx::query_scalar("SELECT hmac($1, $2, 'sha1')")
        .bind(step.to_be_bytes().as_slice())
        .bind(key)
        .fetch_one(&server.app.auth.pool)
        .await
        .unwrap();
    let at = usize::from(mac[19] & 15);
    let number = u32::from_be_bytes(mac[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn with_code(server: &Server, code: &str) -> Answer {
    server.post("/api/v1/auth/login", &json!({ "email": "ada@example.com", "password": PASSWORD, "code": code })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_once_confirmed_and_each_code_is_good_once() {
    let Some(server) = Server::start().await else { return };
    server.auth_sql("CREATE EXTENSION pgcrypto").await;
    let ada = server.register("ada@example.com").await;
    let begin_with = async |body: Value| server.send(Method::POST, "/api/v1/auth/second-factor", &ada.access, Some(&body)).await;
    let begin = async || begin_with(json!({ "password": PASSWORD })).await;
    let confirm = async |code: &str| {
        server.send(Method::POST, "/api/v1/auth/second-factor/confirm", &ada.access, Some(&json!({ "code": code }))).await
    };
    confirm("123456").await.problem(409, "second-factor-state");
    // A stolen token alone locks nobody out.
    begin_with(json!({})).await.problem(422, "invalid-body");
    begin_with(json!({ "password": "something else" })).await.problem(401, "wrong-credentials");
    confirm("123456").await.problem(409, "second-factor-state");
    let seed = begin().await.ok();
    let secret = seed["secret"].as_str().unwrap().to_owned();
    assert!(seed["url"].as_str().unwrap().contains(&format!("secret={secret}")), "{seed}");
    Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    // Codes of the step before the present one are taken too: the telephone's clock may be behind.
    let first = code(&server, &secret, -1).await;
    let wrong = if first == "000000" { "000001" } else { "000000" };
    confirm(wrong).await.problem(401, "wrong-code");
    let recovery: Vec<String> = serde_json::from_value(confirm(&first).await.ok()["recovery_codes"].clone()).unwrap();
    assert_eq!(recovery.len(), 10);
    begin().await.problem(409, "second-factor-state");
    confirm(&first).await.problem(409, "second-factor-state");

    server.log_in("ada@example.com", PASSWORD).await.problem(401, "second-factor-needed");
    with_code(&server, &first).await.problem(401, "wrong-code");
    let now = code(&server, &secret, 0).await;
    Tokens::of(&with_code(&server, &now).await);
    with_code(&server, &now).await.problem(401, "wrong-code");
    Tokens::of(&with_code(&server, &recovery[0].to_uppercase()).await);
    with_code(&server, &recovery[0]).await.problem(401, "wrong-code");
    // A code without the password is worth nothing, and not spent.
    let body = json!({ "email": "ada@example.com", "password": "something else", "code": recovery[1] });
    server.post("/api/v1/auth/login", &body).await.problem(401, "wrong-credentials");

    let remove = async |body: Value| server.send(Method::DELETE, "/api/v1/auth/second-factor", &ada.access, Some(&body)).await;
    remove(json!({ "password": "something else", "code": recovery[1] })).await.problem(401, "wrong-credentials");
    remove(json!({ "password": PASSWORD, "code": recovery[0] })).await.problem(401, "wrong-code");
    assert_eq!(remove(json!({ "password": PASSWORD, "code": recovery[1] })).await.status, 204);
    Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT totp_secret FROM credentials").fetch_one(&server.app.auth.pool).await.unwrap();
    assert_eq!(sealed, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_not_guessed_by_who_has_the_password_and_a_session() {
    let Some(server) = Server::start().await else { return };
    server.auth_sql("CREATE EXTENSION pgcrypto").await;
    let ada = server.register("ada@example.com").await;
    let send = async |method, path: &str, body: Value| server.send(method, path, &ada.access, Some(&body)).await;
    let seed = send(Method::POST, "/api/v1/auth/second-factor", json!({ "password": PASSWORD })).await.ok();
    let first = code(&server, seed["secret"].as_str().unwrap(), 0).await;
    send(Method::POST, "/api/v1/auth/second-factor/confirm", json!({ "code": first })).await.ok();
    // A code that was taken is as wrong as any other. Changing the password, which is known, buys no more guesses.
    let guess = json!({ "password": PASSWORD, "code": first });
    for _ in 0..2 {
        send(Method::DELETE, "/api/v1/auth/second-factor", guess.clone()).await.problem(401, "wrong-code");
        with_code(&server, &first).await.problem(401, "wrong-code");
    }
    let same = json!({ "current": PASSWORD, "password": PASSWORD });
    assert_eq!(send(Method::PUT, "/api/v1/auth/password", same).await.status, 204);
    send(Method::DELETE, "/api/v1/auth/second-factor", guess).await.problem(429, "too-many-attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_with_a_code_where_a_log_in_asks_for_one() {
    let Some(server) = Server::start().await else { return };
    server.auth_sql("CREATE EXTENSION pgcrypto").await;
    let ada = server.register("ada@example.com").await;
    let send = async |path: &str, body: Value| server.send(Method::POST, path, &ada.access, Some(&body)).await;
    let seed = send("/api/v1/auth/second-factor", json!({ "password": PASSWORD })).await.ok();
    let first = code(&server, seed["secret"].as_str().unwrap(), -1).await;
    let recovery = send("/api/v1/auth/second-factor/confirm", json!({ "code": first })).await.ok()["recovery_codes"][0].clone();
    let make = async |password: &str, code: Value| {
        send("/api/v1/auth/api-keys", json!({ "name": "a program", "password": password, "code": code })).await
    };
    make(PASSWORD, Value::Null).await.problem(401, "second-factor-needed");
    make(PASSWORD, json!(first)).await.problem(401, "wrong-code");
    make("something else", recovery.clone()).await.problem(401, "wrong-credentials");
    let made = make(PASSWORD, recovery.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(server.me(made.json()["key"].as_str().unwrap()).await.ok()["user_id"], json!(ada.user_id));
    make(PASSWORD, recovery).await.problem(401, "wrong-code");
}
