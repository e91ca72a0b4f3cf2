//! `GET /api/v1/pipelines/{name}`.

use axum::extract::State;
use chimera_pipelines::ViewError;
use serde::Serialize;

use super::Pipeline;
use crate::api::extract::Path;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct PipelineResponse {
    #[serde(flatten)]
    pub pipeline: Pipeline,
    /// The text that it is made by.
    pub sql: String,
    /// Its operators, what each keeps, and what that grows with; null where it cannot be planned.
    pub plan: Option<String>,
}

/// A pipeline: how it does, its text and its plan.
#[utoipa::path(get, path = "/api/v1/pipelines/{name}", tag = "operations",
    params(("name" = String, Path, description = "such as `sales`, or `mine.top` for a view that was created")),
    responses((status = 200, body = PipelineResponse), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_pipeline(State(app): State<App>, Path(name): Path<String>) -> Result<axum::Json<PipelineResponse>> {
    let found = app.ask_engine(move |engine| {
        let report = engine.reports().into_iter().find(|report| report.name == name);
        let (report, sql) = report.zip(engine.definition(&name)).ok_or(ViewError::Unknown(name.clone()))?;
        let plan = engine.program(&name).ok().map(|program| program.explain());
        Ok::<_, ViewError>(PipelineResponse { pipeline: report.into(), sql, plan })
    });
    Ok(axum::Json(found.await??))
}
