//! `POST /api/v1/auth/logout`.

use axum::extract::State;
use axum::http::StatusCode;

use super::sessions::{self, Ended, EndedBy};
use crate::api::access::Session;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Ends the session that the access token belongs to, and its refresh token with it.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth",
    responses((status = 204, description = "the session has ended"), (status = 401, body = ProblemBody)))]
pub async fn log_out(State(app): State<App>, session: Session) -> Result<StatusCode> {
    sessions::end(&app.auth, session.user_id, Ended::One(session.session_id), EndedBy::Logout).await?;
    Ok(StatusCode::NO_CONTENT)
}
