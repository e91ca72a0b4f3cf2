//! The transaction that places an order.

use std::collections::HashMap;
use std::time::Duration;

use chimera_connectors::Frontier;
use chrono::Utc;
use rand::Rng;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::idempotency::{self, Claim, Key};
use super::number::number;
use super::request::{PlacedLine, PlacedOrder, Wanted};
use super::stock::{allocate, out_of_stock};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::products::prices::{Price, common_currency, prices};

/// How often a transaction that lost against another one is tried.
const ATTEMPTS: u32 = 6;

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
    let mut attempt = 1;
    let (order, replayed) = loop {
        match attempt_once(orders, catalog, key, &hash, wanted).await {
            Ok(done) => break done,
            Err(Failure::Lost(error)) if attempt < ATTEMPTS => {
                tracing::debug!(%error, attempt, "an order's transaction is tried again");
                let pause_ms = rand::rng().random_range(1..=5_u64 << attempt);
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                attempt += 1;
            }
            Err(Failure::Lost(error)) => {
                return Err(Problem::new(&kinds::BUSY, format!("The order lost against others {ATTEMPTS} times ({error}).")).retry_after(1));
            }
            Err(Failure::Final(problem)) => return Err(problem),
        }
    };
    // Read after the commit: everything up to here includes it.
    let position: i64 = sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetch_one(orders).await?;
    Ok(Outcome { order, replayed, position: Frontier::single("orders", position.cast_unsigned()) })
}

enum Failure {
    /// Against another transaction; the next attempt may do.
    Lost(sqlx::Error),
    Final(Problem),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|cause| cause.code()).unwrap_or_default().into_owned();
        match code.as_str() {
            // serialization_failure, deadlock_detected, lock_not_available
            "40001" | "40P01" | "55P03" => Self::Lost(error),
            // A number that another order has.
            "23505" => Self::Lost(error),
            // undefined_table
            "42P01" => Self::Final(
                Problem::new(&kinds::STORE_NOT_READY, "The stock levels are not there yet: the `inventory` pipeline has not made them.")
                    .retry_after(2),
            ),
            _ if matches!(error, sqlx::Error::RowNotFound) => Self::Lost(error),
            _ => Self::Final(error.into()),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Final(problem)
    }
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
    let shortages = allocate(transaction, wanted).await?;
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
