//! Taking stock for an order, never more than was received.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{PgConnection, Row};

use super::allocation_changes;
use crate::api::problem::{Problem, kinds};
use crate::shop::shards::Shard;

/// A line that cannot be had.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Shortage {
    pub sku: String,
    pub wanted: i64,
    pub available: i64,
}

/// Promises the wanted units to the order of this transaction, all of them or none. The rows of the SKUs stay locked until it ends, so a unit is
/// promised once; SKUs are locked in their order, so two orders do not wait for each other in a circle. Those that are the first of a SKU may:
/// then PostgreSQL breaks the circle, and one of them is tried again.
///
/// Returns what is short; then nothing was promised.
pub async fn allocate(connection: &mut PgConnection, wanted: &BTreeMap<String, i64>) -> Result<Vec<Shortage>, sqlx::Error> {
    let skus: Vec<&str> = wanted.keys().map(String::as_str).collect();
    let units: Vec<i64> = wanted.values().copied().collect();
    if lock(connection, &skus).await? < skus.len() {
        // Somebody's first.
        sqlx::query(
            "INSERT INTO allocations (sku, quantity) SELECT sku, 0 FROM unnest($1::text[]) AS wanted(sku) ORDER BY sku
             ON CONFLICT (sku) DO NOTHING",
        )
        .bind(&skus)
        .execute(&mut *connection)
        .await?;
        lock(connection, &skus).await?;
    }
    // A new statement sees what was committed while the locks were waited for.
    let taken = sqlx::query(
        "WITH wanted AS (SELECT * FROM unnest($1::text[], $2::bigint[]) AS wanted(sku, units))
         UPDATE allocations SET quantity = allocations.quantity + wanted.units FROM wanted
         WHERE allocations.sku = wanted.sku AND NOT EXISTS (
             SELECT FROM wanted JOIN allocations USING (sku) LEFT JOIN received USING (sku)
             WHERE allocations.quantity + wanted.units > coalesce(received.quantity, 0))",
    )
    .bind(&skus)
    .bind(&units)
    .execute(&mut *connection)
    .await?;
    if taken.rows_affected() == skus.len() as u64 {
        return Ok(vec![]);
    }
    let rows = sqlx::query(
        "SELECT wanted.sku, wanted.units, coalesce(received.quantity, 0) - allocations.quantity AS available
         FROM unnest($1::text[], $2::bigint[]) AS wanted(sku, units)
         JOIN allocations ON allocations.sku = wanted.sku
         LEFT JOIN received ON received.sku = wanted.sku
         WHERE allocations.quantity + wanted.units > coalesce(received.quantity, 0)
         ORDER BY wanted.sku",
    )
    .bind(&skus)
    .bind(&units)
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        // Something was received in between. As if another order had come first: the caller starts anew.
        return Err(sqlx::Error::RowNotFound);
    }
    rows.iter()
        .map(|row| {
            let available: i64 = row.try_get("available")?;
            Ok(Shortage { sku: row.try_get("sku")?, wanted: row.try_get("units")?, available: available.max(0) })
        })
        .collect()
}

/// Locks the rows of these SKUs, in their order, until the transaction ends. How many there are.
async fn lock(connection: &mut PgConnection, skus: &[&str]) -> Result<usize, sqlx::Error> {
    let locked = sqlx::query("SELECT 1 FROM allocations WHERE sku = ANY($1::text[]) ORDER BY sku FOR UPDATE").bind(skus);
    locked.execute(connection).await.map(|locked| usize::try_from(locked.rows_affected()).unwrap_or(usize::MAX))
}

/// Gives units free that an order of `shard` had, in its transaction: at home they can be had again from its end on, from elsewhere a moment
/// later.
pub async fn free(shard: &Shard, connection: &mut PgConnection, units: BTreeMap<String, i64>) -> Result<(), sqlx::Error> {
    if shard.is_home {
        return give_back(connection, &units).await;
    }
    let back = units.into_iter().map(|(sku, units)| (sku, -units)).collect();
    allocation_changes::write(connection, &back).await
}

/// Gives promised units free again, at home. Rows are locked as in [`allocate`].
pub async fn give_back(connection: &mut PgConnection, units: &BTreeMap<String, i64>) -> Result<(), sqlx::Error> {
    let skus: Vec<&str> = units.keys().map(String::as_str).collect();
    lock(connection, &skus).await?;
    sqlx::query(
        "UPDATE allocations SET quantity = quantity - given.units FROM unnest($1::text[], $2::bigint[]) AS given(sku, units)
         WHERE allocations.sku = given.sku",
    )
    .bind(&skus)
    .bind(units.values().copied().collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

pub fn out_of_stock(shortages: &[Shortage]) -> Problem {
    let first =
        shortages.first().map(|short| format!("`{}`: {} wanted, {} available", short.sku.escape_debug(), short.wanted, short.available));
    let more = if shortages.len() > 1 { format!(" (and {} more in `items`)", shortages.len() - 1) } else { String::new() };
    Problem::new(&kinds::OUT_OF_STOCK, format!("Nothing was ordered. {}{more}.", first.unwrap_or_default())).with("items", shortages)
}
