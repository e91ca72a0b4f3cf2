//! `GET /api/v1/pipelines`.

use axum::extract::State;
use serde::Serialize;

use super::Pipeline;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct PipelinesResponse {
    pub pipelines: Vec<Pipeline>,
}

/// Every pipeline, with how far it is and what its state takes.
#[utoipa::path(get, path = "/api/v1/pipelines", tag = "operations",
    responses((status = 200, body = PipelinesResponse), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn list_pipelines(State(app): State<App>) -> Result<axum::Json<PipelinesResponse>> {
    let reports = app.ask_engine(|engine| engine.reports()).await?;
    Ok(axum::Json(PipelinesResponse { pipelines: reports.into_iter().map(Pipeline::from).collect() }))
}
