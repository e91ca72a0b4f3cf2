//! `POST /api/v1/auth/second-factor`, its confirmation, and its removal.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::email::Email;
use super::log_in::NOT_STORED;
use super::outbox::{self, Topic};
use super::secrets::random;
use super::{account, attempts, totp};
use crate::api::access::Session;
use crate::api::extract::{Body, Json};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecondFactor {
    /// Of the account: whoever has stolen a token must not lock its owner out.
    #[schema(max_length = 128)]
    pub password: String,
}

impl Body for NewSecondFactor {
    const MAX_BYTES: usize = 4096;
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Seed {
    /// In base 32, for typing.
    pub secret: String,
    /// For a picture that a telephone reads.
    #[schema(example = "otpauth://totp/Chimera:ada%40example.com?secret=…&issuer=Chimera")]
    pub url: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The six digits that the telephone shows.
    #[schema(min_length = 6, max_length = 6, example = "287082")]
    pub code: String,
}

impl Body for Confirmation {
    const MAX_BYTES: usize = 1024;
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    /// Each stands in for a code once. They are shown now and never again.
    pub recovery_codes: Vec<String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    #[schema(max_length = 128)]
    pub password: String,
    /// The six digits, or a recovery code.
    pub code: String,
}

impl Body for Removal {
    const MAX_BYTES: usize = 4096;
}

/// Makes the seed of a second factor. It is asked for at log-in once a first code of it has come to …/confirm.
#[utoipa::path(post, path = "/api/v1/auth/second-factor", tag = "auth", request_body = NewSecondFactor,
    responses((status = 200, body = Seed), (status = 401, description = "the password is wrong", body = ProblemBody),
        (status = 409, description = "there is one", body = ProblemBody), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn begin_second_factor(State(app): State<App>, session: Session, Json(given): Json<NewSecondFactor>) -> Result<Response> {
    let auth = &app.auth;
    let account = account::check_password(auth, session.user_id, given.password, None).await?;
    let seed = random::<{ totp::SEED_BYTES }>()?;
    let sealed = auth.vault.seal(&totp::purpose(session.user_id), &seed).map_err(Problem::internal)?;
    let set = sqlx::query("UPDATE credentials SET totp_secret = $2, totp_last_step = NULL WHERE user_id = $1 AND totp_enabled_at IS NULL");
    if set.bind(session.user_id).bind(sealed).execute(&auth.pool).await?.rows_affected() == 0 {
        return Err(Problem::new(&kinds::SECOND_FACTOR_SET, "The account has a second factor; remove it first."));
    }
    let factor = totp::totp(&seed, &account.email)?;
    let seed = Seed { secret: factor.secret().to_base32(), url: factor.to_url().map_err(Problem::internal)? };
    Ok((NOT_STORED, axum::Json(seed)).into_response())
}

/// Switches the second factor on, by a first code, and gives out recovery codes.
#[utoipa::path(post, path = "/api/v1/auth/second-factor/confirm", tag = "auth", request_body = Confirmation,
    responses((status = 200, body = RecoveryCodes), (status = 401, description = "the code is wrong", body = ProblemBody),
        (status = 409, description = "there is one, or none was begun", body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn confirm_second_factor(State(app): State<App>, session: Session, Json(given): Json<Confirmation>) -> Result<Response> {
    let auth = &app.auth;
    let account = account::by_id(&auth.pool, session.user_id).await?;
    let email = Email::parse(&account.email).map_err(Problem::internal)?;
    let none = || Problem::new(&kinds::SECOND_FACTOR_SET, "No second factor was begun, or it is on already.");
    let Some(factor) = totp::of(auth, &account)?.filter(|_| account.totp_enabled_at.is_none()) else { return Err(none()) };
    attempts::take(&auth.pool, &email).await?;
    let now = u64::try_from(Utc::now().timestamp()).map_err(Problem::internal)?;
    let Some(step) = factor.check(given.code.trim(), now) else {
        return Err(Problem::new(&kinds::WRONG_CODE, "The code is wrong. Is the telephone's clock right?"));
    };
    let (mut shown, mut hashes) = (vec![], vec![]);
    for _ in 0..totp::RECOVERY_CODES {
        let (code, hash) = totp::recovery_code()?;
        shown.push(code);
        hashes.push(hash.to_vec());
    }
    let mut transaction = begin(&auth.pool).await?;
    let enabled = sqlx::query(
        "UPDATE credentials SET totp_enabled_at = now(), totp_last_step = $3, updated_at = now()
         WHERE user_id = $1 AND totp_enabled_at IS NULL AND totp_secret = $2",
    );
    let step = i64::try_from(step).map_err(Problem::internal)?;
    let enabled = enabled.bind(session.user_id).bind(&account.totp_secret).bind(step).execute(&mut *transaction).await?;
    if enabled.rows_affected() == 0 {
        return Err(none());
    }
    sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(session.user_id).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO recovery_codes SELECT $1, unnest($2::bytea[])")
        .bind(session.user_id)
        .bind(hashes)
        .execute(&mut *transaction)
        .await?;
    outbox::write(&mut transaction, Topic::SecondFactorChanged, &email, serde_json::json!({ "is_on": true })).await?;
    transaction.commit().await?;
    attempts::clear(&auth.pool, &email).await?;
    Ok((NOT_STORED, axum::Json(RecoveryCodes { recovery_codes: shown })).into_response())
}

/// Switches the second factor off.
#[utoipa::path(delete, path = "/api/v1/auth/second-factor", tag = "auth", request_body = Removal,
    responses((status = 204, description = "off"), (status = 401, description = "the password or the code is wrong", body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub async fn remove_second_factor(State(app): State<App>, session: Session, Json(given): Json<Removal>) -> Result<StatusCode> {
    let auth = &app.auth;
    let account = account::check_password(auth, session.user_id, given.password, Some(&given.code)).await?;
    let email = Email::parse(&account.email).map_err(Problem::internal)?;
    let mut transaction = begin(&auth.pool).await?;
    sqlx::query(
        "UPDATE credentials SET totp_secret = NULL, totp_enabled_at = NULL, totp_last_step = NULL, updated_at = now() WHERE user_id = $1",
    )
    .bind(session.user_id)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(session.user_id).execute(&mut *transaction).await?;
    outbox::write(&mut transaction, Topic::SecondFactorChanged, &email, serde_json::json!({ "is_on": false })).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
