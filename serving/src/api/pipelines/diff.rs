//! `POST /api/v1/pipelines/{name}/diff`.

use axum::extract::State;
use chimera_pipelines::StoreDiff;
use serde::{Deserialize, Serialize};

use crate::api::extract::{Body, Json, Path};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Another text of the pipeline.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    sql: String,
}

impl Body for DiffRequest {
    const MAX_BYTES: usize = 1024 * 1024;
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct DiffResponse {
    /// Whether the pipeline, and all of its stores, would be built anew.
    pub is_rebuilt: bool,
    /// Each with `store` and `change`: `added`, `removed`, `changed` (computed in another way) or `same`.
    #[schema(value_type = Vec<Object>)]
    pub stores: Vec<StoreDiff>,
    /// The lines of both plans, with `- ` before those that go and `+ ` before those that come.
    pub plan: Vec<String>,
}

/// What would change if a text became that of the pipeline. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/pipelines/{name}/diff", tag = "operations", request_body = DiffRequest,
    params(("name" = String, Path, description = "such as `sales`, or `mine.top` for a view that was created")),
    responses((status = 200, body = DiffResponse), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn diff_pipeline(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(request): Json<DiffRequest>,
) -> Result<axum::Json<DiffResponse>> {
    let diff = app.ask_engine(move |engine| engine.diff(&name, &request.sql)).await??;
    Ok(axum::Json(DiffResponse { is_rebuilt: diff.is_rebuilt, stores: diff.stores, plan: diff.plan }))
}
