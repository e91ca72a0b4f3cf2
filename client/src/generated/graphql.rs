//! Of `graphql`.

use reqwest::{Method, Response};

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Runs a GraphQL query or mutation, for whoever asks. What is wrong with the query, or with what it asks for, stands in `errors`.
    ///
    /// `POST /api/v1/graphql`
    pub async fn run_query(&self, body: &GraphqlRequest) -> Result<Answer<GraphqlAnswer>> {
        self.call(Method::POST, &["api", "v1", "graphql"]).cart().json(body).typed().await
    }

    /// The GraphQL schema, in its own language.
    ///
    /// `GET /api/v1/graphql/schema`
    pub async fn get_schema(&self) -> Result<Response> {
        self.call(Method::GET, &["api", "v1", "graphql", "schema"]).raw().await
    }

    /// GraphQL subscriptions, over graphql-transport-ws. Who has no header `authorization` sends it in the payload of `connection_init`.
    ///
    /// `GET /api/v1/graphql/ws`
    pub async fn subscribe(&self) -> Result<Answer<()>> {
        self.call(Method::GET, &["api", "v1", "graphql", "ws"]).empty().await
    }
}
