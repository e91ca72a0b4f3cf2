//! `POST /api/v1/orders/{id}/shipments`, and that one has arrived.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::idempotency::{self, Claim, Key};
use super::outbox::{self, Topic};
use super::request::{MAX_LINES, MAX_QUANTITY};
use super::shown::{self, Units, Viewer};
use super::status::{self, Locked, Status};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json, Path, invalid};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewShipment {
    #[schema(min_length = 1, max_length = 100, example = "Royal Mail")]
    pub carrier: String,
    #[schema(max_length = 100, example = "RM123456789GB")]
    pub tracking_number: Option<String>,
    /// Left out: all that has not been sent.
    #[schema(max_items = 100)]
    pub items: Option<Vec<Units>>,
}

impl Body for NewShipment {
    const MAX_BYTES: usize = 16 * 1024;
}

/// Units by line, within their bounds; several entries of a line are added up.
pub(super) fn by_line(items: &[Units]) -> Result<BTreeMap<i32, i32>> {
    let mut faults = Faults::default();
    faults.unless((1..=MAX_LINES).contains(&items.len()), "items", "1 to 100 lines are taken");
    let mut units = BTreeMap::new();
    for (i, item) in items.iter().enumerate().take(MAX_LINES) {
        if (1..=MAX_QUANTITY).contains(&i64::from(item.quantity)) {
            *units.entry(item.line_no).or_insert(0) += item.quantity;
        } else {
            faults.add(format!("items[{i}].quantity"), "a quantity goes from 1 to 10000");
        }
    }
    faults.check()?;
    Ok(units)
}

/// Sends some of an order, or what is left of it.
#[utoipa::path(post, path = "/api/v1/orders/{id}/shipments", tag = "orders", request_body = NewShipment,
    params(("id" = Uuid, Path), ("idempotency-key" = String, Header, description = "the same when this is sent again: it ships once")),
    responses((status = 200, body = shown::OrderResponse), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, description = "not paid, cancelled, or sent already", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_shipment(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(wanted): Json<NewShipment>,
) -> Result<Response> {
    let mut faults = Faults::default();
    faults.text("carrier", &wanted.carrier, 100);
    if let Some(number) = &wanted.tracking_number {
        faults.text("tracking_number", number, 100);
    }
    faults.check()?;
    let viewer = Viewer::of(&caller);
    let key = Key::from_headers(&headers)?.of(&format!("ship {id}"));
    let hash = *blake3::hash(&serde_json::to_vec(&wanted)?).as_bytes();
    let mut transaction = begin(&app.databases.shards.of(id).pool).await?;
    if let Claim::Ours = idempotency::claim(&mut transaction, &key, &hash).await? {
        let order = viewer.lock(&mut transaction, id).await?;
        ship(&mut transaction, &order, &wanted, &viewer.actor()).await?;
        idempotency::answer(&mut transaction, &key, 200, &serde_json::Value::from(id.to_string())).await?;
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    shown::answer(&app, id).await
}

async fn ship(connection: &mut PgConnection, order: &Locked, wanted: &NewShipment, actor: &str) -> Result<()> {
    let left = unsent(connection, order.id).await?;
    let items = match &wanted.items {
        Some(items) => by_line(items)?,
        None => left.clone(),
    };
    if items.is_empty() {
        return Err(status::wrong(order, "be sent: all of it has been"));
    }
    for (line_no, units) in &items {
        let there = left.get(line_no).copied().unwrap_or(0);
        if *units > there {
            return Err(invalid("items", format!("{units} units of line {line_no} are to be sent, and {there} are left to send")));
        }
    }
    let is_all = left.iter().all(|(line_no, units)| items.get(line_no) == Some(units));
    let next = if is_all { Status::Shipped } else { Status::PartiallyShipped };
    status::set(connection, order, next, actor, wanted.tracking_number.as_deref()).await?;
    let id = Uuid::now_v7();
    sqlx::query("INSERT INTO shipments (id, order_id, carrier, tracking_number) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(order.id)
        .bind(wanted.carrier.trim())
        .bind(&wanted.tracking_number)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO shipment_items (shipment_id, line_no, quantity) SELECT $1, * FROM unnest($2::int[], $3::int[])")
        .bind(id)
        .bind(items.keys().copied().collect::<Vec<_>>())
        .bind(items.values().copied().collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let units: Vec<Units> = items.iter().map(|(line_no, quantity)| Units { line_no: *line_no, quantity: *quantity }).collect();
    let more = json!({ "shipment": {
        "id": id, "carrier": wanted.carrier.trim(), "tracking_number": wanted.tracking_number, "is_last": is_all, "items": units } });
    outbox::tell(connection, order.id, Topic::Shipped, more).await
}

/// Units by line that are still to be sent. The order is locked.
async fn unsent(connection: &mut PgConnection, order_id: Uuid) -> Result<BTreeMap<i32, i32>> {
    let rows: Vec<(i32, i32)> = sqlx::query_as(
        "SELECT line_no, (quantity - coalesce((SELECT sum(s.quantity) FROM shipments JOIN shipment_items s ON s.shipment_id = shipments.id
             WHERE shipments.order_id = i.order_id AND s.line_no = i.line_no), 0))::int
         FROM order_items i WHERE order_id = $1 AND quantity > 0",
    )
    .bind(order_id)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().filter(|(_, units)| *units > 0).collect())
}

