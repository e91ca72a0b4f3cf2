//! `POST /api/v1/dlq/replay`.

use axum::extract::State;
use chimera_connectors::dlq::{self, Selection};
use serde::{Deserialize, Serialize};

use crate::api::extract::{Body, Json, invalid};
use crate::api::limit::MAX_OFFSET;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// Which letters: one of the three.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Positions of letters.
    letters: Option<Vec<u64>>,
    /// Every letter of this topic.
    topic: Option<String>,
    /// Every letter.
    #[serde(default)]
    all: bool,
}

impl Body for ReplayRequest {
    const MAX_BYTES: usize = 256 * 1024;
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ReplayResponse {
    pub replayed: u64,
    /// Letters that stay, and why.
    pub refused: Vec<Refused>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Refused {
    pub position: u64,
    pub reason: String,
}

/// Puts records back into the topics that they came from, each once, for the tables that had put them aside. One that fails again becomes a
/// new letter.
#[utoipa::path(post, path = "/api/v1/dlq/replay", tag = "operations", request_body = ReplayRequest,
    responses((status = 200, body = ReplayResponse), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn replay_letters(State(app): State<App>, Json(request): Json<ReplayRequest>) -> Result<axum::Json<ReplayResponse>> {
    let selection = match request {
        ReplayRequest { letters: Some(positions), .. } if positions.iter().any(|position| *position > MAX_OFFSET) => {
            return Err(invalid("letters", format!("positions go to {MAX_OFFSET}")));
        }
        ReplayRequest { letters: Some(positions), topic: None, all: false } => Selection::Positions(positions),
        ReplayRequest { letters: None, topic: Some(topic), all: false } => Selection::Topic(topic),
        ReplayRequest { letters: None, topic: None, all: true } => Selection::All,
        _ => return Err(Problem::new(&kinds::INVALID_BODY, "Say which letters: one of `letters`, `topic` or `\"all\": true`.")),
    };
    let replay = dlq::replay(&*app.log, &selection).await?;
    let refused = replay.refused.into_iter().map(|(position, reason)| Refused { position, reason }).collect();
    Ok(axum::Json(ReplayResponse { replayed: replay.replayed, refused }))
}
