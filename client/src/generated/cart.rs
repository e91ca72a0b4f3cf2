//! Of `cart`.

use reqwest::{Method, Response};

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Key, Result};

impl Client {
    /// One's cart, with today's prices and stock.
    ///
    /// `GET /api/v1/cart`
    pub async fn get_cart(&self) -> Result<Answer<Cart>> {
        self.call(Method::GET, &["api", "v1", "cart"]).cart().typed().await
    }

    /// Empties one's cart.
    ///
    /// `DELETE /api/v1/cart`
    pub async fn clear_cart(&self) -> Result<Answer<Cart>> {
        self.call(Method::DELETE, &["api", "v1", "cart"]).cart().typed().await
    }

    /// One's cart as it changes, also on another device: an event `cart` now, and one whenever it is another. The stream ends with the session.
    ///
    /// `GET /api/v1/cart/events`
    pub async fn cart_events(&self) -> Result<Response> {
        self.call(Method::GET, &["api", "v1", "cart", "events"]).cart().raw().await
    }

    /// Puts units of an article into one's cart, beside those that are there. A guest's first one makes the cart, and brings its token.
    ///
    /// `POST /api/v1/cart/items`
    pub async fn add_item(&self, key: Option<&Key>, body: &NewCartItem) -> Result<Answer<Cart>> {
        self.call(Method::POST, &["api", "v1", "cart", "items"]).cart().key(key).json(body).typed().await
    }

    /// So many units of an article that is in one's cart.
    ///
    /// `PUT /api/v1/cart/items/{sku}`
    pub async fn set_item(&self, sku: &str, body: &CartItemQuantity) -> Result<Answer<Cart>> {
        self.call(Method::PUT, &["api", "v1", "cart", "items", sku]).cart().json(body).typed().await
    }

    /// Takes an article out of one's cart.
    ///
    /// `DELETE /api/v1/cart/items/{sku}`
    pub async fn remove_item(&self, sku: &str) -> Result<Answer<Cart>> {
        self.call(Method::DELETE, &["api", "v1", "cart", "items", sku]).cart().typed().await
    }

    /// Takes the cart along that one had as a guest: its articles go into one's own, and it is gone. Doing it twice is as good as once.
    ///
    /// `POST /api/v1/cart/merge`
    pub async fn merge_cart(&self, body: &CartMerge) -> Result<Answer<Cart>> {
        self.call(Method::POST, &["api", "v1", "cart", "merge"]).json(body).typed().await
    }
}
