//! `POST /api/v1/auth/login`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::account::{self, Credentials};
use super::email::Email;
use super::passwords::Verdict;
use super::sessions::{self, Standing, TokenPair};
use super::state::Auth;
use super::{attempts, totp};
use crate::api::access::Role;
use crate::api::carts;
use crate::api::extract::{Body, Json};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// Answers that hold secrets are kept by nobody on the way.
pub(super) const NOT_STORED: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    #[schema(max_length = 254, example = "ada@example.com")]
    pub email: String,
    #[schema(max_length = 128)]
    pub password: String,
    /// Of accounts with a second factor: the six digits that it shows, or a recovery code.
    #[schema(example = "287082")]
    pub code: Option<String>,
}

impl Body for LogIn {
    const MAX_BYTES: usize = 4096;
}

/// Opens a session. After five wrong passwords the address waits, 30 s at first, then twice as long each time. What
/// is in the cart of a guest goes into the account's.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = LogIn,
    params(("chimera-cart" = Option<String>, Header, description = "of a guest: the cart to take along")),
    responses((status = 200, body = TokenPair), (status = 401, description = "the address or the password is wrong, or a code is needed",
        body = ProblemBody), (status = 403, description = "the account is switched off", body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn log_in(State(app): State<App>, headers: HeaderMap, Json(given): Json<LogIn>) -> Result<Response> {
    let wrong = || Problem::new(&kinds::WRONG_CREDENTIALS, "No account has this address and this password.");
    let email = Email::parse(&given.email).map_err(|_| wrong())?;
    let auth = &app.auth;
    attempts::take(&auth.pool, &email).await?;
    let account = account::by_email(&auth.pool, &email).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let verdict = auth.passwords.verify(given.password.clone(), hash).await?;
    let Some(account) = account.filter(|_| verdict != Verdict::Wrong) else { return Err(wrong()) };
    if account.disabled_at.is_some() {
        return Err(Problem::new(&kinds::ACCOUNT_DISABLED, "The account is switched off. Ask the shop."));
    }
    if account.totp_enabled_at.is_some() {
        let Some(code) = &given.code else {
            return Err(Problem::new(&kinds::SECOND_FACTOR_NEEDED, "The password is right; send `code` with it."));
        };
        totp::take(auth, &account, code).await?;
    }
    attempts::clear(&auth.pool, &email).await?;
    let hash = match verdict {
        Verdict::RightButOld => upgrade(auth, &account, given.password).await?,
        _ => account.password_hash.clone(),
    };
    let mut transaction = begin(&auth.pool).await?;
    // The password may have been changed, or the account switched off, while this one was checked.
    let role: Option<Role> = sqlx::query_scalar(
        "UPDATE credentials SET last_login_at = now() WHERE user_id = $1 AND password_hash = $2 AND disabled_at IS NULL RETURNING role",
    )
    .bind(account.user_id)
    .bind(hash)
    .fetch_optional(&mut *transaction)
    .await?;
    let role = role.ok_or_else(wrong)?;
    let (session_id, refresh) = sessions::insert(&mut transaction, account.user_id, user_agent(&headers)).await?;
    transaction.commit().await?;
    let tokens = sessions::finish(auth, session_id, Standing { user_id: account.user_id, role }, refresh).await?;
    carts::merge::take_along(&app, &headers, account.user_id).await;
    Ok((NOT_STORED, axum::Json(tokens)).into_response())
}

/// Makes the hash anew, in today's way, unless another log-in was quicker; the hash that stands then, if it is the password's.
async fn upgrade(auth: &Auth, account: &Credentials, password: String) -> Result<String> {
    let hash = auth.passwords.hash(password.clone()).await?;
    let made = sqlx::query("UPDATE credentials SET password_hash = $3, updated_at = now() WHERE user_id = $1 AND password_hash = $2")
        .bind(account.user_id)
        .bind(&account.password_hash)
        .bind(&hash)
        .execute(&auth.pool)
        .await?;
    if made.rows_affected() == 1 {
        return Ok(hash);
    }
    let stands: Option<String> = sqlx::query_scalar("SELECT password_hash FROM credentials WHERE user_id = $1")
        .bind(account.user_id)
        .fetch_optional(&auth.pool)
        .await?;
    let is_right = auth.passwords.verify(password, stands.clone()).await? != Verdict::Wrong;
    Ok(stands.filter(|_| is_right).unwrap_or(hash))
}

/// What the client calls itself.
pub(super) fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
