//! `POST /api/v1/auth/verify-email` and `POST /api/v1/auth/verify-email/resend`.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::account;
use super::email::Email;
use super::one_time::{self, Purpose};
use super::outbox::{self, Topic};
use crate::api::access::Session;
use crate::api::extract::{Body, Json};
use crate::api::problem::{Problem, ProblemBody, Result};
use crate::api::state::App;
use crate::shop::databases::begin;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// From the message.
    #[schema(max_length = 100)]
    pub token: String,
}

impl Body for Verification {
    const MAX_BYTES: usize = 1024;
}

/// Shows that the account's address is its owner's.
#[utoipa::path(post, path = "/api/v1/auth/verify-email", tag = "auth", request_body = Verification,
    responses((status = 204, description = "the address is verified"), (status = 400, description = "the token is not good", body = ProblemBody)))]
pub async fn verify_email(State(app): State<App>, Json(given): Json<Verification>) -> Result<StatusCode> {
    let mut transaction = begin(&app.auth.pool).await?;
    let (user_id, email) = one_time::take(&mut transaction, &given.token, Purpose::VerifyEmail).await?;
    // The address may have been changed since.
    sqlx::query("UPDATE credentials SET email_verified_at = coalesce(email_verified_at, now()), updated_at = now() WHERE user_id = $1 AND email = $2")
        .bind(user_id)
        .bind(email)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends the message again, if the address is not verified yet and a minute has gone by; the token of the one before is good no more.
#[utoipa::path(post, path = "/api/v1/auth/verify-email/resend", tag = "auth",
    responses((status = 202, description = "the message is on its way"), (status = 401, body = ProblemBody)))]
pub async fn resend_verification(State(app): State<App>, session: Session) -> Result<StatusCode> {
    let account = account::shown(&app.auth.pool, session.user_id).await?;
    if account.email_verified_at.is_none() {
        let email = Email::parse(&account.email).map_err(Problem::internal)?;
        let mut transaction = begin(&app.auth.pool).await?;
        if one_time::is_recent(&mut transaction, session.user_id, Purpose::VerifyEmail).await? {
            return Ok(StatusCode::ACCEPTED);
        }
        let token = one_time::make(&mut transaction, session.user_id, &email, Purpose::VerifyEmail).await?;
        outbox::write(&mut transaction, Topic::VerifyEmail, &email, serde_json::json!({ "token": token.reveal() })).await?;
        transaction.commit().await?;
    }
    Ok(StatusCode::ACCEPTED)
}
