//! `POST /api/v1/orders/{id}/returns`, and what the shop decides about one.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::cancel::take_back;
use super::idempotency::{self, Claim, Key};
use super::outbox::{self, Topic};
use super::shipments::by_line;
use super::shown::{self, Units, Viewer};
use super::status::{self, Status};
use super::{allocation_changes, refunds};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json, Path, invalid};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReturn {
    #[schema(min_length = 1, max_length = 500, example = "too small")]
    pub reason: String,
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<Units>,
}

impl Body for NewReturn {
    const MAX_BYTES: usize = 16 * 1024;
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnDecision {
    pub decision: Decision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The articles are back: they can be sold again, and their price is given back.
    Received,
    Refused,
}

impl Body for ReturnDecision {
    const MAX_BYTES: usize = 1024;
}

/// What of a line can come back.
#[derive(sqlx::FromRow)]
struct Line {
    line_no: i32,
    quantity: i32,
    paid_cents: i64,
    shipped: i64,
    /// In returns that were not refused.
    returning: i64,
}

/// Asks to give articles back that were sent.
#[utoipa::path(post, path = "/api/v1/orders/{id}/returns", tag = "orders", request_body = NewReturn,
    params(("id" = Uuid, Path), ("idempotency-key" = String, Header, description = "the same when this is sent again: it is asked once")),
    responses((status = 200, body = shown::OrderResponse), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, description = "nothing was sent", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_return(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(wanted): Json<NewReturn>,
) -> Result<Response> {
    let mut faults = Faults::default();
    faults.text("reason", &wanted.reason, 500);
    faults.check()?;
    let items = by_line(&wanted.items)?;
    let key = Key::from_headers(&headers)?.of(&format!("return {id}"));
    let hash = *blake3::hash(&serde_json::to_vec(&wanted)?).as_bytes();
    let shard = app.databases.shards.of(id);
    let mut transaction = begin(&shard.pool).await?;
    let order = Viewer::of(&caller).lock(&mut transaction, id).await?;
    if let Claim::Ours = idempotency::claim(&mut transaction, &key, &hash).await? {
        if !matches!(order.status, Status::PartiallyShipped | Status::Shipped | Status::Delivered) {
            return Err(status::wrong(&order, "be returned: nothing of it has been sent"));
        }
        let refund_cents = price(&lines(&mut transaction, id).await?, &items)?;
        let return_id = Uuid::now_v7();
        sqlx::query("INSERT INTO returns (id, order_id, status, reason, refund_cents) VALUES ($1, $2, 'requested', $3, $4)")
            .bind(return_id)
            .bind(id)
            .bind(wanted.reason.trim())
            .bind(refund_cents)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO return_items (return_id, line_no, quantity) SELECT $1, * FROM unnest($2::int[], $3::int[])")
            .bind(return_id)
            .bind(items.keys().copied().collect::<Vec<_>>())
            .bind(items.values().copied().collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        idempotency::answer(&mut transaction, &key, 200, &serde_json::Value::from(return_id.to_string())).await?;
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    shown::answer(&app, id).await
}

async fn lines(connection: &mut PgConnection, order_id: Uuid) -> Result<BTreeMap<i32, Line>> {
    let lines: Vec<Line> = sqlx::query_as(
        "SELECT line_no, quantity, coalesce(paid_cents, 0) AS paid_cents,
             (SELECT coalesce(sum(s.quantity), 0) FROM shipments JOIN shipment_items s ON s.shipment_id = shipments.id
              WHERE shipments.order_id = i.order_id AND s.line_no = i.line_no) AS shipped,
             (SELECT coalesce(sum(r.quantity), 0) FROM returns JOIN return_items r ON r.return_id = returns.id
              WHERE returns.order_id = i.order_id AND returns.status <> 'refused' AND r.line_no = i.line_no) AS returning
         FROM order_items i WHERE order_id = $1",
    )
    .bind(order_id)
    .fetch_all(connection)
    .await?;
    Ok(lines.into_iter().map(|line| (line.line_no, line)).collect())
}

/// What these units cost. However a line is returned, piece by piece or at once, it comes to what was paid for it.
fn price(lines: &BTreeMap<i32, Line>, items: &BTreeMap<i32, i32>) -> Result<i64> {
    let mut sum = 0;
    for (line_no, units) in items {
        let line = lines.get(line_no).ok_or_else(|| invalid("items", format!("the order has no line {line_no}")))?;
        let units = i64::from(*units);
        let there = line.shipped - line.returning;
        if units > there {
            return Err(invalid("items", format!("{units} units of line {line_no} are to come back, and {there} can")));
        }
        let up_to = |units: i64| i128::from(line.paid_cents) * i128::from(units) / i128::from(line.quantity.max(1));
        sum += i64::try_from(up_to(line.returning + units) - up_to(line.returning)).map_err(Problem::internal)?;
    }
    Ok(sum)
}

/// Takes returned articles back, or refuses them. Said again, nothing changes.
#[utoipa::path(post, path = "/api/v1/orders/{id}/returns/{return_id}", tag = "orders", request_body = ReturnDecision,
    params(("id" = Uuid, Path), ("return_id" = Uuid, Path)),
    responses((status = 200, body = shown::OrderResponse), (status = 404, body = ProblemBody),
        (status = 409, description = "decided otherwise before", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn decide_return(
    State(app): State<App>,
    caller: Caller,
    Path((id, return_id)): Path<(Uuid, Uuid)>,
    Json(wanted): Json<ReturnDecision>,
) -> Result<Response> {
    let viewer = Viewer::of(&caller);
    let next = if wanted.decision == Decision::Received { "received" } else { "refused" };
    let shard = app.databases.shards.of(id);
    let mut transaction = begin(&shard.pool).await?;
    let order = viewer.lock(&mut transaction, id).await?;
    let found: Option<(String, i64)> = sqlx::query_as("SELECT status, refund_cents FROM returns WHERE id = $1 AND order_id = $2")
        .bind(return_id)
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    let (now, refund_cents) =
        found.ok_or_else(|| Problem::new(&kinds::RETURN_NOT_FOUND, format!("Order {} has no return {return_id}.", order.number)))?;
    if now != "requested" && now != next {
        return Err(Problem::new(&kinds::ORDER_STATE, format!("The return is {now} already.")));
    }
    if now == "requested" {
        sqlx::query("UPDATE returns SET status = $2, decided_at = now() WHERE id = $1")
            .bind(return_id)
            .bind(next)
            .execute(&mut *transaction)
            .await?;
        let back: Vec<(i32, i32)> = sqlx::query_as("SELECT line_no, quantity FROM return_items WHERE return_id = $1 ORDER BY line_no")
            .bind(return_id)
            .fetch_all(&mut *transaction)
            .await?;
        let units: Vec<Units> = back.iter().map(|(line_no, quantity)| Units { line_no: *line_no, quantity: *quantity }).collect();
        let mut more = json!({ "return": { "id": return_id, "items": units } });
        if wanted.decision == Decision::Received {
            take_back(shard, &mut transaction, &order, &back).await?;
            refunds::owe(&mut transaction, id, refund_cents).await?;
            if is_all_back(&mut transaction, id).await? && order.status.may_become(Status::Returned, true) {
                status::set(&mut transaction, &order, Status::Returned, &viewer.actor(), None).await?;
            }
            more["refund_cents"] = json!(refund_cents);
            outbox::tell(&mut transaction, id, Topic::ReturnReceived, more).await?;
        } else {
            outbox::tell(&mut transaction, id, Topic::ReturnRefused, more).await?;
        }
        transaction.commit().await?;
        refunds::soon(&app, shard);
        allocation_changes::soon(&app, shard);
    } else {
        transaction.rollback().await?;
    }
    shown::answer(&app, id).await
}

async fn is_all_back(connection: &mut PgConnection, order_id: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT coalesce(sum(quantity), 0) = 0 FROM order_items JOIN orders ON orders.id = order_items.order_id
         WHERE orders.id = $1 OR orders.parent_id = $1",
    )
    .bind(order_id)
    .fetch_one(connection)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(paid_cents: i64, quantity: i32, returning: i64) -> BTreeMap<i32, Line> {
        BTreeMap::from([(1, Line { line_no: 1, quantity, paid_cents, shipped: quantity.into(), returning })])
    }

    #[test]
    fn pieces_come_to_what_was_paid() {
        for (paid_cents, quantity) in [(100, 3), (1, 7), (999, 10), (0, 2)] {
            let pieces: i64 =
                (0..quantity).map(|i| price(&lines(paid_cents, quantity, i.into()), &BTreeMap::from([(1, 1)])).expect("a price")).sum();
            assert_eq!(pieces, paid_cents, "{quantity} units");
        }
    }

    #[test]
    fn no_more_comes_back_than_was_sent() {
        assert!(price(&lines(100, 3, 1), &BTreeMap::from([(1, 3)])).is_err());
        assert!(price(&lines(100, 3, 0), &BTreeMap::from([(2, 1)])).is_err());
    }
}
