//! What was sent, to whom, and what was not: a row a message and recipient. It is claimed before sending and marked after it, so that of two copies of
//! a message one is sent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Channel, Message};
use crate::api::problem::Result;

/// Longer than sending takes. A worker that died after the claim leaves the message alone for so long.
pub const CLAIMED_S: f64 = 90.0;
const KEPT_DAYS: i32 = 90;
const MAX_ERROR_CHARS: usize = 500;
/// Of one person's: more than anybody is written in the time for which they are kept.
const MAX_LETTERS: i64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[schema(as = DeliveryStatus)]
pub enum Status {
    /// Somebody is at it.
    Sending,
    /// It failed, and is tried again.
    Waiting,
    Sent,
    /// It failed for good, and lies in the queue of the dead.
    Dead,
    /// Nobody wants it any more: the webhook was removed or switched off.
    Dropped,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
        }
    }
}

/// A message to somebody, without what it says: that may hold secrets.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Delivery {
    pub id: Uuid,
    pub channel: Channel,
    #[schema(example = "order.shipped")]
    pub topic: String,
    /// An address or a URL; empty: erased.
    pub recipient: String,
    pub webhook_id: Option<Uuid>,
    pub status: Status,
    pub attempts: i32,
    /// Of the last attempt.
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`Delivery`].
pub const COLUMNS: &str = "id, channel, topic, recipient, webhook_id, status, attempts, error, created_at, updated_at";

/// A letter, as whom it was written to sees it.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Letter {
    #[schema(example = "order.shipped")]
    pub topic: String,
    pub status: Status,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What came of asking to send a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// For the so-manieth time, from 1.
    Ours(usize),
    /// Another copy of it is being sent, or was when its worker died.
    Elsewhere,
    /// There is nothing left to do.
    Over,
    /// It was put aside.
    Dead,
}

/// `is_replayed`: one that was put aside begins anew.
pub async fn claim(pool: &PgPool, message: &Message, channel: Channel, recipient: &str, is_replayed: bool) -> Result<Claim> {
    let attempts: Option<i32> = sqlx::query_scalar(
        "INSERT INTO deliveries AS known (id, channel, topic, recipient, webhook_id, status, attempts, claimed_until)
         VALUES ($1, $2, $3, $4, $5, 'sending', 1, now() + make_interval(secs => $6))
         ON CONFLICT (id) DO UPDATE SET status = 'sending', claimed_until = excluded.claimed_until, updated_at = now(),
             attempts = CASE WHEN known.status = 'dead' THEN 1 ELSE known.attempts + 1 END
         WHERE known.status = 'waiting' OR (known.status = 'sending' AND known.claimed_until < now()) OR (known.status = 'dead' AND $7)
         RETURNING attempts",
    )
    .bind(message.id)
    .bind(channel)
    .bind(&message.topic)
    .bind(recipient)
    .bind(message.webhook_id)
    .bind(CLAIMED_S)
    .bind(is_replayed)
    .fetch_optional(pool)
    .await?;
    if let Some(attempts) = attempts {
        return Ok(Claim::Ours(usize::try_from(attempts).unwrap_or(1)));
    }
    let status: Option<Status> =
        sqlx::query_scalar("SELECT status FROM deliveries WHERE id = $1").bind(message.id).fetch_optional(pool).await?;
    Ok(match status {
        Some(Status::Sent | Status::Dropped) => Claim::Over,
        Some(Status::Dead) => Claim::Dead,
        // Waiting or gone only now: whoever changed it was at it a moment ago.
        Some(Status::Sending | Status::Waiting) | None => Claim::Elsewhere,
    })
}

/// Writes down what came of a claim.
pub async fn finish(pool: &PgPool, id: Uuid, status: Status, error: Option<&str>) -> Result<()> {
    let error: Option<String> = error.map(|error| error.chars().filter(|c| *c != '\0').take(MAX_ERROR_CHARS).collect());
    // Whoever was erased meanwhile is not written to again.
    sqlx::query(
        "UPDATE deliveries SET error = $3, updated_at = now(),
             status = CASE WHEN recipient = '' AND topic LIKE 'account.%' AND $2 IN ('waiting', 'dead') THEN 'dropped' ELSE $2 END
         WHERE id = $1",
    )
    .bind(id)
    .bind(status)
    .bind(error)
    .execute(pool)
    .await?;
    Ok(())
}

/// Letters to the address of an account, the oldest first. Until it is verified, it may be somebody else's: then those about the account alone.
pub async fn letters(pool: &PgPool, email: &str, is_verified: bool) -> Result<Vec<Letter>> {
    let found = sqlx::query_as(
        "SELECT topic, status, created_at, updated_at FROM deliveries
         WHERE channel = 'email' AND lower(recipient) = lower($1) AND ($2 OR topic LIKE 'account.%') ORDER BY created_at, id LIMIT $3",
    );
    Ok(found.bind(email).bind(is_verified).bind(MAX_LETTERS).fetch_all(pool).await?)
}

/// Forgets whose address it was. Letters about the account that wait for another chance have nobody to go to any more.
pub async fn forget(pool: &PgPool, email: &str) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET recipient = '',
             status = CASE WHEN status IN ('waiting', 'dead') AND topic LIKE 'account.%' THEN 'dropped' ELSE status END
         WHERE channel = 'email' AND lower(recipient) = lower($1)",
    )
    .bind(email)
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets what no copy will come of any more.
pub async fn sweep(pool: &PgPool) -> Result<()> {
    sqlx::query("DELETE FROM deliveries WHERE created_at < now() - make_interval(days => $1)").bind(KEPT_DAYS).execute(pool).await?;
    Ok(())
}
