//! Tokens that come by e-mail, and are good once: who has one reads the mail of that address.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::email::Email;
use super::secrets::{self, Secret};
use crate::api::problem::{Problem, Result, kinds};

/// What a token is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    fn minutes(self) -> i32 {
        match self {
            Self::VerifyEmail => 3 * 24 * 60,
            Self::ResetPassword => 60,
        }
    }
}

/// A new token; those of the same purpose that were sent before are good no more.
pub async fn make(connection: &mut PgConnection, user_id: Uuid, email: &Email, purpose: Purpose) -> Result<Secret> {
    let token = Secret::new("cho_")?;
    sqlx::query("DELETE FROM one_time_tokens WHERE (user_id = $1 AND purpose = $2) OR expires_at < now()")
        .bind(user_id)
        .bind(purpose.name())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO one_time_tokens (token_hash, user_id, purpose, email, expires_at)
         VALUES ($1, $2, $3, $4, now() + make_interval(mins => $5))",
    )
    .bind(token.hash().as_slice())
    .bind(user_id)
    .bind(purpose.name())
    .bind(email.as_str())
    .bind(purpose.minutes())
    .execute(connection)
    .await?;
    Ok(token)
}

/// Whose token it is, and to which address it was sent; it is gone with the caller's commit.
pub async fn take(connection: &mut PgConnection, token: &str, purpose: Purpose) -> Result<(Uuid, String)> {
    let taken: Option<(Uuid, String)> = sqlx::query_as(
        "DELETE FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > now() RETURNING user_id, email",
    )
    .bind(secrets::hash(token).as_slice())
    .bind(purpose.name())
    .fetch_optional(connection)
    .await?;
    taken.ok_or_else(refused)
}

/// Whose token it is, to which address it was sent, without taking it.
pub async fn look(pool: &PgPool, token: &str, purpose: Purpose) -> Result<(Uuid, String)> {
    let found: Option<(Uuid, String)> =
        sqlx::query_as("SELECT user_id, email FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()")
            .bind(secrets::hash(token).as_slice())
            .bind(purpose.name())
            .fetch_optional(pool)
            .await?;
    found.ok_or_else(refused)
}

fn refused() -> Problem {
    Problem::new(&kinds::BAD_ONE_TIME_TOKEN, "The token is not known here, was used, or has run out.")
}
