//! Orders and carts, followed while they change. What PostgreSQL holds is the independent answer.

mod carts;
mod orders;
mod redis;
mod revoked;
pub mod socket;
mod words;

use chimera_connectors::postgres_cdc::{Options, Reader};
use chimera_serving::api::access::Role;
use chimera_serving::api::live::publish;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::server::{Answer, Server, TOKEN};

/// The changelog of orders, and what tells Redis of it: what `chimera up` runs beside the API.
pub struct Changelog {
    _reader: DropGuard,
    _publisher: AbortOnDropHandle<()>,
}

impl Changelog {
    pub async fn start(server: &Server) -> Self {
        Self::start_with(server, server.app.redis.clone()).await
    }

    pub async fn start_with(server: &Server, redis: ::redis::aio::ConnectionManager) -> Self {
        let stop = CancellationToken::new();
        let database = server.app.databases.orders.connect_options();
        let mut url = database.to_url_lossy();
        url.set_query(None);
        let options = Options::new(url, "orders", &["public.orders", "public.order_items"]);
        // A server's slots are of all its databases.
        let options = Options { slot: format!("live_{}", database.get_database().unwrap()), ..options };
        let reader = Reader::start(options, server.app.log.clone(), stop.clone());
        while reader.status().lsn == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let publisher = AbortOnDropHandle::new(tokio::spawn(publish::run(vec!["orders".to_owned()], server.app.log.clone(), redis)));
        Self { _reader: stop.drop_guard(), _publisher: publisher }
    }
}

/// Somebody who has logged in.
pub struct Person<'a> {
    pub server: &'a Server,
    pub user_id: Uuid,
    pub token: String,
}

impl<'a> Person<'a> {
    pub async fn of(server: &'a Server, role: Role) -> Self {
        let user_id = server.account(role).await;
        Self { server, user_id, token: server.session(user_id, role).await }
    }

    pub async fn send(&self, method: Method, path: &str, key: &str, body: Value) -> Answer {
        Answer::of(self.server.request(method, path).bearer_auth(&self.token).header("idempotency-key", key).json(&body)).await
    }

    /// An order of one's own: three mugs, paid for elsewhere, so a program of the shop's places it.
    pub async fn order(&self, key: &str) -> Uuid {
        let order = json!({ "customer_id": self.user_id, "country": "France", "items": [{ "sku": "MUG", "quantity": 3 }] });
        let placed = self.server.request(Method::POST, "/api/v1/orders").bearer_auth(TOKEN).header("idempotency-key", key);
        let placed = Answer::of(placed.json(&order)).await;
        assert_eq!(placed.status, 201, "{}", placed.text());
        placed.json()["id"].as_str().unwrap().parse().unwrap()
    }

    /// Sends so many mugs of an order. The shipment's id.
    pub async fn ship(&self, order: Uuid, quantity: i64) -> String {
        let body = json!({ "carrier": "Royal Mail", "items": [{ "line_no": 1, "quantity": quantity }] });
        let sent = self.send(Method::POST, &format!("/api/v1/orders/{order}/shipments"), &Uuid::new_v4().to_string(), body).await.ok();
        sent["shipments"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    pub async fn deliver(&self, order: Uuid, shipment: &str) {
        self.send(Method::POST, &format!("/api/v1/orders/{order}/shipments/{shipment}/delivered"), "", json!({})).await.ok();
    }

    pub async fn put_in(&self, sku: &str, quantity: i64) {
        self.send(Method::POST, "/api/v1/cart/items", &Uuid::new_v4().to_string(), json!({ "sku": sku, "quantity": quantity })).await.ok();
    }
}

/// The statuses that an order came to, by the database.
pub async fn history(server: &Server, order: Uuid) -> Vec<String> {
    let events = sqlx::query_scalar("SELECT status FROM order_events WHERE order_id = $1 ORDER BY id");
    events.bind(order).fetch_all(&server.app.databases.orders).await.unwrap()
}
