//! The HTTP API, as a shopper's browser uses it.

use std::time::Duration;

use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

/// A request that did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not an address such as http://127.0.0.1:8080: {1}")]
    Address(String, String),
    #[error("{0} does not answer: {1}")]
    Away(String, reqwest::Error),
    #[error("{what} was answered with {status}: {detail}")]
    Refused { what: &'static str, status: StatusCode, detail: String },
    #[error("the answer to {0} is not what the API describes: {1}")]
    Answer(&'static str, String),
    #[error("the shop has no products; import some, or start it with the sample shop")]
    EmptyShop,
}

/// As much of a product as a shopper looks at.
#[derive(Clone, Debug, Deserialize)]
pub struct Product {
    pub id: String,
    pub sku: String,
    pub name: String,
    pub image_url: Option<String>,
}

/// Talks to one server, whose operator token it has; clones share its connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
}

/// What became of an order.
#[derive(Debug, PartialEq, Eq)]
pub enum Ordered {
    /// With the position token of the write.
    Placed(String),
    SoldOut,
}

impl Client {
    /// `base`: `http://127.0.0.1:8080`. `token`: the operator's; orders that nobody pays for are for the shop's own programs.
    pub fn new(base: &str, token: String) -> Result<Self, Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        let http = http.map_err(|error| Error::Away(base.to_owned(), error))?;
        Ok(Self { http, base: Url::parse(base).map_err(|error| Error::Address(base.to_owned(), error.to_string()))?, token })
    }

    /// A good part of what the shop has, to know what there is to ask for.
    pub async fn shelf(&self) -> Result<Vec<Product>, Error> {
        const PAGE: usize = 100;
        const PAGES: usize = 20;
        let mut shelf = Vec::new();
        for page in 0..PAGES {
            let found = self.search("", PAGE, page * PAGE).await?;
            let full = found.len() == PAGE;
            shelf.extend(found);
            if !full {
                break;
            }
        }
        if shelf.is_empty() { Err(Error::EmptyShop) } else { Ok(shelf) }
    }

    pub async fn search(&self, query: &str, limit: usize, offset: usize) -> Result<Vec<Product>, Error> {
        let parameters = [("q", query), ("limit", &limit.to_string()), ("offset", &offset.to_string())];
        let answer = self.json("a search", self.http.get(self.url_with("/api/v1/search", &parameters))).await?;
        products("a search", &answer["hits"])
    }

    pub async fn product(&self, id: &str) -> Result<(), Error> {
        self.json("a product", self.http.get(self.url(&format!("/api/v1/products/{id}")))).await.map(drop)
    }

    pub async fn related(&self, id: &str) -> Result<Vec<Product>, Error> {
        let answer = self
            .json("related products", self.http.get(self.url_with(&format!("/api/v1/products/{id}/related"), &[("limit", "8")])))
            .await?;
        products("related products", &answer["items"])
    }

    pub async fn feed(&self, session: &str) -> Result<Vec<Product>, Error> {
        let answer =
            self.json("the feed", self.http.get(self.url_with("/api/v1/feed", &[("session_id", session), ("limit", "12")]))).await?;
        products("the feed", &answer["items"])
    }

    pub async fn picture(&self, path: &str) -> Result<Vec<u8>, Error> {
        let answer = self.send("a picture", self.http.get(self.url(path))).await?;
        let bytes = answer.bytes().await.map_err(|error| Error::Away(self.base.to_string(), error))?;
        Ok(bytes.to_vec())
    }

    pub async fn visual_search(&self, picture: Vec<u8>) -> Result<Vec<Product>, Error> {
        let request =
            self.http.post(self.url_with("/api/v1/visual-search", &[("limit", "8")])).header("content-type", "image/jpeg").body(picture);
        let answer = self.json("a picture search", request).await?;
        products("a picture search", &answer["hits"])
    }

    pub async fn events(&self, events: &[Value]) -> Result<(), Error> {
        self.json("events", self.http.post(self.url("/api/v1/events")).json(&json!({ "events": events }))).await.map(drop)
    }

    /// Waits until the stock level includes the write at `position`.
    pub async fn stock_after(&self, sku: &str, position: &str) -> Result<(), Error> {
        let request = self.http.get(self.url_with(&format!("/api/v1/inventory/{sku}"), &[("after", position), ("wait_ms", "10000")]));
        self.json("a stock level", request).await.map(drop)
    }

    /// `key`: what makes a repeated request the same order.
    pub async fn order(&self, key: &str, order: &Value) -> Result<Ordered, Error> {
        let request = self.http.post(self.url("/api/v1/orders")).header("idempotency-key", key).bearer_auth(&self.token).json(order);
        match self.json("an order", request).await {
            Ok(answer) => match answer["position"].as_str() {
                Some(position) => Ok(Ordered::Placed(position.to_owned())),
                None => Err(Error::Answer("an order", "it has no position".to_owned())),
            },
            Err(Error::Refused { status: StatusCode::CONFLICT, .. }) => Ok(Ordered::SoldOut),
            Err(error) => Err(error),
        }
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    fn url_with(&self, path: &str, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }

    async fn send(&self, what: &'static str, request: reqwest::RequestBuilder) -> Result<Response, Error> {
        let answer = request.send().await.map_err(|error| Error::Away(self.base.to_string(), error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.text().await.unwrap_or_default();
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let detail =
            problem["detail"].as_str().or(problem["title"].as_str()).map_or_else(|| text.chars().take(200).collect(), str::to_owned);
        Err(Error::Refused { what, status, detail })
    }

    async fn json(&self, what: &'static str, request: reqwest::RequestBuilder) -> Result<Value, Error> {
        self.send(what, request).await?.json().await.map_err(|error| Error::Answer(what, error.to_string()))
    }
}

fn products(what: &'static str, list: &Value) -> Result<Vec<Product>, Error> {
    Vec::<Product>::deserialize(list).map_err(|error| Error::Answer(what, error.to_string()))
}
