//! `/api/v1/auth/api-keys`: what programs send instead of logging in. A key is good until it is removed or runs out, and acts for its account.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use super::account;
use super::log_in::NOT_STORED;
use super::secrets::{self, Secret};
use super::sessions::Standing;
use super::state::Auth;
use crate::api::access::{Role, Session};
use crate::api::extract::{Body, Json, Path, invalid, text_error};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// What every key begins with, so that it is known for what it is wherever it turns up.
pub const PREFIX: &str = "chk_";
const MAX_KEYS: i64 = 20;
const MAX_DAYS: u16 = 3660;
/// `last_used_at` is written down no more often than this.
const USED_AGAIN_MINUTES: i32 = 10;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// To know it by in the list.
    #[schema(min_length = 1, max_length = 100, example = "the warehouse's nightly import")]
    pub name: String,
    /// Takes GET and HEAD only.
    #[serde(default)]
    pub read_only: bool,
    /// Without it the key is good until it is removed.
    #[schema(minimum = 1, maximum = 3660)]
    pub expires_in_days: Option<u16>,
    /// Of the account: a key outlives the session, so a stolen token must not be enough for one.
    #[schema(max_length = 128)]
    pub password: String,
    /// Of accounts with a second factor: the six digits that it shows, or a recovery code.
    #[schema(example = "287082")]
    pub code: Option<String>,
}

impl Body for NewKey {
    const MAX_BYTES: usize = 4096;
}

#[derive(Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ApiKey {
    pub key_id: Uuid,
    pub name: String,
    pub read_only: bool,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    /// To ten minutes.
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct MadeKey {
    /// For the header `Authorization: Bearer …`. It is shown now and never again.
    #[schema(example = "chk_…")]
    pub key: String,
    #[serde(flatten)]
    pub about: ApiKey,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ApiKeys {
    pub api_keys: Vec<ApiKey>,
}

/// Who sends a key.
#[derive(Debug, sqlx::FromRow)]
pub struct Holder {
    pub key_id: Uuid,
    pub user_id: Uuid,
    pub role: Role,
    pub read_only: bool,
}

/// Whose key it is; `None`: nobody's, or its time is over.
pub async fn holder(auth: &Auth, key: &str) -> Result<Option<Holder>> {
    let hash = secrets::hash(key);
    let found: Option<Holder> = sqlx::query_as(
        "SELECT key_id, user_id, role, read_only FROM api_keys JOIN credentials USING (user_id)
         WHERE key_hash = $1 AND (expires_at IS NULL OR expires_at > now()) AND disabled_at IS NULL",
    )
    .bind(hash.as_slice())
    .fetch_optional(&auth.pool)
    .await?;
    if found.is_some() {
        sqlx::query(
            "UPDATE api_keys SET last_used_at = now() WHERE key_hash = $1
             AND (last_used_at IS NULL OR last_used_at < now() - make_interval(mins => $2))",
        )
        .bind(hash.as_slice())
        .bind(USED_AGAIN_MINUTES)
        .execute(&auth.pool)
        .await?;
    }
    Ok(found)
}

/// Whose key it is, by its id; `None`: it is not good any more.
pub async fn standing(auth: &Auth, key_id: Uuid) -> Result<Option<Standing>> {
    let row: Option<(Uuid, Role)> = sqlx::query_as(
        "SELECT user_id, role FROM api_keys JOIN credentials USING (user_id)
         WHERE key_id = $1 AND (expires_at IS NULL OR expires_at > now()) AND disabled_at IS NULL",
    )
    .bind(key_id)
    .fetch_optional(&auth.pool)
    .await?;
    Ok(row.map(|(user_id, role)| Standing { user_id, role }))
}

/// Makes a key that acts for one's account. It takes what a log-in takes: the password, and a code where there is a second factor.
#[utoipa::path(post, path = "/api/v1/auth/api-keys", tag = "auth", request_body = NewKey,
    responses((status = 201, body = MadeKey), (status = 401, description = "the password is wrong, or a code is needed", body = ProblemBody),
        (status = 409, description = "there are 20", body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub async fn create_api_key(State(app): State<App>, session: Session, Json(wanted): Json<NewKey>) -> Result<Response> {
    if let Some(fault) = text_error(&wanted.name, 100) {
        return Err(invalid("name", fault));
    }
    if wanted.expires_in_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return Err(invalid("expires_in_days", format!("a key is good for 1 to {MAX_DAYS} days")));
    }
    account::check_as_log_in(&app.auth, session.user_id, wanted.password, wanted.code.as_deref()).await?;
    let key = Secret::new(PREFIX)?;
    let about: Option<ApiKey> = sqlx::query_as(
        "INSERT INTO api_keys (key_id, user_id, name, key_hash, read_only, expires_at)
         SELECT $1, $2, $3, $4, $5, now() + make_interval(days => $6) WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2) < $7
         RETURNING key_id, name, read_only, created_at, expires_at, last_used_at",
    )
    .bind(Uuid::now_v7())
    .bind(session.user_id)
    .bind(wanted.name.trim())
    .bind(key.hash().as_slice())
    .bind(wanted.read_only)
    .bind(wanted.expires_in_days.map(i32::from))
    .bind(MAX_KEYS)
    .fetch_optional(&app.auth.pool)
    .await?;
    let full = || Problem::new(&kinds::TOO_MANY_KEYS, format!("The account has {MAX_KEYS} keys; remove one first."));
    let made = MadeKey { key: key.reveal(), about: about.ok_or_else(full)? };
    Ok((StatusCode::CREATED, NOT_STORED, axum::Json(made)).into_response())
}

/// One's keys, without what they are.
#[utoipa::path(get, path = "/api/v1/auth/api-keys", tag = "auth", responses((status = 200, body = ApiKeys), (status = 401, body = ProblemBody)))]
pub async fn list_api_keys(State(app): State<App>, session: Session) -> Result<axum::Json<ApiKeys>> {
    Ok(axum::Json(ApiKeys { api_keys: list(&app.auth.pool, session.user_id).await? }))
}

/// The keys of an account, the oldest first.
pub async fn list(pool: &PgPool, user_id: Uuid) -> Result<Vec<ApiKey>> {
    let listed = sqlx::query_as(
        "SELECT key_id, name, read_only, created_at, expires_at, last_used_at FROM api_keys WHERE user_id = $1 ORDER BY created_at, key_id",
    );
    Ok(listed.bind(user_id).fetch_all(pool).await?)
}

/// Removes one of one's keys: from now on nobody comes in with it.
#[utoipa::path(delete, path = "/api/v1/auth/api-keys/{key_id}", tag = "auth", params(("key_id" = Uuid, Path)),
    responses((status = 204, description = "removed"), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn delete_api_key(State(app): State<App>, session: Session, Path(key_id): Path<Uuid>) -> Result<StatusCode> {
    let removed = sqlx::query("DELETE FROM api_keys WHERE key_id = $1 AND user_id = $2");
    match removed.bind(key_id).bind(session.user_id).execute(&app.auth.pool).await?.rows_affected() {
        0 => Err(Problem::new(&kinds::KEY_NOT_FOUND, format!("You have no key {key_id}."))),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
