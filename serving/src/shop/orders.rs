//! How orders are written in bulk: the rows of an order and what it takes from the stock room, in one statement and so in one transaction.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

use super::shards::{Shard, in_bucket};
use super::stable_id;

/// An order or a cancellation with its lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub number: String,
    pub is_cancellation: bool,
    pub customer_id: Option<String>,
    pub country: String,
    pub placed_at: DateTime<Utc>,
    pub lines: Vec<Line>,
}

/// A line of an order; negative quantities were taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub sku: String,
    pub quantity: i32,
    /// In units of the currency.
    pub unit_price: Decimal,
}

impl Order {
    /// Made from the number: the same order written twice is one order. It is where its customer's are.
    pub fn id(&self) -> Uuid {
        in_bucket(stable_id("order", &self.number), self.customer_id.as_deref())
    }
}

/// Inserts orders that are not there, their lines, and raises the allocations by what was inserted, all or nothing. Away from home it leaves the
/// allocations to be raised.
///
/// Allocations are locked in the order of their SKUs, as everyone does who takes stock, so that two writers cannot wait for each other.
const WRITE: &str = "
WITH placed AS (
    INSERT INTO orders (id, number, kind, customer_id, country, currency, status, placed_at)
    SELECT id, number, CASE WHEN cancelled THEN 'cancellation' ELSE 'order' END, customer_id, country, 'GBP',
           CASE WHEN cancelled THEN 'cancelled' ELSE 'placed' END, placed_at
      FROM unnest($1::uuid[], $2::text[], $3::bool[], $4::text[], $5::text[], $6::timestamptz[])
           AS o (id, number, cancelled, customer_id, country, placed_at)
    ON CONFLICT DO NOTHING
    RETURNING id
), lines AS (
    INSERT INTO order_items (order_id, line_no, sku, quantity, unit_price)
    SELECT order_id, line_no, sku, quantity, unit_price
      FROM unnest($7::uuid[], $8::int[], $9::text[], $10::int[], $11::numeric[]) AS l (order_id, line_no, sku, quantity, unit_price)
     WHERE order_id IN (SELECT id FROM placed)
    RETURNING sku, quantity
), taken AS (
    INSERT INTO allocations AS a (sku, quantity)
    SELECT sku, sum(quantity) FROM lines WHERE $12::bool GROUP BY sku ORDER BY sku
    ON CONFLICT (sku) DO UPDATE SET quantity = a.quantity + excluded.quantity
), left_over AS (
    INSERT INTO allocation_changes (id, sku, quantity)
    SELECT $13::uuid, sku, sum(quantity) FROM lines WHERE NOT $12::bool GROUP BY sku
)
SELECT (SELECT count(*) FROM placed) AS orders, (SELECT count(*) FROM lines) AS lines";

/// What a write added: 0 of what was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub orders: u64,
    pub lines: u64,
}

/// Writes `orders`, which belong into `shard`, in one transaction of one round trip by a connection to it. Orders that are there already are left
/// alone, with all that belongs to them.
pub async fn write(shard: &Shard, connection: &mut PgConnection, orders: &[Order]) -> Result<Written, sqlx::Error> {
    let ids: Vec<Uuid> = orders.iter().map(Order::id).collect();
    let lines = || orders.iter().zip(&ids).flat_map(|(order, id)| order.lines.iter().enumerate().map(move |(at, line)| (*id, at, line)));
    let (placed, lines): (i64, i64) = sqlx::query_as(WRITE)
        .bind(&ids)
        .bind(orders.iter().map(|order| order.number.as_str()).collect::<Vec<_>>())
        .bind(orders.iter().map(|order| order.is_cancellation).collect::<Vec<_>>())
        .bind(orders.iter().map(|order| order.customer_id.as_deref()).collect::<Vec<_>>())
        .bind(orders.iter().map(|order| order.country.as_str()).collect::<Vec<_>>())
        .bind(orders.iter().map(|order| order.placed_at).collect::<Vec<_>>())
        .bind(lines().map(|(id, _, _)| id).collect::<Vec<_>>())
        .bind(lines().map(|(_, at, _)| i32::try_from(at + 1).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind(lines().map(|(_, _, line)| line.sku.as_str()).collect::<Vec<_>>())
        .bind(lines().map(|(_, _, line)| line.quantity).collect::<Vec<_>>())
        .bind(lines().map(|(_, _, line)| line.unit_price).collect::<Vec<_>>())
        .bind(shard.is_home)
        .bind(Uuid::now_v7())
        .fetch_one(connection)
        .await?;
    Ok(Written { orders: placed.unsigned_abs(), lines: lines.unsigned_abs() })
}

/// [`write`], tried again when PostgreSQL broke off the transaction to let another one through.
pub async fn write_with_retries(shard: &Shard, connection: &mut PgConnection, orders: &[Order]) -> Result<Written, sqlx::Error> {
    const ATTEMPTS: u32 = 5;
    for attempt in 1..ATTEMPTS {
        match write(shard, connection, orders).await {
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("40001" | "40P01")) => {
                tracing::debug!(attempt, error = error.message(), "writing orders again");
                tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
            }
            done => return done,
        }
    }
    write(shard, connection, orders).await
}
