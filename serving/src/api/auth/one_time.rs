//! Tokens that come by e-mail, and are good once: who has one reads the mail of that address.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::email::Email;
use super::secrets::{self, Secret};
use crate::api::problem::{Problem, Result, kinds};

/// Between two messages about the same thing, in seconds.
const AGAIN_AFTER_S: f64 = 60.0;

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

/// Whether one was sent a moment ago: whoever asks again and again does not fill somebody's letter box.
/// Until the caller's transaction ends, the next one to ask waits.
pub async fn is_recent(connection: &mut PgConnection, user_id: Uuid, purpose: Purpose) -> Result<bool> {
    sqlx::query("SELECT FROM credentials WHERE user_id = $1 FOR UPDATE").bind(user_id).execute(&mut *connection).await?;
    let is_recent = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM one_time_tokens WHERE user_id = $1 AND purpose = $2
         AND expires_at > now() + make_interval(mins => $3) - make_interval(secs => $4))",
    );
    let is_recent = is_recent.bind(user_id).bind(purpose.name()).bind(purpose.minutes()).bind(AGAIN_AFTER_S);
    Ok(is_recent.fetch_one(connection).await?)
}

/// Forgets the tokens of an account for something that was done in another way.
pub async fn forget(connection: &mut PgConnection, user_id: Uuid, purpose: Purpose) -> Result<()> {
    sqlx::query("DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2")
        .bind(user_id)
        .bind(purpose.name())
        .execute(connection)
        .await?;
    Ok(())
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
