//! A typed client of Chimera's HTTP API. [`generated`] is made from the OpenAPI document; the rest sends it.

mod answer;
mod call;
mod error;
mod generated;
mod key;
mod query;
#[cfg(test)]
mod tests;

use std::time::Duration;

use reqwest::{Method, Url};

pub use answer::Answer;
pub use error::{Error, Problem, Result};
pub use generated::types;
pub use key::Key;
pub use reqwest;

use call::Call;

/// How often a request that does nothing twice is sent again when the server answers 429 or 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    pub at_most: u32,
    /// A server that wants to be left alone for longer is believed, and its answer given to the caller.
    pub wait_at_most: Duration,
}

impl Retries {
    pub const NONE: Self = Self { at_most: 0, wait_at_most: Duration::ZERO };
}

impl Default for Retries {
    fn default() -> Self {
        Self { at_most: 3, wait_at_most: Duration::from_secs(10) }
    }
}

/// Talks to one server. Clones share its connections, and may speak for somebody else.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    bearer: Option<String>,
    cart: Option<String>,
    retries: Retries,
    timeout: Duration,
}

impl Client {
    /// `base`: `https://shop.example.com`, with a path before that of the API where a proxy wants one.
    ///
    /// # Errors
    /// When this is no address of HTTP.
    pub fn new(base: &str) -> Result<Self> {
        let http = reqwest::Client::builder().build().map_err(|error| Error::Unreachable(Box::new(error)))?;
        Self::over(http, base)
    }

    /// Over connections of the program's own making: proxies, certificates.
    ///
    /// # Errors
    /// Likewise.
    pub fn over(http: reqwest::Client, base: &str) -> Result<Self> {
        let url = Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let base = url.ok_or_else(|| Error::Address(base.to_owned()))?;
        Ok(Self { http, base, bearer: None, cart: None, retries: Retries::default(), timeout: Duration::from_secs(30) })
    }

    /// Speaks for whoever holds this: the access token of a log-in, an API key, or the operator's token.
    pub fn with_bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Speaks for the guest whose cart this is the token of.
    pub fn with_cart(mut self, token: impl Into<String>) -> Self {
        self.cart = Some(token.into());
        self
    }

    pub fn with_retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// For how long an answer is waited for; 30 s unless told. Streams are not cut.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Where the server is.
    pub fn base(&self) -> &Url {
        &self.base
    }

    fn call(&self, method: Method, path: &[&str]) -> Call<'_> {
        Call::new(self, method, path)
    }
}
