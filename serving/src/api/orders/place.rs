//! The transaction that places an order.

use std::collections::HashMap;

use chimera_connectors::Frontier;
use chrono::Utc;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::contention::{Failure, retried};
use super::idempotency::{self, Claim, Key};
use super::number::number;
use super::request::{PlacedLine, PlacedOrder, Wanted};
use super::stock::{allocate, out_of_stock};
use crate::api::problem::{Problem, Result};
use crate::api::products::prices::{Price, common_currency, prices};

/// What came of it.
pub struct Outcome {
    pub order: PlacedOrder,
    /// The answer to an earlier request with the same key.
    pub replayed: bool,
    /// Every store that has reached this includes the order.
    pub position: Frontier,
}

/// Places an order, once a key. All or nothing.
pub async fn place(orders: &PgPool, catalog: &PgPool, key: &Key, wanted: &Wanted) -> Result<Outcome> {
    let hash = wanted.hash()?;
    let (order, replayed) = retried(|| attempt_once(orders, catalog, key, &hash, wanted)).await?;
    Ok(Outcome { order, replayed, position: position(orders).await? })
}

/// Up to where the database `orders` is now: asked after a commit, it includes that.
pub async fn position(orders: &PgPool) -> Result<Frontier> {
    let position: i64 = sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetch_one(orders).await?;
    Ok(Frontier::single("orders", position.cast_unsigned()))
}

async fn attempt_once(
    orders: &PgPool,
    catalog: &PgPool,
    key: &Key,
    hash: &[u8; 32],
    wanted: &Wanted,
) -> Result<(PlacedOrder, bool), Failure> {
    // Dropping it (a client that went away, a timeout) rolls it back, but a moment later.
    let mut transaction = orders.begin().await?;
    match write(&mut transaction, catalog, key, hash, wanted).await {
        Ok(done) => {
            transaction.commit().await?;
            Ok(done)
        }
        Err(failure) => {
            // Before the answer: who sends another order under the key at once is not told that this one is in flight. A connection that
            // cannot roll back is lost, and its transaction with it.
            transaction.rollback().await.ok();
            Err(failure)
        }
    }
}

/// What the transaction does, but for its end.
async fn write(
    transaction: &mut PgConnection,
    catalog: &PgPool,
    key: &Key,
    hash: &[u8; 32],
    wanted: &Wanted,
) -> Result<(PlacedOrder, bool), Failure> {
    if let Claim::Answered(response) = idempotency::claim(transaction, key, hash).await? {
        return Ok((serde_json::from_value(response).map_err(Problem::internal)?, true));
    }
    let order = compose(wanted, &prices(catalog, &wanted.skus()).await?)?;
    let shortages = allocate(transaction, &wanted.units).await?;
    if !shortages.is_empty() {
        return Err(Failure::Final(out_of_stock(&shortages)));
    }
    insert(transaction, &order, wanted).await?;
    let response: Value = serde_json::to_value(&order).map_err(Problem::internal)?;
    idempotency::answer(transaction, key, 201, &response).await?;
    Ok((order, false))
}

/// The order with the catalogue's prices.
fn compose(wanted: &Wanted, prices: &HashMap<String, Price>) -> Result<PlacedOrder> {
    let currency = common_currency(&wanted.skus(), prices)?;
    // At most 100 lines of 10,000 units at 2^31 cents: far from overflow.
    let total_cents = wanted.units.iter().map(|(sku, units)| prices[sku].cents * units).sum();
    let items = wanted
        .units
        .iter()
        .map(|(sku, units)| PlacedLine { sku: sku.clone(), quantity: *units, unit_price: prices[sku].amount() })
        .collect();
    let id = Uuid::now_v7();
    Ok(PlacedOrder { id, number: number(id), status: "placed".into(), currency: currency.to_owned(), total_cents, items })
}

async fn insert(connection: &mut PgConnection, order: &PlacedOrder, wanted: &Wanted) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO orders (id, number, kind, customer_id, country, currency, status, placed_at)
         VALUES ($1, $2, 'order', $3, $4, $5, $6, $7)",
    )
    .bind(order.id)
    .bind(&order.number)
    .bind(&wanted.customer_id)
    .bind(&wanted.country)
    .bind(&order.currency)
    .bind(&order.status)
    .bind(Utc::now())
    .execute(&mut *connection)
    .await?;
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
    .map(|_| ())
}
