//! One request: made, sent, sent again, read.

use std::fmt::Display;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Method, Request, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::query::Pairs;
use crate::{Answer, Client, Error, Key, Problem, Result};

/// Without `Retry-After`: the first wait, which then doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Of an answer that is no problem document, so much is quoted.
const QUOTED_CHARS: usize = 200;

pub struct Call<'a> {
    client: &'a Client,
    request: Result<Request>,
    /// Done twice it is done once.
    is_repeatable: bool,
}

impl<'a> Call<'a> {
    pub fn new(client: &'a Client, method: Method, path: &[&str]) -> Self {
        let mut url: Url = client.base.clone();
        // Cannot fail: the address has a host.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let is_repeatable = method.is_safe();
        let call = Self { client, request: Ok(Request::new(method, url)), is_repeatable };
        match &client.bearer {
            Some(token) => call.header("authorization", &format_args!("Bearer {token}")),
            None => call,
        }
    }

    pub fn query(mut self, pairs: Pairs) -> Self {
        if let Ok(request) = &mut self.request
            && !pairs.0.is_empty()
        {
            request.url_mut().query_pairs_mut().extend_pairs(pairs.0);
        }
        self
    }

    pub fn header(mut self, name: &'static str, value: &impl Display) -> Self {
        let Ok(request) = &mut self.request else { return self };
        let value = value.to_string();
        match HeaderValue::try_from(&value) {
            Ok(value) => drop(request.headers_mut().insert(HeaderName::from_static(name), value)),
            Err(_) => self.request = Err(Error::Header { name, value }),
        }
        self
    }

    pub fn key(mut self, key: Option<&Key>) -> Self {
        let Some(key) = key else { return self };
        self.is_repeatable = true;
        self.header("idempotency-key", key)
    }

    /// Operations that can be a guest's.
    pub fn cart(self) -> Self {
        match self.client.cart.clone() {
            Some(token) => self.header("chimera-cart", &token),
            None => self,
        }
    }

    pub fn json(self, body: &impl Serialize) -> Self {
        // What requests are made of can be written.
        let text = serde_json::to_vec(body).unwrap_or_default();
        self.body("application/json", text)
    }

    pub fn body(self, media_type: &str, body: impl Into<Body>) -> Self {
        let mut call = self.header(CONTENT_TYPE_NAME, &media_type);
        if let Ok(request) = &mut call.request {
            *request.body_mut() = Some(body.into());
        }
        call
    }

    /// Waits for the whole answer, of this type.
    pub async fn typed<T: DeserializeOwned>(self) -> Result<Answer<T>> {
        let (answer, called) = self.whole().await?;
        let body = serde_json::from_slice(&answer.body).map_err(|error| called.answer(answer.status, error.to_string()))?;
        Ok(Answer { status: answer.status, headers: answer.headers, body })
    }

    /// Waits for an answer that has no body.
    pub async fn empty(self) -> Result<Answer<()>> {
        let (answer, _) = self.whole().await?;
        Ok(Answer { status: answer.status, headers: answer.headers, body: () })
    }

    /// Waits for the beginning of the answer: pictures, streams.
    pub async fn raw(self) -> Result<Response> {
        self.send(false).await.map(|(response, _)| response)
    }

    async fn whole(self) -> Result<(Answer<bytes::Bytes>, Called)> {
        let (response, called) = self.send(true).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(unreachable)?;
        Ok((Answer { status, headers, body }, called))
    }

    async fn send(self, is_whole: bool) -> Result<(Response, Called)> {
        let mut request = self.request?;
        if is_whole {
            *request.timeout_mut() = Some(self.client.timeout);
        }
        let called = Called { method: request.method().clone(), path: request.url().path().to_owned() };
        let retries = self.client.retries;
        let mut sent = 0;
        loop {
            // A stream that is sent cannot be sent again.
            let again = if self.is_repeatable && sent < retries.at_most { request.try_clone() } else { None };
            let response = self.client.http.execute(request).await.map_err(unreachable)?;
            let status = response.status();
            if status.is_success() || status.is_redirection() {
                return Ok((response, called));
            }
            let is_busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            let wait = retry_after(response.headers()).unwrap_or(FIRST_WAIT * 2_u32.saturating_pow(sent));
            match again {
                Some(again) if is_busy && wait <= retries.wait_at_most => request = again,
                _ => return Err(called.refused(response).await),
            }
            tokio::time::sleep(wait).await;
            sent += 1;
        }
    }
}

const CONTENT_TYPE_NAME: &str = "content-type";

/// What was asked, for errors.
struct Called {
    method: Method,
    path: String,
}

impl Called {
    fn answer(&self, status: StatusCode, why: String) -> Error {
        Error::Answer { method: self.method.to_string(), path: self.path.clone(), status: status.as_u16(), why }
    }

    async fn refused(&self, response: Response) -> Error {
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|given| given == "application/problem+json");
        let text = match response.text().await {
            Ok(text) => text,
            Err(error) => return unreachable(error),
        };
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) if is_problem => Error::Problem(Box::new(Problem { retry_after, ..problem })),
            _ => self.answer(status, text.chars().take(QUOTED_CHARS).collect()),
        }
    }
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable(Box::new(error))
}

/// In seconds; the server sends no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
