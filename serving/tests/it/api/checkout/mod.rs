//! From a cart to an order that is paid for. What the payment provider has in its books is the independent answer.

mod breaks;
mod crowd;
mod events;
pub mod flow;
mod orders;
mod refusals;

use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, Server};
use crate::books;
pub use crate::books::count;
use chimera_serving::api::access::Role;

/// Somebody with a cart.
pub struct Shopper<'a> {
    server: &'a Server,
    /// Of a guest, once there is a cart.
    cart: Option<String>,
    /// Of an account.
    bearer: Option<String>,
}

impl<'a> Shopper<'a> {
    pub fn guest(server: &'a Server) -> Self {
        Self { server, cart: None, bearer: None }
    }

    pub async fn account(server: &'a Server) -> Self {
        let user_id = server.account(Role::Shopper).await;
        Self::of(server, server.session(user_id, Role::Shopper).await)
    }

    /// Somebody who has logged in.
    pub fn of(server: &'a Server, bearer: String) -> Self {
        Self { server, cart: None, bearer: Some(bearer) }
    }

    pub async fn send(&self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = self.server.request(method, path);
        if let Some(cart) = &self.cart {
            request = request.header("chimera-cart", cart);
        }
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::of(if let Some(body) = body { request.json(body) } else { request }).await
    }

    pub async fn put_in(&mut self, sku: &str, quantity: i64) {
        let body = json!({ "sku": sku, "quantity": quantity });
        let cart = self.send(Method::POST, "/api/v1/cart/items", None, Some(&body)).await.ok();
        if let Some(token) = cart["guest_token"].as_str() {
            self.cart = Some(token.to_owned());
        }
    }

    pub async fn cart(&self) -> Value {
        self.send(Method::GET, "/api/v1/cart", None, None).await.ok()
    }

    pub async fn buy(&self, key: &str, token: &str) -> Answer {
        self.send(Method::POST, "/api/v1/checkout", Some(key), Some(&purchase(token))).await
    }

    /// The answer once it is decided: an order, or a problem.
    pub async fn bought(&self, key: &str, token: &str) -> Answer {
        loop {
            let answer = self.buy(key, token).await;
            if answer.status != 202 {
                return answer;
            }
        }
    }
}

pub fn purchase(token: &str) -> Value {
    json!({ "email": "ada@example.com", "payment_token": token, "shipping_address": {
        "recipient": "Ada Lovelace", "address_line_1": "12 St James's Square", "city": "London", "postal_code": "SW1Y 4LE",
        "country": "United Kingdom" } })
}

/// What has to hold when no purchase is on its way.
pub async fn check_books(server: &Server) {
    books::check(&server.app.databases).await;
}
