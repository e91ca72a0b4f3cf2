//! `GET /api/v1/stores`.

use axum::extract::State;
use serde::Serialize;

use super::status::StoreStatus;
use crate::api::problem::ProblemBody;
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct StoresResponse {
    pub stores: Vec<StoreStatus>,
}

/// Every derived store, with its age and its throughput.
#[utoipa::path(get, path = "/api/v1/stores", tag = "operations", responses((status = 200, body = StoresResponse), (status = 401,
        body = ProblemBody)))]
pub async fn list_stores(State(app): State<App>) -> axum::Json<StoresResponse> {
    axum::Json(StoresResponse { stores: app.stores.stores() })
}
