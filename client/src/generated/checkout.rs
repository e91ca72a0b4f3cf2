//! Of `checkout`.

use reqwest::Method;
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Key, Result};

impl Client {
    /// Buys what is in the cart: holds the articles, has the money set aside, writes the order, takes the money, empties the cart. All of it, or
    /// nothing.
    ///
    /// Sent again with the same key it is the same purchase: its answer comes again, or is waited for.
    ///
    /// `POST /api/v1/checkout`
    pub async fn create_checkout(&self, key: &Key, body: &NewCheckout) -> Result<Answer<CheckoutResponse>> {
        self.call(Method::POST, &["api", "v1", "checkout"]).key(Some(key)).cart().json(body).typed().await
    }

    /// How far a purchase of one's own is. One that came to nothing is answered with the problem that it met.
    ///
    /// `GET /api/v1/checkout/{id}`
    pub async fn get_checkout(&self, id: Uuid) -> Result<Answer<CheckoutResponse>> {
        self.call(Method::GET, &["api", "v1", "checkout", &id.to_string()]).cart().typed().await
    }
}
