//! `GET /api/v1/auth/me`; and for administrators `GET /api/v1/accounts` and `PATCH /api/v1/accounts/{user_id}`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{self, Account, COLUMNS};
use super::sessions::{self, Ended, EndedBy};
use crate::api::access::{Caller, Role};
use crate::api::extract::{Body, Json, Path, Query, text_error};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

const MAX_PAGE: u32 = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountQuery {
    /// Part of an address.
    #[param(max_length = 254)]
    email: Option<String>,
    role: Option<Role>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// At most 200; 50 if not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Accounts {
    /// In the order in which they were opened.
    pub accounts: Vec<Account>,
    /// For `after`; `null`: there are no more.
    pub next: Option<Uuid>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    pub role: Option<Role>,
    /// Switched off, nobody comes in with it, and its sessions end.
    pub disabled: Option<bool>,
}

impl Body for AccountChange {
    const MAX_BYTES: usize = 1024;
}

/// One's own account.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "auth", responses((status = 200, body = Account), (status = 401, body = ProblemBody),
    (status = 403, description = "the operator token has no account", body = ProblemBody)))]
pub async fn get_me(State(app): State<App>, caller: Caller) -> Result<axum::Json<Account>> {
    Ok(axum::Json(account::shown(&app.auth.pool, caller.user_id()?).await?))
}

/// Accounts, a page at a time.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", params(AccountQuery),
    responses((status = 200, body = Accounts), (status = 400, body = ProblemBody)))]
pub async fn list_accounts(State(app): State<App>, Query(query): Query<AccountQuery>) -> Result<axum::Json<Accounts>> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`limit` goes from 1 to {MAX_PAGE}, not {limit}.")));
    }
    if let Some(fault) = query.email.as_deref().and_then(|email| text_error(email, 254)) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`email`: {fault}.")));
    }
    // Ids are in the order of time.
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM credentials WHERE ($1::text IS NULL OR strpos(lower(email), lower($1)) > 0) AND ($2::text IS NULL OR role = $2)
         AND ($3::uuid IS NULL OR user_id > $3) ORDER BY user_id LIMIT $4"
    ));
    let mut accounts: Vec<Account> = sqlx::query_as(statement)
        .bind(query.email)
        .bind(query.role.map(Role::name))
        .bind(query.after)
        .bind(i64::from(limit) + 1)
        .fetch_all(&app.auth.pool)
        .await?;
    let more = accounts.len() > limit as usize;
    accounts.truncate(limit as usize);
    let next = accounts.last().filter(|_| more).map(|account| account.user_id);
    Ok(axum::Json(Accounts { accounts, next }))
}

/// Gives an account another role, or switches it off or on.
#[utoipa::path(patch, path = "/api/v1/accounts/{user_id}", tag = "accounts", params(("user_id" = Uuid, Path)), request_body = AccountChange,
    responses((status = 200, body = Account), (status = 404, body = ProblemBody), (status = 409, description = "one's own", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn change_account(
    State(app): State<App>,
    caller: Caller,
    Path(user_id): Path<Uuid>,
    Json(change): Json<AccountChange>,
) -> Result<axum::Json<Account>> {
    if caller.user_id == Some(user_id) {
        return Err(Problem::new(&kinds::OWN_ACCOUNT, "Administrators do not change their own role, nor switch themselves off."));
    }
    let auth = &app.auth;
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE credentials SET role = coalesce($2, role), updated_at = now(),
         disabled_at = CASE WHEN $3 THEN coalesce(disabled_at, now()) WHEN NOT $3 THEN NULL ELSE disabled_at END
         WHERE user_id = $1 RETURNING {COLUMNS}"
    ));
    let mut transaction = begin(&auth.pool).await?;
    let changed: Option<Account> = sqlx::query_as(statement)
        .bind(user_id)
        .bind(change.role.map(Role::name))
        .bind(change.disabled)
        .fetch_optional(&mut *transaction)
        .await?;
    let changed = changed.ok_or_else(|| Problem::new(&kinds::ACCOUNT_NOT_FOUND, format!("There is no account {user_id}.")))?;
    let touched = if change.disabled == Some(true) {
        sessions::end_in(&mut transaction, user_id, Ended::All, EndedBy::Admin).await?
    } else {
        sessions::standing_of(&mut transaction, user_id).await?
    };
    transaction.commit().await?;
    sessions::forget(auth, &touched).await;
    Ok(axum::Json(changed))
}
