//! GraphQL. What REST answers to the same question is the independent answer.

mod limits;
mod loads;
mod mutations;
mod queries;
mod who;

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::reads::{NAMES, filled, id};
use super::server::{Answer, Server};

const PATH: &str = "/api/v1/graphql";

/// Somebody who asks.
pub struct Asker<'a> {
    server: &'a Server,
    bearer: Option<String>,
    cart: Option<String>,
}

impl<'a> Asker<'a> {
    fn guest(server: &'a Server) -> Self {
        Self { server, bearer: None, cart: None }
    }

    async fn of(server: &'a Server, role: Role) -> Self {
        let user_id = server.account(role).await;
        Self { bearer: Some(server.session(user_id, role).await), ..Self::guest(server) }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let mut request = self.server.request(method, path).json(body);
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(cart) = &self.cart {
            request = request.header("chimera-cart", cart);
        }
        Answer::of(request).await
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, &json!({})).await.ok()
    }

    /// The whole answer.
    async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.send(Method::POST, PATH, &json!({ "query": query, "variables": variables })).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.ok()
    }

    /// The data of an answer without errors.
    async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{query}");
        answer["data"].take()
    }

    /// The extensions of the one error.
    async fn refused(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{query}: {answer}");
        let mut error = answer["errors"][0].take();
        assert_eq!(error["extensions"]["detail"], error["message"]);
        error["extensions"].take()
    }
}

/// A shop whose catalogue has what its stores have, with categories, brands and stock.
async fn shop() -> Option<Server> {
    let server = filled().await?;
    let catalog = &server.app.databases.catalog;
    sqlx::raw_sql(
        "INSERT INTO brands (name) VALUES ('Dear'), ('Cheap');
         INSERT INTO categories (name) VALUES ('Home');
         INSERT INTO categories (name, parent_id) SELECT category, id FROM categories, unnest(ARRAY['Lights', 'Kitchen', 'Bags']) AS category",
    )
    .execute(catalog)
    .await
    .unwrap();
    for (sku, name, category, cents, ..) in NAMES {
        sqlx::query(
            "INSERT INTO products (id, sku, name, base_price_cents, category_id, brand_id)
             SELECT $1, $2, $3, $4, categories.id, brands.id FROM categories, brands
             WHERE categories.name = $5 AND brands.name = CASE WHEN $4 > 1000 THEN 'Dear' ELSE 'Cheap' END",
        )
        .bind(id(sku))
        .bind(sku)
        .bind(name)
        .bind(cents)
        .bind(category)
        .execute(catalog)
        .await
        .unwrap();
        sqlx::query("INSERT INTO received VALUES ($1, 100)").bind(sku).execute(&server.app.databases.orders).await.unwrap();
    }
    Some(server)
}
