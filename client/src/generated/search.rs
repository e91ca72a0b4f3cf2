//! Of `search`.

use reqwest::{Body, Method};

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Searches products as the shopper types.
    ///
    /// `GET /api/v1/search`
    pub async fn search(&self, query: &SearchQuery) -> Result<Answer<SearchResults>> {
        self.call(Method::GET, &["api", "v1", "search"]).query(query.pairs()).typed().await
    }

    /// Products that look like a picture.
    ///
    /// `POST /api/v1/visual-search`
    pub async fn visual_search(&self, query: &VisualSearchQuery, media_type: &str, body: impl Into<Body>) -> Result<Answer<VisualResults>> {
        self.call(Method::POST, &["api", "v1", "visual-search"]).query(query.pairs()).body(media_type, body).typed().await
    }
}
