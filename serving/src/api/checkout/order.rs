//! The order that a purchase becomes.

use chrono::Utc;
use rust_decimal::Decimal;
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::saga::Checkout;
use crate::api::orders::number::number;
use crate::api::orders::outbox::{self, Topic};
use crate::api::orders::status::{self, Status};
use crate::api::problem::Result;

/// Who does what a purchase brings about.
const SYSTEM: &str = "system";

/// Writes the order, its lines, who gets it, and the first line of its history, unless it is there.
pub(super) async fn insert(connection: &mut PgConnection, checkout: &Checkout) -> Result<()> {
    let (id, details) = (checkout.id, &checkout.details);
    let quote = &details.quote;
    let lines = &quote.lines;
    sqlx::query(
        "WITH placed AS (
             INSERT INTO orders (id, number, kind, customer_id, country, currency, status, placed_at, subtotal_cents, discount_cents,
                 shipping_cents, tax_cents, total_cents)
             VALUES ($1, $2, 'order', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING RETURNING id),
         lines AS (
             INSERT INTO order_items (order_id, line_no, sku, name, quantity, unit_price, paid_cents)
             SELECT id, line.no, line.sku, line.name, line.units, line.price, line.paid
             FROM placed, unnest($13::text[], $14::text[], $15::bigint[], $16::numeric[], $17::bigint[])
                 WITH ORDINALITY AS line(sku, name, units, price, paid, no)),
         contact AS (INSERT INTO order_contacts (order_id, email, shipping, billing) SELECT id, $18, $19, $20 FROM placed)
         INSERT INTO order_events (id, order_id, status, actor) SELECT $21, id, $6, $22 FROM placed",
    )
    .bind(id)
    .bind(number(id))
    .bind(checkout.user_id.map(|user_id| user_id.to_string()))
    .bind(&details.shipping.country)
    .bind(&quote.currency)
    .bind(Status::Placed)
    .bind(Utc::now())
    .bind(quote.subtotal_cents)
    .bind(quote.discount_cents)
    .bind(quote.shipping_cents)
    .bind(quote.tax_cents)
    .bind(quote.total_cents)
    .bind(lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| Decimal::new(line.unit_price_cents, 2)).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.total_cents).collect::<Vec<_>>())
    .bind(&details.email)
    .bind(Json(&details.shipping))
    .bind(Json(&details.billing))
    .bind(Uuid::now_v7())
    .bind(SYSTEM)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn exists(connection: &mut PgConnection, id: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM orders WHERE id = $1)").bind(id).fetch_one(connection).await?)
}

/// Says that it is paid for, unless that was said.
pub(super) async fn paid(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    let order = status::lock(connection, id).await?;
    if order.status != Status::Placed {
        return Ok(());
    }
    status::set(connection, &order, Status::Paid, SYSTEM, None).await?;
    outbox::tell(connection, id, Topic::Confirmation, json!({})).await
}
