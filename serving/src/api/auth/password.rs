//! `PUT /api/v1/auth/password`, `POST /api/v1/auth/password/forgot` and `POST /api/v1/auth/password/reset`.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use sqlx::PgConnection;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::email::Email;
use super::one_time::{self, Purpose};
use super::outbox::{self, Topic};
use super::passwords;
use super::sessions::{self, Ended, EndedBy};
use super::{account, attempts};
use crate::api::access::Session;
use crate::api::extract::{Body, Json, invalid};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// Forgotten passwords that are seen to at once.
static SENDING: Semaphore = Semaphore::const_new(8);

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schema(max_length = 128)]
    pub current: String,
    #[schema(min_length = 10, max_length = 128)]
    pub password: String,
}

impl Body for NewPassword {
    const MAX_BYTES: usize = 4096;
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    #[schema(max_length = 254, example = "ada@example.com")]
    pub email: String,
}

impl Body for Forgotten {
    const MAX_BYTES: usize = 1024;
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// From the message.
    #[schema(max_length = 100)]
    pub token: String,
    #[schema(min_length = 10, max_length = 128)]
    pub password: String,
}

impl Body for Reset {
    const MAX_BYTES: usize = 4096;
}

/// Changes one's password. All other sessions end.
#[utoipa::path(put, path = "/api/v1/auth/password", tag = "auth", request_body = NewPassword,
    responses((status = 204, description = "changed"), (status = 401, description = "the current password is wrong", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn change_password(State(app): State<App>, session: Session, Json(given): Json<NewPassword>) -> Result<StatusCode> {
    let auth = &app.auth;
    let account = account::by_id(&auth.pool, session.user_id).await?;
    let email = Email::parse(&account.email).map_err(Problem::internal)?;
    if let Some(fault) = passwords::fault(&given.password, &account.email) {
        return Err(invalid("password", fault));
    }
    let account = account::check_password(auth, session.user_id, given.current, None).await?;
    let hash = auth.passwords.hash(given.password).await?;
    let mut transaction = begin(&auth.pool).await?;
    if !set(&mut transaction, session.user_id, &email, hash, Some(&account.password_hash)).await? {
        return Err(Problem::new(&kinds::WRONG_CREDENTIALS, "The password was changed in another way meanwhile."));
    }
    let ended = sessions::end_in(&mut transaction, session.user_id, Ended::AllBut(session.session_id), EndedBy::Password).await?;
    transaction.commit().await?;
    sessions::forget(auth, &ended).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message with a token for a new password, if the address has an account, and at most once a minute. The answer is always the same.
#[utoipa::path(post, path = "/api/v1/auth/password/forgot", tag = "auth", request_body = Forgotten,
    responses((status = 202, description = "if there is such an account, the message is on its way"), (status = 422, body = ProblemBody)))]
pub async fn forgot_password(State(app): State<App>, Json(given): Json<Forgotten>) -> Result<StatusCode> {
    let email = Email::parse(&given.email).map_err(|why| invalid("email", why))?;
    let pool = app.auth.pool.clone();
    // Not waited for: how long it takes would tell whether there is an account. What is too much is not sent.
    let Ok(place) = SENDING.try_acquire() else { return Ok(StatusCode::ACCEPTED) };
    tokio::spawn(async move {
        let _place = place;
        if let Err(problem) = send_reset(&pool, &email).await {
            tracing::error!(%problem, "a token for a new password was not sent");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

async fn send_reset(pool: &sqlx::PgPool, email: &Email) -> Result<()> {
    let Some(account) = account::by_email(pool, email).await?.filter(|account| account.disabled_at.is_none()) else { return Ok(()) };
    // To the address that the account has: the one given may differ in case.
    let email = Email::parse(&account.email).map_err(Problem::internal)?;
    let mut transaction = begin(pool).await?;
    if one_time::is_recent(&mut transaction, account.user_id, Purpose::ResetPassword).await? {
        return Ok(());
    }
    let token = one_time::make(&mut transaction, account.user_id, &email, Purpose::ResetPassword).await?;
    outbox::write(&mut transaction, Topic::ResetPassword, &email, serde_json::json!({ "token": token.reveal() })).await?;
    Ok(transaction.commit().await?)
}

/// Sets a new password by a token from a message. All sessions end, API keys are removed, and the address is verified by this too.
#[utoipa::path(post, path = "/api/v1/auth/password/reset", tag = "auth", request_body = Reset,
    responses((status = 204, description = "set: log in with it"), (status = 400, description = "the token is not good", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn reset_password(State(app): State<App>, Json(given): Json<Reset>) -> Result<StatusCode> {
    let auth = &app.auth;
    // First the password is judged, so that a weak one does not cost the token.
    let (_, address) = one_time::look(&auth.pool, &given.token, Purpose::ResetPassword).await?;
    if let Some(fault) = passwords::fault(&given.password, &address) {
        return Err(invalid("password", fault));
    }
    let hash = auth.passwords.hash(given.password).await?;
    let mut transaction = begin(&auth.pool).await?;
    let (user_id, address) = one_time::take(&mut transaction, &given.token, Purpose::ResetPassword).await?;
    let email = Email::parse(&address).map_err(Problem::internal)?;
    set(&mut transaction, user_id, &email, hash, None).await?;
    // Who held the account until now may have made keys. And before its address was verified, that may have been anyone: a factor of theirs goes.
    sqlx::query("DELETE FROM api_keys WHERE user_id = $1").bind(user_id).execute(&mut *transaction).await?;
    sqlx::query(
        "DELETE FROM recovery_codes USING credentials WHERE recovery_codes.user_id = $1 AND credentials.user_id = $1 AND email_verified_at IS NULL",
    )
    .bind(user_id)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "UPDATE credentials SET totp_secret = NULL, totp_enabled_at = NULL, totp_last_step = NULL WHERE user_id = $1 AND email_verified_at IS NULL",
    )
    .bind(user_id)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("UPDATE credentials SET email_verified_at = coalesce(email_verified_at, now()) WHERE user_id = $1 AND email = $2")
        .bind(user_id)
        .bind(email.as_str())
        .execute(&mut *transaction)
        .await?;
    let ended = sessions::end_in(&mut transaction, user_id, Ended::All, EndedBy::Password).await?;
    transaction.commit().await?;
    sessions::forget(auth, &ended).await;
    attempts::clear_without_factor(&auth.pool, &email, user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The new hash, if the old one is still `from`, and a message that says so: whoever did not do it finds out. Tokens for another one are good no
/// more. Whether it was set.
async fn set(connection: &mut PgConnection, user_id: Uuid, email: &Email, hash: String, from: Option<&str>) -> Result<bool> {
    let set = sqlx::query(
        "UPDATE credentials SET password_hash = $2, updated_at = now() WHERE user_id = $1 AND ($3::text IS NULL OR password_hash = $3)",
    );
    if set.bind(user_id).bind(hash).bind(from).execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    one_time::forget(connection, user_id, Purpose::ResetPassword).await?;
    outbox::write(connection, Topic::PasswordChanged, email, serde_json::json!({})).await?;
    Ok(true)
}