/// Says that a shipment has arrived. With the last one of an order that was sent whole, the order is delivered.
#[utoipa::path(post, path = "/api/v1/orders/{id}/shipments/{shipment_id}/delivered", tag = "orders",
    params(("id" = Uuid, Path), ("shipment_id" = Uuid, Path)),
    responses((status = 200, body = shown::OrderResponse), (status = 404, body = ProblemBody)))]
pub async fn deliver_shipment(State(app): State<App>, caller: Caller, Path((id, shipment_id)): Path<(Uuid, Uuid)>) -> Result<Response> {
    let viewer = Viewer::of(&caller);
    let mut transaction = begin(&app.databases.shards.of(id).pool).await?;
    let order = viewer.lock(&mut transaction, id).await?;
    let marked = sqlx::query("UPDATE shipments SET delivered_at = coalesce(delivered_at, now()) WHERE id = $1 AND order_id = $2")
        .bind(shipment_id)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    if marked.rows_affected() == 0 {
        return Err(Problem::new(&kinds::SHIPMENT_NOT_FOUND, format!("Order {} has no shipment {shipment_id}.", order.number)));
    }
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM shipments WHERE order_id = $1 AND delivered_at IS NULL")
        .bind(id)
        .fetch_one(&mut *transaction)
        .await?;
    if open == 0 && order.status == Status::Shipped {
        status::set(&mut transaction, &order, Status::Delivered, &viewer.actor(), None).await?;
        outbox::tell(&mut transaction, id, Topic::Delivered, json!({})).await?;
    }
    transaction.commit().await?;
    shown::answer(&app, id).await
}

/// How many units of each SKU were sent and have not come back, over all databases of orders; without SKUs of which nothing was ever sent.
/// A return counts once it was received: then its units can be sold again.
///
/// For the inventory module: stock-taking, see [`crate::api::inventory::counts`].
pub async fn sent_units(app: &App, skus: &[&str]) -> Result<BTreeMap<String, i64>> {
    let of_each = try_join_all(app.databases.shards.all().iter().map(|shard| sent_from(&shard.pool, skus))).await?;
    let mut sent = BTreeMap::new();
    for (sku, units) in of_each.into_iter().flatten() {
        *sent.entry(sku).or_insert(0) += units;
    }
    Ok(sent)
}

/// Those of the orders of one database. One statement: no return is seen without what it is a return of.
async fn sent_from(orders: &PgPool, skus: &[&str]) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT sku, sum(units)::bigint FROM (
             SELECT i.sku, s.quantity AS units FROM order_items i JOIN shipments ON shipments.order_id = i.order_id
             JOIN shipment_items s ON s.shipment_id = shipments.id AND s.line_no = i.line_no WHERE i.sku = ANY($1::text[])
             UNION ALL
             SELECT i.sku, -r.quantity FROM order_items i JOIN returns ON returns.order_id = i.order_id AND returns.status = 'received'
             JOIN return_items r ON r.return_id = returns.id AND r.line_no = i.line_no WHERE i.sku = ANY($1::text[])
         ) AS moved GROUP BY sku",
    )
    .bind(skus)
    .fetch_all(orders)
    .await
}
