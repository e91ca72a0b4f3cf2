//! Of `payments`.

use reqwest::Method;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Told by the payment provider, and signed by it. Events may come late, twice and in any order.
    ///
    /// `POST /api/v1/payments/events`
    pub async fn receive_event(&self, provider_signature: &str, body: &PaymentEvent) -> Result<Answer<()>> {
        self.call(Method::POST, &["api", "v1", "payments", "events"])
            .header("provider-signature", &provider_signature)
            .json(body)
            .empty()
            .await
    }
}
