//! The row of an account.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use super::attempts;
use super::email::Email;
use super::passwords::Verdict;
use super::sessions::{self, Ended, EndedBy};
use super::state::Auth;
use super::totp;
use crate::api::access::Role;
use crate::api::problem::{Problem, Result, kinds};
use crate::shop::databases::begin;

/// An account, without its secrets.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Account {
    pub user_id: Uuid,
    pub email: String,
    pub role: Role,
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Nobody comes in with it while this is set.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Since when a code is asked for at log-in.
    pub totp_enabled_at: Option<DateTime<Utc>>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// The columns of [`Account`].
pub const COLUMNS: &str = "user_id, email, role, email_verified_at, disabled_at, totp_enabled_at, last_login_at, created_at";

/// What a log-in has to know.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Credentials {
    pub user_id: Uuid,
    pub email: String,
    pub role: Role,
    pub password_hash: String,
    pub disabled_at: Option<DateTime<Utc>>,
    pub totp_secret: Option<Vec<u8>>,
    pub totp_enabled_at: Option<DateTime<Utc>>,
}

const CREDENTIALS: &str = "SELECT user_id, email, role, password_hash, disabled_at, totp_secret, totp_enabled_at FROM credentials";

pub async fn by_email(pool: &PgPool, email: &Email) -> Result<Option<Credentials>> {
    let statement = sqlx::AssertSqlSafe(format!("{CREDENTIALS} WHERE lower(email) = lower($1)"));
    Ok(sqlx::query_as(statement).bind(email.as_str()).fetch_optional(pool).await?)
}

/// Of an account that is logged in.
pub async fn by_id(pool: &PgPool, user_id: Uuid) -> Result<Credentials> {
    let statement = sqlx::AssertSqlSafe(format!("{CREDENTIALS} WHERE user_id = $1"));
    let found: Option<Credentials> = sqlx::query_as(statement).bind(user_id).fetch_optional(pool).await?;
    found.ok_or_else(|| not_found(user_id))
}

/// As its owner and administrators see it.
pub async fn shown(pool: &PgPool, user_id: Uuid) -> Result<Account> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM credentials WHERE user_id = $1"));
    let found: Option<Account> = sqlx::query_as(statement).bind(user_id).fetch_optional(pool).await?;
    found.ok_or_else(|| not_found(user_id))
}

/// For what somebody who has logged in has to show once more. Guesses are counted as those at log-in.
pub async fn check_password(auth: &Auth, user_id: Uuid, password: String, code: Option<&str>) -> Result<Credentials> {
    let account = by_id(&auth.pool, user_id).await?;
    let email = Email::parse(&account.email).map_err(Problem::internal)?;
    attempts::take(&auth.pool, &email).await?;
    if auth.passwords.verify(password, Some(account.password_hash.clone())).await? == Verdict::Wrong {
        return Err(Problem::new(&kinds::WRONG_CREDENTIALS, "The password of the account is another one."));
    }
    // With a second factor the password alone is no success: else it would buy any number of guesses at codes.
    match code {
        Some(code) => totp::take(auth, &account, code).await?,
        None if account.totp_enabled_at.is_some() => return Ok(account),
        None => {}
    }
    attempts::clear(&auth.pool, &email).await?;
    Ok(account)
}

/// For what opens another way into an account, which has to ask for no less than a log-in does.
pub async fn check_as_log_in(auth: &Auth, user_id: Uuid, password: String, code: Option<&str>) -> Result<()> {
    let account = check_password(auth, user_id, password, code).await?;
    if account.totp_enabled_at.is_some() && code.is_none() {
        return Err(Problem::new(&kinds::SECOND_FACTOR_NEEDED, "The password is right; send `code` with it."));
    }
    Ok(())
}

/// Removes an account with its sessions, tokens, keys and messages.
pub async fn erase(auth: &Auth, user_id: Uuid) -> Result<()> {
    sessions::end(auth, user_id, Ended::All, EndedBy::Logout).await?;
    let mut transaction = begin(&auth.pool).await?;
    let email: Option<(String,)> = sqlx::query_as("DELETE FROM credentials WHERE user_id = $1 RETURNING email")
        .bind(user_id)
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some((email,)) = email {
        sqlx::query("DELETE FROM outbox WHERE email = $1").bind(&email).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM login_attempts WHERE email = lower($1)").bind(&email).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

pub fn not_found(user_id: Uuid) -> Problem {
    Problem::new(&kinds::ACCOUNT_NOT_FOUND, format!("There is no account {user_id}."))
}
