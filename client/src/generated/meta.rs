//! Of `meta`.

use reqwest::{Method, Response};
use serde_json::Value;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// This API as an OpenAPI document.
    ///
    /// `GET /openapi.json`
    pub async fn get_openapi(&self) -> Result<Answer<Value>> {
        self.call(Method::GET, &["openapi.json"]).typed().await
    }

    /// What a kind of problem means and what to do about it.
    ///
    /// `GET /problems/{name}`
    pub async fn problem_page(&self, name: &str) -> Result<Response> {
        self.call(Method::GET, &["problems", name]).raw().await
    }
}
