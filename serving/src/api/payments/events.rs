//! `POST /api/v1/payments/events`: what the provider tells of its own accord.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderName, StatusCode};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::payment::record;
use super::provider::Standing;
use super::signature;
use crate::api::access::Access;
use crate::api::checkout;
use crate::api::extract::check_length;
use crate::api::problem::{Problem, ProblemBody, Result, body_problem, kinds};
use crate::api::rate_limit::{self, Sender};
use crate::api::state::App;
use crate::shop::databases::begin;

/// In which an event is signed.
pub const SIGNATURE: HeaderName = HeaderName::from_static("provider-signature");
const MAX_BYTES: usize = 16 * 1024;

/// A payment is somewhere else than it was.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PaymentEvent)]
pub struct Event {
    /// The same when it is told again.
    #[schema(max_length = 100)]
    pub id: String,
    pub payment_id: Uuid,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub standing: Standing,
}

/// Told by the payment provider, and signed by it. Events may come late, twice and in any order.
#[utoipa::path(post, path = "/api/v1/payments/events", tag = "payments", request_body = Event,
    params(("provider-signature" = String, Header, description = "`t=<seconds>,v1=<hex of HMAC-SHA-256>`")),
    responses((status = 204, description = "noted"), (status = 400, description = "not signed by the provider", body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn receive_event(State(app): State<App>, request: Request) -> Result<StatusCode> {
    let sender = request.extensions().get::<Sender>().copied();
    let mut request = check_length(request, MAX_BYTES).await?;
    DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
    let header = request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = Bytes::from_request(request, &app).await.map_err(|rejection| body_problem(rejection, MAX_BYTES))?;
    if !signature::is_good(&app.payment_secret, &header, &body, Utc::now().timestamp()) {
        if let Some(sender) = sender {
            rate_limit::count(&app, &sender, Access::Entrance, None).await?;
        }
        return Err(Problem::new(
            &kinds::BAD_SIGNATURE,
            "The header `provider-signature` is not the provider's, or is older than five minutes.",
        ));
    }
    let event: Event = serde_json::from_slice(&body).map_err(|error| Problem::new(&kinds::INVALID_BODY, format!("{error}.")))?;
    if event.id.is_empty() || event.id.len() > 100 {
        return Err(Problem::new(&kinds::INVALID_BODY, "`id`: this has 1 to 100 characters."));
    }
    if note(&app, &event).await? {
        checkout::wake(&app, event.payment_id);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the event is new, and tells something new. A row of its own before the payment: of two that tell the same, one waits and is late.
async fn note(app: &App, event: &Event) -> Result<bool> {
    let mut transaction = begin(&app.databases.payments).await?;
    let inserted = sqlx::query("INSERT INTO provider_events (id, payment_id, status) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(&event.id)
        .bind(event.payment_id)
        .bind(event.standing.status)
        .execute(&mut *transaction)
        .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    let is_new = record(&mut *transaction, event.payment_id, &event.standing).await?;
    transaction.commit().await?;
    Ok(is_new)
}

/// Forgets events that no provider sends again.
pub async fn sweep(app: &App) -> Result<()> {
    sqlx::query("DELETE FROM provider_events WHERE received_at < now() - interval '30 days'").execute(&app.databases.payments).await?;
    Ok(())
}
