//! `POST /api/v1/orders/{id}/cancel`, and what takes an order back.
//!
//! Lines are never changed: what is taken back is an order of its own, of the kind `cancellation`, with negative lines. Its units can be had
//! again from the moment that it is committed, or, of an order away from home, a moment later.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use chrono::Utc;
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::number::number;
use super::outbox::{self, Topic};
use super::shown::{self, Viewer};
use super::status::{self, Locked, Status};
use super::{allocation_changes, refunds, stock};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json, Path};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;
use crate::shop::databases::begin;
use crate::shop::shards::Shard;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    #[schema(max_length = 500, example = "ordered by mistake")]
    pub reason: Option<String>,
}

impl Body for Cancellation {
    const MAX_BYTES: usize = 4096;
}

/// Cancels an order of which nothing has been sent: its articles can be had again, and its money is given back. Done again it changes nothing.
#[utoipa::path(post, path = "/api/v1/orders/{id}/cancel", tag = "orders", params(("id" = Uuid, Path)), request_body = Cancellation,
    responses((status = 200, body = shown::OrderResponse), (status = 404, body = ProblemBody),
        (status = 409, description = "it is being paid, or on its way", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn cancel_order(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(wanted): Json<Cancellation>,
) -> Result<Response> {
    let mut faults = Faults::default();
    if let Some(reason) = &wanted.reason {
        faults.text("reason", reason, 500);
    }
    faults.check()?;
    let viewer = Viewer::of(&caller);
    let shard = app.databases.shards.of(id);
    let mut transaction = begin(&shard.pool).await?;
    let order = viewer.lock(&mut transaction, id).await?;
    if order.status != Status::Cancelled {
        if order.status == Status::Placed && order.total_cents.is_some() {
            return Err(status::wrong(&order, "be cancelled: its payment is being taken; try again in a moment"));
        }
        take_back_all(shard, &mut transaction, &order, &Cause { actor: &viewer.actor(), note: wanted.reason.as_deref() }).await?;
        let refund_cents = order.total_cents.unwrap_or(0);
        refunds::owe(&mut transaction, order.id, refund_cents).await?;
        let more = json!({ "refund_cents": refund_cents, "reason": wanted.reason });
        outbox::tell(&mut transaction, order.id, Topic::Cancelled, more).await?;
        transaction.commit().await?;
        refunds::soon(&app, shard);
        allocation_changes::soon(&app, shard);
    } else {
        transaction.rollback().await?;
    }
    shown::answer(&app, id).await
}

/// Who takes an order back, and why.
pub struct Cause<'a> {
    pub actor: &'a str,
    pub note: Option<&'a str>,
}

/// All of an order whose money was not taken. Done again it changes nothing.
pub async fn whole(shard: &Shard, connection: &mut PgConnection, id: Uuid, cause: &Cause<'_>) -> Result<()> {
    let order = status::lock(connection, id).await?;
    if order.status == Status::Cancelled { Ok(()) } else { take_back_all(shard, connection, &order, cause).await }
}

async fn take_back_all(shard: &Shard, connection: &mut PgConnection, order: &Locked, cause: &Cause<'_>) -> Result<()> {
    status::set(connection, order, Status::Cancelled, cause.actor, cause.note).await?;
    let lines: Vec<(i32, i32)> = sqlx::query_as("SELECT line_no, quantity FROM order_items WHERE order_id = $1 AND quantity > 0")
        .bind(order.id)
        .fetch_all(&mut *connection)
        .await?;
    take_back(shard, connection, order, &lines).await
}

/// Writes the cancellation of these units (line number, quantity), and gives them free.
pub async fn take_back(shard: &Shard, connection: &mut PgConnection, order: &Locked, lines: &[(i32, i32)]) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let id = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO orders (id, number, kind, customer_id, country, currency, status, placed_at, parent_id)
         VALUES ($1, $2, 'cancellation', $3, $4, $5, 'cancelled', $6, $7)",
    )
    .bind(id)
    .bind(format!("C-{}", number(id)))
    .bind(&order.customer_id)
    .bind(&order.country)
    .bind(&order.currency)
    .bind(Utc::now())
    .bind(order.id)
    .execute(&mut *connection)
    .await?;
    let (line_nos, units): (Vec<i32>, Vec<i32>) = lines.iter().copied().unzip();
    let returned: Vec<(String, i64)> = sqlx::query_as(
        "INSERT INTO order_items (order_id, line_no, sku, name, quantity, unit_price)
         SELECT $1, line.line_no, line.sku, line.name, -back.units, line.unit_price
         FROM unnest($3::int[], $4::int[]) AS back(line_no, units)
         JOIN order_items line ON line.order_id = $2 AND line.line_no = back.line_no
         RETURNING sku, -quantity::bigint",
    )
    .bind(id)
    .bind(order.id)
    .bind(line_nos)
    .bind(units)
    .fetch_all(&mut *connection)
    .await?;
    let mut free = BTreeMap::new();
    for (sku, units) in returned {
        *free.entry(sku).or_insert(0) += units;
    }
    Ok(stock::free(shard, connection, free).await?)
}
