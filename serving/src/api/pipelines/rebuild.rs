//! `POST /api/v1/pipelines/{name}/rebuild`.

use axum::extract::State;
use axum::http::StatusCode;
use chimera_pipelines::Actor;
use serde::Serialize;

use crate::api::extract::Path;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct RebuildResponse {
    /// The view that is being built anew. Until it has caught up, the one that was there is read.
    pub rebuilding: String,
}

/// Builds a created view anew from the log, in the shadow of the one that is read; it takes its place in one moment.
#[utoipa::path(post, path = "/api/v1/pipelines/{name}/rebuild", tag = "operations",
    params(("name" = String, Path, description = "such as `mine.top`")),
    responses((status = 202, body = RebuildResponse), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn rebuild_pipeline(State(app): State<App>, Path(name): Path<String>) -> Result<(StatusCode, axum::Json<RebuildResponse>)> {
    app.engine()?.rebuild_view(&name, Actor { name: "operator", owns_all: true }).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(RebuildResponse { rebuilding: name })))
}
