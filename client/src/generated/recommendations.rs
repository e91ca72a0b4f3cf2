//! Of `recommendations`.

use reqwest::Method;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Products for a shopper.
    ///
    /// `GET /api/v1/feed`
    pub async fn get_feed(&self, query: &GetFeedQuery) -> Result<Answer<FeedResponse>> {
        self.call(Method::GET, &["api", "v1", "feed"]).query(query.pairs()).typed().await
    }
}
