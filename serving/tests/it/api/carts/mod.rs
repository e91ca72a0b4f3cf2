//! Carts: what is put in is there, once, and what is shown is what the database has.

mod bought;
mod copies;
mod merging;
mod races;
mod shopping;
mod upkeep;

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::server::{Answer, Server, as_owner};

const CART: &str = "/api/v1/cart";
const ITEMS: &str = "/api/v1/cart/items";
const MERGE: &str = "/api/v1/cart/merge";

/// Who asks.
#[derive(Clone, Debug)]
enum Shopper {
    New,
    /// By the token of a cart.
    Guest(String),
    /// By an access token.
    User(Uuid, String),
}

impl Shopper {
    async fn account(server: &Server) -> Self {
        let user_id = server.account(Role::Shopper).await;
        Self::User(user_id, server.session(user_id, Role::Shopper).await)
    }

    /// A guest who has put an article in.
    async fn guest(server: &Server, sku: &str, quantity: i64) -> Self {
        let made = Self::New.add(server, sku, quantity).await.ok();
        Self::Guest(made["guest_token"].as_str().unwrap().to_owned())
    }

    fn token(&self) -> &str {
        match self {
            Self::Guest(token) | Self::User(_, token) => token,
            Self::New => panic!("nobody has no token"),
        }
    }

    fn request(&self, server: &Server, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = server.request(method, path);
        match self {
            Self::New => request,
            Self::Guest(token) => request.header("chimera-cart", token),
            Self::User(_, token) => request.bearer_auth(token),
        }
    }

    async fn cart(&self, server: &Server) -> Value {
        Answer::of(self.request(server, Method::GET, CART)).await.ok()
    }

    async fn add(&self, server: &Server, sku: &str, quantity: i64) -> Answer {
        Answer::of(self.request(server, Method::POST, ITEMS).json(&json!({ "sku": sku, "quantity": quantity }))).await
    }

    async fn add_once(&self, server: &Server, sku: &str, quantity: i64, key: &str) -> Answer {
        let request = self.request(server, Method::POST, ITEMS).header("idempotency-key", key);
        Answer::of(request.json(&json!({ "sku": sku, "quantity": quantity }))).await
    }

    async fn set(&self, server: &Server, sku: &str, quantity: i64) -> Answer {
        Answer::of(self.request(server, Method::PUT, &format!("{ITEMS}/{sku}")).json(&json!({ "quantity": quantity }))).await
    }

    async fn remove(&self, server: &Server, sku: &str) -> Answer {
        Answer::of(self.request(server, Method::DELETE, &format!("{ITEMS}/{sku}"))).await
    }

    async fn merge(&self, server: &Server, guest: &Shopper) -> Answer {
        Answer::of(self.request(server, Method::POST, MERGE).json(&json!({ "guest_token": guest.token() }))).await
    }
}

/// SKUs and quantities of a cart as it is shown.
fn units(cart: &Value) -> Vec<(String, i64)> {
    let items = cart["items"].as_array().unwrap().iter();
    items.map(|item| (item["sku"].as_str().unwrap().to_owned(), item["quantity"].as_i64().unwrap())).collect()
}

fn of(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(sku, quantity)| ((*sku).to_owned(), *quantity)).collect()
}

/// SKUs and quantities of all carts together, by the database itself.
async fn kept(server: &Server) -> Vec<(String, i64)> {
    let sums = "SELECT sku, sum(quantity)::bigint FROM cart_items GROUP BY sku ORDER BY sku COLLATE \"C\"";
    sqlx::query_as(sums).fetch_all(&server.app.databases.carts).await.unwrap()
}

async fn count(server: &Server, table: &str) -> i64 {
    let statement = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(statement).fetch_one(&server.app.databases.carts).await.unwrap()
}

async fn carts_sql(server: &Server, statement: &str) {
    as_owner(&server.app.databases.carts, statement).await;
}

async fn catalog_sql(server: &Server, statement: &str) {
    as_owner(&server.app.databases.catalog, statement).await;
}
