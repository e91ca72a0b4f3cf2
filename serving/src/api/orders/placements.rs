//! Orders on their way to their database: decided at home, in the transaction that takes their stock, and then written where they belong.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::request::PlacedOrder;
use crate::api::problem::Result;
use crate::api::state::App;
use crate::shop::databases::begin;
use crate::shop::shards::Shard;

/// How often the job looks for those that a crash, or a database that was away, has left.
pub const EVERY: Duration = Duration::from_secs(1);
const AT_ONCE: i64 = 500;

/// An order as it is to be written.
#[derive(Debug, Serialize, Deserialize)]
pub struct Placement {
    pub order: PlacedOrder,
    pub customer_id: Option<String>,
    pub country: String,
    pub placed_at: DateTime<Utc>,
}

impl Placement {
    /// Writes the order, unless it is there.
    pub async fn insert(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let order = &self.order;
        let inserted = sqlx::query(
            "INSERT INTO orders (id, number, kind, customer_id, country, currency, status, placed_at)
             VALUES ($1, $2, 'order', $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        )
        .bind(order.id)
        .bind(&order.number)
        .bind(&self.customer_id)
        .bind(&self.country)
        .bind(&order.currency)
        .bind(&order.status)
        .bind(self.placed_at)
        .execute(&mut *connection)
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(());
        }
        let skus: Vec<&str> = order.items.iter().map(|line| line.sku.as_str()).collect();
        let units: Vec<i64> = order.items.iter().map(|line| line.quantity).collect();
        let prices: Vec<Decimal> = order.items.iter().map(|line| line.unit_price).collect();
        sqlx::query(
            "INSERT INTO order_items (order_id, line_no, sku, quantity, unit_price)
             SELECT $1, line.no, line.sku, line.units, line.price
             FROM unnest($2::text[], $3::bigint[], $4::numeric[]) WITH ORDINALITY AS line(sku, units, price, no)",
        )
        .bind(order.id)
        .bind(skus)
        .bind(units)
        .bind(prices)
        .execute(connection)
        .await
        .map(drop)
    }

    /// Leaves it for [`deliver`].
    pub async fn leave(&self, home: &mut PgConnection) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO placements (order_id, placed) VALUES ($1, $2)";
        sqlx::query(sql).bind(self.order.id).bind(Json(self)).execute(home).await.map(drop)
    }
}

/// Writes an order that was left where it belongs. Does nothing if that was done.
pub async fn deliver(app: &App, order_id: Uuid) -> Result<()> {
    let home = &app.databases.orders;
    let left: Option<Json<Placement>> =
        sqlx::query_scalar("SELECT placed FROM placements WHERE order_id = $1").bind(order_id).fetch_optional(home).await?;
    let Some(Json(placement)) = left else { return Ok(()) };
    let mut transaction = begin(&app.databases.shards.of(order_id).pool).await?;
    placement.insert(&mut transaction).await?;
    transaction.commit().await?;
    sqlx::query("DELETE FROM placements WHERE order_id = $1").bind(order_id).execute(home).await?;
    Ok(())
}

/// Delivers all that were left for a database.
pub async fn deliver_to(app: &App, shard: &Shard) -> Result<()> {
    // An id's last byte is its bucket: see `Shards::of`.
    let left: Vec<Uuid> = sqlx::query_scalar(
        "SELECT order_id FROM placements WHERE get_byte(uuid_send(order_id), 15) % $1 = $2 ORDER BY created_at LIMIT $3",
    )
    .bind(i32::try_from(app.databases.shards.all().len()).unwrap_or(i32::MAX))
    .bind(i32::try_from(shard.number).unwrap_or(i32::MAX))
    .bind(AT_ONCE)
    .fetch_all(&app.databases.orders)
    .await?;
    for order_id in left {
        deliver(app, order_id).await?;
    }
    Ok(())
}
