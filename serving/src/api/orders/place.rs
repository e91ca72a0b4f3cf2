//! The transaction that places an order.

use std::collections::HashMap;

use chimera_connectors::Frontier;
use chrono::Utc;
use serde_json::Value;
use sqlx::PgConnection;

use super::contention::{Failure, retried};
use super::idempotency::{self, Claim, Key};
use super::number::number;
use super::placements::{self, Placement};
use super::request::{PlacedLine, PlacedOrder, Wanted};
use super::stock::{allocate, out_of_stock};
use crate::api::problem::{Problem, Result};
use crate::api::products::prices::{Price, common_currency, prices};
use crate::api::state::App;
use crate::shop::databases::begin;
use crate::shop::shards::{Shard, order_id};

/// What came of it.
pub struct Outcome {
    pub order: PlacedOrder,
    /// The answer to an earlier request with the same key.
    pub replayed: bool,
    /// Every store that has reached this includes the order.
    pub position: Frontier,
}

/// Places an order, once a key. All or nothing.
///
/// # Errors
/// Also if the order is decided, and the database that it belongs into is away: sent again with its key it is answered once it is there.
pub async fn place(app: &App, key: &Key, wanted: &Wanted) -> Result<Outcome> {
    let hash = wanted.hash()?;
    let (order, replayed) = retried(|| attempt_once(app, key, &hash, wanted)).await?;
    let shard = app.databases.shards.of(order.id);
    if !shard.is_home {
        placements::deliver(app, order.id).await?;
    }
    Ok(Outcome { position: position(shard).await?, order, replayed })
}

/// Up to where a database of orders is now: asked after a commit, it includes that.
pub async fn position(shard: &Shard) -> Result<Frontier> {
    let position: i64 = sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetch_one(&shard.pool).await?;
    Ok(Frontier::single(&shard.source, position.cast_unsigned()))
}

async fn attempt_once(app: &App, key: &Key, hash: &[u8; 32], wanted: &Wanted) -> Result<(PlacedOrder, bool), Failure> {
    // Dropping it (a client that went away, a timeout) rolls it back, but a moment later.
    let mut transaction = begin(&app.databases.orders).await?;
    match write(&mut transaction, app, key, hash, wanted).await {
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
    app: &App,
    key: &Key,
    hash: &[u8; 32],
    wanted: &Wanted,
) -> Result<(PlacedOrder, bool), Failure> {
    if let Claim::Answered(response) = idempotency::claim(transaction, key, hash).await? {
        return Ok((serde_json::from_value(response).map_err(Problem::internal)?, true));
    }
    let order = compose(wanted, &prices(&app.databases.catalog, &wanted.skus()).await?)?;
    let shortages = allocate(transaction, &wanted.units).await?;
    if !shortages.is_empty() {
        return Err(Failure::Final(out_of_stock(&shortages)));
    }
    let response: Value = serde_json::to_value(&order).map_err(Problem::internal)?;
    idempotency::answer(transaction, key, 201, &response).await?;
    let is_here = app.databases.shards.of(order.id).is_home;
    let placement = Placement { order, customer_id: wanted.customer_id.clone(), country: wanted.country.clone(), placed_at: Utc::now() };
    if is_here {
        placement.insert(transaction).await?;
    } else {
        placement.leave(transaction).await?;
    }
    Ok((placement.order, false))
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
    let id = order_id(wanted.customer_id.as_deref());
    Ok(PlacedOrder { id, number: number(id), status: "placed".into(), currency: currency.to_owned(), total_cents, items })
}
