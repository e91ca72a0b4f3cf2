//! `POST /api/v1/graphql`.

use async_graphql::{Request, Response as Answer, Variables};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::check::{Operation, check};
use super::toll::Toll;
use super::{Asker, refused, run};
use crate::api::access::{Access, Caller};
use crate::api::extract::{Body, Json};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::rate_limit::{self, Sender};
use crate::api::state::App;

/// One query or mutation. Several in one request are not taken.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraphqlRequest {
    #[schema(example = "{ searchProducts(query: \"mug\", first: 3) { id name basePrice currency } }")]
    pub query: String,
    /// Which to run, if there are several in `query`.
    pub operation_name: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub variables: Option<Map<String, Value>>,
    /// Not looked at; some clients send it.
    #[schema(value_type = Option<Object>)]
    pub extensions: Option<Map<String, Value>>,
}

impl Body for GraphqlRequest {
    const MAX_BYTES: usize = 32 * 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("A request is `query`, `variables` and `operationName`.");
}

/// The answer to a GraphQL request.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)]
pub struct GraphqlAnswer {
    /// What was asked for; null if nothing could be answered.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
    /// Each with the members of a problem document in `extensions`.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Vec<Value>>,
}

/// Runs a GraphQL query or mutation, for whoever asks. What is wrong with the query, or with what it asks for, stands in `errors`.
#[utoipa::path(post, path = "/api/v1/graphql", tag = "graphql", request_body = GraphqlRequest,
    params(("chimera-cart" = Option<String>, Header, description = "of a guest"),
        ("chimera-after" = Option<String>, Header, description = "a position that reads have to include")),
    responses((status = 200, body = GraphqlAnswer), (status = 400, body = ProblemBody), (status = 403, description = "the API key is for reading",
        body = ProblemBody), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub async fn run_query(
    State(app): State<App>,
    caller: Option<Extension<Caller>>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    Json(wanted): Json<GraphqlRequest>,
) -> Result<Response> {
    let caller = caller.map(|Extension(caller)| caller);
    let mut request = wanted.read();
    let operation = check(&mut request);
    let reads = !matches!(operation, Ok(Operation::Mutation));
    let sender = sender.that_reads(reads);
    rate_limit::count(&app, &sender, Access::Public, caller.as_ref()).await?;
    let asker = Asker::new(app, caller, &headers)?;
    let answer: Answer = match operation {
        Ok(Operation::Mutation) if asker.caller.as_ref().is_some_and(|caller| caller.is_read_only) => {
            return Err(Problem::new(&kinds::FORBIDDEN, "The API key is for reading; this is a mutation."));
        }
        Ok(operation @ (Operation::Query | Operation::Mutation)) => {
            let toll = Toll::new(sender, operation);
            let answer = run(asker, request.data(toll.clone())).await;
            if let Some(problem) = toll.refusal() {
                return Err(problem);
            }
            answer
        }
        Ok(Operation::Subscription) => {
            refused(Problem::new(&kinds::BAD_QUERY, "Subscriptions are opened at GET /api/v1/graphql/ws, over graphql-transport-ws."))
        }
        Err(problem) => refused(problem),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response())
}

impl GraphqlRequest {
    pub fn read(self) -> Request {
        let mut request = Request::new(self.query);
        if let Some(name) = self.operation_name {
            request = request.operation_name(name);
        }
        request.variables(Variables::from_json(Value::Object(self.variables.unwrap_or_default())))
    }
}
