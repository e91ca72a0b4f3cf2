//! Money that is owed: written with what it is owed for, in one transaction, and paid back by a job until the payment service has done it.

use std::time::Duration;

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::outbox::{self, Topic};
use crate::api::payments;
use crate::api::problem::Result;
use crate::api::state::App;
use crate::shop::databases::begin;
use crate::shop::shards::Shard;

/// How often the job looks.
pub const EVERY: Duration = Duration::from_secs(1);

/// Owes the buyer of an order `amount_cents`; nothing if that is 0.
pub async fn owe(connection: &mut PgConnection, order_id: Uuid, amount_cents: i64) -> Result<()> {
    if amount_cents > 0 {
        sqlx::query("INSERT INTO refunds (id, order_id, amount_cents) VALUES ($1, $2, $3)")
            .bind(Uuid::now_v7())
            .bind(order_id)
            .bind(amount_cents)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Pays back at once what is due, without the request waiting for it.
pub fn soon(app: &App, shard: &Shard) {
    let (app, pool) = (app.clone(), shard.pool.clone());
    tokio::spawn(async move {
        if let Err(problem) = pay_due(&app, &pool).await {
            tracing::warn!(%problem, "refunds are tried again");
        }
    });
}

/// Pays back what a database of orders has to be paid back. What fails is tried again, later each time; two who try at once ask for the same refund.
pub async fn pay_due(app: &App, pool: &PgPool) -> Result<()> {
    let due: Vec<(Uuid, Uuid, i64)> =
        sqlx::query_as("SELECT id, order_id, amount_cents FROM refunds WHERE done_at IS NULL AND run_at <= now() ORDER BY run_at LIMIT 50")
            .fetch_all(pool)
            .await?;
    for (id, order_id, amount_cents) in due {
        match payments::refund(app, id, order_id, amount_cents).await {
            Ok(()) => done(pool, id, order_id, amount_cents).await?,
            Err(problem) => {
                tracing::warn!(refund = %id, order = %order_id, %problem, "a refund is tried again");
                sqlx::query(
                    "UPDATE refunds SET attempts = attempts + 1, problem = $2,
                         run_at = now() + least(2 ^ least(attempts, 12), 3600) * interval '1 second'
                     WHERE id = $1",
                )
                .bind(id)
                .bind(problem.to_string())
                .execute(pool)
                .await?;
            }
        }
    }
    Ok(())
}

/// Of two who paid it back at once, the first tells of it.
async fn done(pool: &PgPool, id: Uuid, order_id: Uuid, amount_cents: i64) -> Result<()> {
    let mut transaction = begin(pool).await?;
    let done = sqlx::query("UPDATE refunds SET done_at = now(), problem = NULL WHERE id = $1 AND done_at IS NULL").bind(id);
    if done.execute(&mut *transaction).await?.rows_affected() == 1 {
        outbox::tell(&mut transaction, order_id, Topic::Refunded, json!({ "refund_cents": amount_cents })).await?;
    }
    Ok(transaction.commit().await?)
}
