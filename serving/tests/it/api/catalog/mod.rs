//! What merchandisers do with the catalogue.

mod categories;
mod fallback;
mod import;
mod pictures;
mod products;
mod races;

use chimera_connectors::Frontier;
use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::server::{Answer, Server};

/// Somebody who may change the catalogue.
struct Merchandiser<'a> {
    server: &'a Server,
    user_id: Uuid,
    token: String,
}

impl<'a> Merchandiser<'a> {
    async fn of(server: &'a Server) -> Self {
        let user_id = server.account(Role::Merchandiser).await;
        let token = server.session(user_id, Role::Merchandiser).await;
        Self { server, user_id, token }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, None, Some(body)).await
    }

    /// Adds something; its body.
    async fn add(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        reached(&answer);
        answer.json()
    }

    /// A change of what has this tag.
    async fn change(&self, method: Method, path: &str, if_match: &str, body: Option<Value>) -> Answer {
        self.send(method, path, Some(if_match), body).await
    }

    async fn send(&self, method: Method, path: &str, if_match: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = self.server.request(method, path).bearer_auth(&self.token);
        if let Some(if_match) = if_match {
            request = request.header("if-match", if_match);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request).await
    }
}

/// Every write says up to where a read has to go to include it.
#[track_caller]
fn reached(answer: &Answer) -> u64 {
    let position: Frontier = answer.header("chimera-position").parse().unwrap();
    assert!(position.to_string().starts_with("catalog:"), "{position}");
    position.to_string().rsplit(':').next().unwrap().parse().unwrap()
}

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}
