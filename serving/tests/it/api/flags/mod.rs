//! Feature flags: written by merchandisers, evaluated by everybody.

mod manage;
mod ofrep;

use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, Server, TOKEN};

/// A boolean flag that is off for whom none of these rules is.
pub fn boolean(rules: &Value) -> Value {
    json!({ "type": "boolean", "variants": {"on": true, "off": false}, "default_variant": "off", "off_variant": "off", "is_enabled": true, "rules": rules })
}

pub async fn create(server: &Server, key: &str, definition: &Value) -> Value {
    let answer = server.send(Method::POST, "/api/v1/flags", TOKEN, Some(&json!({ "key": key, "definition": definition }))).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

pub async fn put(server: &Server, key: &str, etag: &str, definition: &Value) -> Answer {
    let request = server.request(Method::PUT, &format!("/api/v1/flags/{key}")).bearer_auth(TOKEN).header("if-match", etag);
    Answer::of(request.json(definition)).await
}

/// What a flag is for somebody.
pub async fn evaluate(server: &Server, key: &str, context: &Value) -> Value {
    server.post(&format!("/ofrep/v1/evaluate/flags/{key}"), &json!({ "context": context })).await.ok()
}
