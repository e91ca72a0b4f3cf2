//! Accounts: every way in, every way to be kept out.

mod api_keys;
mod guesses;
mod passwords;
mod second_factor;
mod sessions;
mod tokens;

use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, PASSWORD, Server, as_owner};

/// What a log-in, a registration or a refresh answers.
#[derive(Clone)]
struct Tokens {
    access: String,
    refresh: String,
    user_id: String,
    session_id: String,
}

impl Tokens {
    #[track_caller]
    fn of(answer: &Answer) -> Self {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
        assert_eq!((body["token_type"].as_str(), body["expires_in"].as_i64()), (Some("Bearer"), Some(600)));
        Self { access: text("access_token"), refresh: text("refresh_token"), user_id: text("user_id"), session_id: text("session_id") }
    }
}

impl Server {
    async fn register(&self, email: &str) -> Tokens {
        Tokens::of(&self.post("/api/v1/auth/register", &json!({ "email": email, "password": PASSWORD })).await)
    }

    async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", &json!({ "email": email, "password": password })).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", &json!({ "refresh_token": token })).await
    }

    async fn me(&self, token: &str) -> Answer {
        self.send(Method::GET, "/api/v1/auth/me", token, None).await
    }

    /// What was written to an address, the newest last.
    async fn messages(&self, email: &str) -> Vec<(String, Value)> {
        let messages = sqlx::query_as("SELECT topic, data FROM outbox WHERE email = $1 ORDER BY created_at, message_id");
        messages.bind(email).fetch_all(&self.app.auth.pool).await.unwrap()
    }

    /// The token in the newest message about something; waits for it, since answers do not.
    async fn mailed(&self, email: &str, topic: &str, messages: usize) -> String {
        for _ in 0..200 {
            let found: Vec<Value> = self.messages(email).await.into_iter().filter(|(of, _)| of == topic).map(|(_, data)| data).collect();
            if found.len() == messages {
                return found.last().unwrap()["token"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("no {messages} messages about {topic}: {:?}", self.messages(email).await);
    }

    async fn auth_sql(&self, statement: &str) {
        as_owner(&self.app.auth.pool, statement).await;
    }
}
