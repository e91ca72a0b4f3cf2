//! `GET /api/v1/pipelines/{name}/graph`.

use axum::extract::State;
use chimera_sql::GraphNode;
use serde::Serialize;

use crate::api::extract::Path;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct GraphResponse {
    /// Each with `id`, `kind` (`source`, `operator` or `store`), `label`, and `keeps`: what it keeps, and what that grows with.
    #[schema(value_type = Vec<Object>)]
    pub nodes: Vec<GraphNode>,
    /// Pairs of ids: the one that is read, the one that reads it.
    #[schema(value_type = Vec<Vec<String>>)]
    pub edges: Vec<(String, String)>,
}

/// A pipeline's dataflow: sources, operators, stores.
#[utoipa::path(get, path = "/api/v1/pipelines/{name}/graph", tag = "operations",
    params(("name" = String, Path, description = "such as `sales`, or `mine.top` for a view that was created")),
    responses((status = 200, body = GraphResponse), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn pipeline_graph(State(app): State<App>, Path(name): Path<String>) -> Result<axum::Json<GraphResponse>> {
    let graph = app.ask_engine(move |engine| engine.program(&name).map(|program| program.graph())).await??;
    Ok(axum::Json(GraphResponse { nodes: graph.nodes, edges: graph.edges }))
}
