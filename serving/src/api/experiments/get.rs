//! `GET /api/v1/experiments/{key}`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::store::{self, ExperimentRecord};
use crate::api::extract::{Path, etag};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// An experiment.
#[utoipa::path(get, path = "/api/v1/experiments/{key}", tag = "experiments", params(("key" = String, Path)),
    responses((status = 200, description = "with its version as `ETag`", body = ExperimentRecord), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn get_experiment(State(app): State<App>, Path(key): Path<String>) -> Result<Response> {
    let mut connection = app.databases.flags.acquire().await?;
    let experiment = store::find(&mut connection, &key).await?;
    Ok(([(header::ETAG, etag(experiment.version))], axum::Json(experiment)).into_response())
}
