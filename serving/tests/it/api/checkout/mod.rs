//! From a cart to an order that is paid for. What the payment provider has in its books is the independent answer.

mod breaks;
mod crowd;
mod events;
mod flow;
mod orders;
mod refusals;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Answer, Server};
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
        Self { server, cart: None, bearer: Some(server.session(user_id, Role::Shopper).await) }
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

/// What has to hold when no purchase is on its way, of all databases together.
pub async fn check_books(server: &Server) {
    let databases = &server.app.databases;
    let open: i64 = count(&databases.orders, "SELECT count(*) FROM checkouts WHERE state NOT IN ('completed', 'failed')").await;
    assert_eq!(open, 0, "purchases are on their way");
    assert_eq!(count(&databases.orders, "SELECT count(*) FROM reservations").await, 0, "units are held for nobody");
    let wrong =
        "SELECT count(*) FROM allocations FULL JOIN (SELECT sku, sum(quantity) AS units FROM order_items GROUP BY sku) AS lines USING (sku)
                 WHERE coalesce(quantity, 0) <> coalesce(units, 0)";
    assert_eq!(count(&databases.orders, wrong).await, 0, "more or less is promised than orders have");
    let oversold = "SELECT count(*) FROM allocations JOIN received USING (sku) WHERE allocations.quantity > received.quantity";
    assert_eq!(count(&databases.orders, oversold).await, 0, "oversold");

    // Every order's money, by the shop and by the provider.
    let orders: Vec<(Uuid, String, i64, i64)> = sqlx::query_as(
        "SELECT id, status, total_cents, (SELECT coalesce(sum(amount_cents), 0)::bigint FROM refunds WHERE order_id = orders.id AND done_at IS NOT NULL)
         FROM orders WHERE total_cents > 0",
    )
    .fetch_all(&databases.orders)
    .await
    .unwrap();
    let movements: Vec<(Uuid, i64, i64, i64)> = sqlx::query_as(
        "SELECT payment_id, count(*) FILTER (WHERE kind = 'capture'), coalesce(sum(amount_cents) FILTER (WHERE kind = 'capture'), 0)::bigint,
             coalesce(sum(amount_cents) FILTER (WHERE kind = 'refund'), 0)::bigint FROM movements GROUP BY payment_id",
    )
    .fetch_all(&databases.simulated_provider)
    .await
    .unwrap();
    for (id, captures, taken, given) in &movements {
        let order = orders.iter().find(|(order, ..)| order == id).expect("money was taken without an order");
        assert_eq!((*captures, *taken), (1, order.2), "order {id} was paid for otherwise than once");
        assert_eq!(*given, order.3, "order {id} was refunded otherwise");
    }
    for (id, status, ..) in &orders {
        let is_paid = movements.iter().any(|(payment, ..)| payment == id);
        assert!(is_paid || status == "cancelled", "order {id} is {status}, and nobody paid");
    }
    let held = "SELECT count(*) FROM payments WHERE status IN ('authorised', 'pending')";
    assert_eq!(count(&databases.simulated_provider, held).await, 0, "money is set aside for nothing");
}

pub async fn count(pool: &sqlx::PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}
