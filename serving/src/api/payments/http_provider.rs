//! The provider behind HTTP: what [`crate::simulated_provider`] speaks.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

use super::provider::{Charge, Error, Provider, Standing};
use crate::api::guard::{self, Guard};

const LIMITS: guard::Limits = guard::Limits {
    deadline: Duration::from_secs(5),
    // A shop's machine has work for no more of them.
    concurrent: 64,
    failures: 8,
    rest: Duration::from_millis(500),
};

/// Answers are short: more of one is not read.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

pub struct HttpProvider {
    client: Client,
    /// Without `/` at its end.
    url: String,
    secret: String,
    guard: Guard,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
}

impl HttpProvider {
    /// `url`: such as `http://127.0.0.1:9000`; `secret`: what the provider knows the shop by.
    pub fn new(url: &str, secret: &str) -> reqwest::Result<Self> {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), secret: secret.to_owned(), guard: Guard::new(LIMITS) })
    }

    async fn send(&self, method: Method, path: String, body: Option<&(impl Serialize + Sync)>) -> Result<Standing, Error> {
        let request = self.client.request(method, format!("{}/payments/{path}", self.url)).bearer_auth(&self.secret);
        let mut trace = HeaderMap::new();
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(&mut trace));
        let request = request.headers(trace);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let call = async {
            let response = request.send().await.map_err(unavailable)?;
            match response.status() {
                status if status.is_success() => read(response).await,
                // Its own trouble, or too much of ours: it may do it later.
                status if status.is_server_error() || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status) => {
                    Err(Error::Unavailable(format!("it answers {status}")))
                }
                status => {
                    let refusal: Refusal = read(response).await.map_err(|_| Error::Unavailable(format!("it answers {status}")))?;
                    Err(Error::Refused { code: refusal.code, message: refusal.message })
                }
            }
        };
        self.guard.run(|error| matches!(error, Error::Unavailable(_)), call).await.map_err(|error| match error {
            guard::Error::Failed(error) => error,
            other => Error::Unavailable(other.to_string()),
        })
    }
}

fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

/// What an answer says, if it is not too long.
async fn read<T: DeserializeOwned>(mut response: Response) -> Result<T, Error> {
    let mut body: Vec<u8> = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Error::Unavailable(format!("its answer is longer than {MAX_ANSWER_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(unavailable)
}

const NOTHING: Option<&()> = None;

#[async_trait]
impl Provider for HttpProvider {
    async fn authorise(&self, payment: Uuid, charge: &Charge) -> Result<Standing, Error> {
        self.send(Method::PUT, payment.to_string(), Some(charge)).await
    }

    async fn capture(&self, payment: Uuid) -> Result<Standing, Error> {
        self.send(Method::PUT, format!("{payment}/capture"), NOTHING).await
    }

    async fn void(&self, payment: Uuid) -> Result<Standing, Error> {
        self.send(Method::PUT, format!("{payment}/void"), NOTHING).await
    }

    async fn refund(&self, payment: Uuid, refund: Uuid, amount_cents: i64) -> Result<(), Error> {
        let body = json!({ "amount_cents": amount_cents });
        self.send(Method::PUT, format!("{payment}/refunds/{refund}"), Some(&body)).await.map(drop)
    }

    async fn standing(&self, payment: Uuid) -> Result<Standing, Error> {
        self.send(Method::GET, payment.to_string(), NOTHING).await
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::provider::Status;
    use super::*;

    /// One that answers everything like this.
    async fn that_answers(status: StatusCode, body: String) -> HttpProvider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(move || async move { (status, body) });
        tokio::spawn(async move { axum::serve(listener, router).await });
        HttpProvider::new(&url, "secret").unwrap()
    }

    #[tokio::test]
    async fn a_provider_that_says_too_much_is_unavailable() {
        let captured = |code: &str| json!({ "status": "captured", "decline_code": code }).to_string();
        let provider = that_answers(StatusCode::OK, captured("a")).await;
        let standing = provider.standing(Uuid::nil()).await.unwrap();
        assert_eq!((standing.status, standing.decline_code.as_deref()), (Status::Captured, Some("a")));
        let provider = that_answers(StatusCode::OK, captured(&"a".repeat(1_000_000))).await;
        let error = provider.standing(Uuid::nil()).await.unwrap_err();
        assert!(matches!(&error, Error::Unavailable(why) if why.contains("longer than")), "{error}");

        let refusal = |message: &str| json!({ "code": "no", "message": message }).to_string();
        let provider = that_answers(StatusCode::CONFLICT, refusal("a")).await;
        assert!(matches!(provider.capture(Uuid::nil()).await, Err(Error::Refused { .. })));
        let provider = that_answers(StatusCode::CONFLICT, refusal(&"a".repeat(1_000_000))).await;
        assert!(matches!(provider.capture(Uuid::nil()).await, Err(Error::Unavailable(_))));
    }
}
