//! `POST /api/v1/auth/refresh`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::log_in::NOT_STORED;
use super::sessions::{self, TokenPair};
use crate::api::extract::{Body, Json};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    #[schema(max_length = 100)]
    pub refresh_token: String,
}

impl Body for Refresh {
    const MAX_BYTES: usize = 1024;
}

/// The next pair of tokens. Each refresh token is good once: if one comes a second time, its session is ended.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, body = TokenPair), (status = 401, description = "log in again", body = ProblemBody)))]
pub async fn refresh(State(app): State<App>, Json(given): Json<Refresh>) -> Result<Response> {
    Ok((NOT_STORED, axum::Json(sessions::refresh(&app.auth, &given.refresh_token).await?)).into_response())
}
