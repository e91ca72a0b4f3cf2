//! The provider's own HTTP.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::SimulatedProvider;
use super::behaviour::Behaviour;
use super::books::{self, Failure};
use crate::api::payments::provider::{Charge, Standing};

/// Longer than anybody waits.
const SLOW: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refund {
    amount_cents: i64,
}

type Answer = Result<Json<Standing>, Failure>;

pub fn router(provider: SimulatedProvider) -> Router {
    Router::new()
        .route("/payments/{id}", put(authorise).get(standing))
        .route("/payments/{id}/capture", put(capture))
        .route("/payments/{id}/void", put(void))
        .route("/payments/{id}/refunds/{refund}", put(refund))
        .route("/", get(|| async { "The simulated payment provider." }))
        .layer(from_fn_with_state(provider.clone(), known_shop))
        .layer(DefaultBodyLimit::max(4096))
        .with_state(provider)
}

async fn known_shop(State(provider): State<SimulatedProvider>, request: Request, next: Next) -> Response {
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    // Hashes are compared: how long it takes says nothing of the secret.
    let is_known = bearer.is_some_and(|bearer| blake3::hash(bearer.as_bytes()) == blake3::hash(provider.secret.as_bytes()));
    if is_known { next.run(request).await } else { StatusCode::UNAUTHORIZED.into_response() }
}

async fn authorise(State(provider): State<SimulatedProvider>, Path(id): Path<Uuid>, Json(charge): Json<Charge>) -> Answer {
    let (is_new, standing) = books::authorise(&provider, id, &charge).await?;
    if is_new && Behaviour::of(&charge.token) == Some(Behaviour::Slow) {
        tokio::time::sleep(SLOW).await;
    }
    Ok(Json(standing))
}

async fn standing(State(provider): State<SimulatedProvider>, Path(id): Path<Uuid>) -> Answer {
    Ok(Json(books::standing(&provider.pool, id).await?))
}

async fn capture(State(provider): State<SimulatedProvider>, Path(id): Path<Uuid>) -> Answer {
    Ok(Json(books::capture(&provider.pool, id).await?))
}

async fn void(State(provider): State<SimulatedProvider>, Path(id): Path<Uuid>) -> Answer {
    Ok(Json(books::void(&provider.pool, id).await?))
}

async fn refund(State(provider): State<SimulatedProvider>, Path((id, refund)): Path<(Uuid, Uuid)>, Json(wanted): Json<Refund>) -> Answer {
    Ok(Json(books::refund(&provider.pool, id, refund, wanted.amount_cents).await?))
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(code, message) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "code": code, "message": message }))).into_response()
            }
            Self::Database(error) => {
                tracing::debug!(%error, "the simulated payment provider cannot reach its books");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}
