//! Of `events`.

use reqwest::Method;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Takes a batch of events. When the answer is 202 all of them are on disk; when it is an error none is kept.
    ///
    /// `POST /api/v1/events`
    pub async fn create_events(&self, body: &NewEvents) -> Result<Answer<EventsResponse>> {
        self.call(Method::POST, &["api", "v1", "events"]).json(body).typed().await
    }
}
