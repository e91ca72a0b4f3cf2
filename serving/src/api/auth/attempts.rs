//! How often somebody may guess. Attempts are counted by address, whether it has an account or not, before the password is looked at: many
//! guesses at once are counted too. PostgreSQL makes letters small here as it does for accounts: one account, one count.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::email::Email;
use crate::api::problem::{Problem, Result, kinds};

/// Wrong guesses that cost nothing.
const FREE: i32 = 5;
/// The pause after one more; each further one doubles it.
const FIRST_PAUSE_S: i32 = 30;
const LONGEST_PAUSE_S: i32 = 15 * 60;
/// After so long without an attempt, an address begins anew.
const FORGET_HOURS: i32 = 24;

/// Takes one attempt from those that the address has left. A problem: it has to wait.
pub async fn take(pool: &PgPool, email: &Email) -> Result<()> {
    sqlx::query("DELETE FROM login_attempts WHERE last_at < now() - make_interval(hours => $1)").bind(FORGET_HOURS).execute(pool).await?;
    let taken: Option<(i32,)> = sqlx::query_as(
        "INSERT INTO login_attempts AS known (email, failures) VALUES (lower($1), 1)
         ON CONFLICT (email) DO UPDATE SET failures = known.failures + 1, last_at = now(),
             locked_until = CASE WHEN known.failures + 1 >= $2
                 THEN now() + make_interval(secs => least($4, $3 * 2 ^ least(known.failures + 1 - $2, 20))) END
         WHERE known.locked_until IS NULL OR known.locked_until <= now()
         RETURNING failures",
    )
    .bind(email.as_str())
    .bind(FREE)
    .bind(FIRST_PAUSE_S)
    .bind(LONGEST_PAUSE_S)
    .fetch_optional(pool)
    .await?;
    if taken.is_some() {
        return Ok(());
    }
    let until: Option<DateTime<Utc>> = sqlx::query_scalar("SELECT locked_until FROM login_attempts WHERE email = lower($1)")
        .bind(email.as_str())
        .fetch_optional(pool)
        .await?
        .flatten();
    let seconds = until.map_or(1, |until| (until - Utc::now()).num_seconds().max(0) + 1);
    let detail = format!("There were too many attempts with this address. Try again in {seconds} s, or set a new password.");
    Err(Problem::new(&kinds::TOO_MANY_ATTEMPTS, detail).retry_after(u32::try_from(seconds).unwrap_or(1)))
}

/// After a new password by a token from a message: who has a second factor goes on waiting, since its codes are guessed too.
pub async fn clear_without_factor(pool: &PgPool, email: &Email, user_id: Uuid) -> Result<()> {
    let cleared = sqlx::query(
        "DELETE FROM login_attempts WHERE email = lower($1)
         AND NOT EXISTS (SELECT FROM credentials WHERE user_id = $2 AND totp_enabled_at IS NOT NULL)",
    );
    cleared.bind(email.as_str()).bind(user_id).execute(pool).await?;
    Ok(())
}

/// After a success.
pub async fn clear(pool: &PgPool, email: &Email) -> Result<()> {
    sqlx::query("DELETE FROM login_attempts WHERE email = lower($1)").bind(email.as_str()).execute(pool).await?;
    Ok(())
}
