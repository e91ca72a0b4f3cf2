//! Transactional outboxes: a service writes its messages into a table of its own database, in the transaction of what they tell of, and a job
//! hands them to the broker. A row goes once the broker has the message on its disk; until then, and whatever is killed, it stays.
//!
//! Each service that has something to tell has a table `outbox` of the same columns, and nobody else reads it.

use crate::shop::databases::begin;
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::notifications::{self, Channel, Message, Notifications};
use super::problem::{Problem, Result};

/// Handed over in one transaction.
const BATCH: i64 = 100;
/// What could not be handed over for so long is of no use to anyone any more.
const KEPT_DAYS: i32 = 7;

/// Writes a message. `email`: of whom it is for; `None`: programs alone are told.
pub async fn write(connection: &mut PgConnection, topic: &str, email: Option<&str>, data: impl Serialize) -> Result<()> {
    let data: Value = serde_json::to_value(data).map_err(Problem::internal)?;
    sqlx::query("INSERT INTO outbox (message_id, topic, email, data) VALUES ($1, $2, $3, $4)")
        .bind(Uuid::now_v7())
        .bind(topic)
        .bind(email)
        .bind(data)
        .execute(connection)
        .await?;
    Ok(())
}

/// Hands what is in the outbox of a database to the broker, for these channels. Of two that do so at once each takes other rows. A message that was
/// handed over, but whose row could not be removed, is handed over again under the same id.
pub async fn relay(notifications: Option<&Notifications>, pool: &PgPool, channels: &[Channel]) -> Result<()> {
    let Some(notifications) = notifications else { return Ok(()) };
    loop {
        match notifications.broker.ready().await {
            Err(notifications::broker::Error::Resting) => return Ok(()),
            ready => ready?,
        }
        let mut transaction = begin(pool).await?;
        let messages: Vec<Message> = sqlx::query_as(
            "SELECT message_id AS id, topic, email, data, created_at FROM outbox ORDER BY created_at, message_id LIMIT $1 FOR UPDATE SKIP LOCKED",
        )
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await?;
        if messages.is_empty() {
            return Ok(());
        }
        let copies =
            messages.iter().flat_map(|message| channels.iter().filter_map(move |channel| channel.copy(message))).collect::<Vec<_>>();
        notifications.broker.publish(&copies).await?;
        sqlx::query("DELETE FROM outbox WHERE message_id = ANY($1)")
            .bind(messages.iter().map(|message| message.id).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
}

/// Removes what nobody has taken for a week: the broker was away, or nothing is sent here at all.
pub async fn sweep(pool: &PgPool, service: &'static str) -> Result<()> {
    let removed =
        sqlx::query("DELETE FROM outbox WHERE created_at < now() - make_interval(days => $1)").bind(KEPT_DAYS).execute(pool).await?;
    if removed.rows_affected() > 0 {
        tracing::warn!(service, messages = removed.rows_affected(), "messages that nobody took for a week were removed");
        metrics::counter!("chimera_outbox_removed_total", "service" => service).increment(removed.rows_affected());
    }
    Ok(())
}
