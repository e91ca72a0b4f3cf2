//! Of `views`.

use reqwest::{Method, Response};

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Every live view.
    ///
    /// `GET /api/v1/views`
    pub async fn list_views(&self) -> Result<Answer<ViewsResponse>> {
        self.call(Method::GET, &["api", "v1", "views"]).typed().await
    }

    /// The rows of a live view.
    ///
    /// `GET /api/v1/views/{name}`
    pub async fn get_view(&self, name: &str, query: &GetViewQuery) -> Result<Answer<ViewResponse>> {
        self.call(Method::GET, &["api", "v1", "views", name]).query(query.pairs()).typed().await
    }

    /// A live view as it changes: an event `snapshot`, then an event `changes` a step. A client that is too slow gets a new `snapshot`.
    ///
    /// `GET /api/v1/views/{name}/stream`
    pub async fn stream_view(&self, name: &str, query: &StreamViewQuery) -> Result<Response> {
        self.call(Method::GET, &["api", "v1", "views", name, "stream"]).query(query.pairs()).raw().await
    }
}
