//! How often somebody may guess. Attempts are counted by address, whether it has an account or not, before the password is looked at: many
//! guesses at once are counted too.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

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
        "INSERT INTO login_attempts AS known (email, failures) VALUES ($1, 1)
         ON CONFLICT (email) DO UPDATE SET failures = known.failures + 1, last_at = now(),
             locked_until = CASE WHEN known.failures + 1 >= $2
                 THEN now() + make_interval(secs => least($4, $3 * 2 ^ least(known.failures + 1 - $2, 20))) END
         WHERE known.locked_until IS NULL OR known.locked_until <= now()
         RETURNING failures",
    )
    .bind(email.key())
    .bind(FREE)
    .bind(FIRST_PAUSE_S)
    .bind(LONGEST_PAUSE_S)
    .fetch_optional(pool)
    .await?;
    if taken.is_some() {
        return Ok(());
    }
    let until: Option<DateTime<Utc>> = sqlx::query_scalar("SELECT locked_until FROM login_attempts WHERE email = $1")
        .bind(email.key())
        .fetch_optional(pool)
        .await?
        .flatten();
    let seconds = until.map_or(1, |until| (until - Utc::now()).num_seconds().max(0) + 1);
    let detail = format!("There were too many attempts with this address. Try again in {seconds} s, or set a new password.");
    Err(Problem::new(&kinds::TOO_MANY_ATTEMPTS, detail).retry_after(u32::try_from(seconds).unwrap_or(1)))
}

/// After a success.
pub async fn clear(pool: &PgPool, email: &Email) -> Result<()> {
    sqlx::query("DELETE FROM login_attempts WHERE email = $1").bind(email.key()).execute(pool).await?;
    Ok(())
}
