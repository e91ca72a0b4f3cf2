//! `GET /api/v1/dlq`.

use axum::extract::State;
use chimera_connectors::dlq;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::extract::Params;
use crate::api::limit::{from, limit};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LettersQuery {
    /// The letter to begin with; 0 if not given.
    from: Option<u64>,
    /// How many letters, 1 to 1000; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct LettersResponse {
    /// Each with its `position` (by which it is replayed), where its record stands, and why it could not be taken.
    #[schema(value_type = Vec<Object>)]
    pub letters: Vec<Value>,
}

/// Dead letters that were not replayed yet, oldest first.
#[utoipa::path(get, path = "/api/v1/dlq", tag = "operations", params(LettersQuery),
    responses((status = 200, body = LettersResponse), (status = 401, body = ProblemBody)))]
pub async fn list_letters(State(app): State<App>, params: Params<LettersQuery>) -> Result<axum::Json<LettersResponse>> {
    let limit = limit(params.query.limit, 100, 1_000)?;
    let waiting = dlq::list(&*app.log, limit, from(params.query.from)?).await?;
    let letters = waiting.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    Ok(axum::Json(LettersResponse { letters }))
}
