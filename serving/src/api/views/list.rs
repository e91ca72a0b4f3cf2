//! `GET /api/v1/views`.

use axum::extract::State;
use serde::Serialize;

use super::ViewDescription;
use crate::api::problem::ProblemBody;
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct ViewsResponse {
    pub views: Vec<ViewDescription>,
}

/// Every live view.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", responses((status = 200, body = ViewsResponse), (status = 401,
        body = ProblemBody)))]
pub async fn list_views(State(app): State<App>) -> axum::Json<ViewsResponse> {
    axum::Json(ViewsResponse { views: app.connectors.views.list().into_iter().map(ViewDescription::from).collect() })
}
