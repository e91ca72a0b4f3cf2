//! `GET /api/v1/auth/sessions` and `DELETE /api/v1/auth/sessions/{session_id}`.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::sessions::{self, Ended, EndedBy};
use crate::api::access;
use crate::api::extract::Path;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Sessions {
    /// The one that asks.
    pub current: Uuid,
    /// The last used first, at most 100.
    pub sessions: Vec<sessions::Session>,
}

/// Where one is logged in.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "auth", responses((status = 200, body = Sessions), (status = 401, body = ProblemBody)))]
pub async fn list_sessions(State(app): State<App>, session: access::Session) -> Result<axum::Json<Sessions>> {
    let sessions = sessions::list(&app.auth.pool, session.user_id).await?;
    Ok(axum::Json(Sessions { current: session.session_id, sessions }))
}

/// Ends one of one's sessions.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{session_id}", tag = "auth", params(("session_id" = Uuid, Path)),
    responses((status = 204, description = "the session has ended"), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn end_session(State(app): State<App>, session: access::Session, Path(session_id): Path<Uuid>) -> Result<StatusCode> {
    match sessions::end(&app.auth, session.user_id, Ended::One(session_id), EndedBy::Logout).await? {
        0 => Err(Problem::new(&kinds::SESSION_NOT_FOUND, format!("You have no session {session_id}, or it has ended."))),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
