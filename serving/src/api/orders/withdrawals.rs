//! Units on their way out of the stock room: taken from what may be promised before they are written off.
//!
//! Only the inventory module calls this, see [`crate::api::inventory::write_off`].

use sqlx::PgPool;
use uuid::Uuid;

use crate::api::problem::{Problem, Result, kinds};
use crate::shop::databases::begin;

/// How many withdrawals are looked at in one go.
const AT_ONCE: i64 = 1000;

/// A withdrawal that is not over.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Withdrawal {
    pub id: Uuid,
    /// See [`set_position`].
    pub position: Option<i64>,
}

/// Takes units that nobody was promised, so that nobody will be.
///
/// # Errors
/// `stock-promised` if there are not as many.
pub async fn withdraw(orders: &PgPool, id: Uuid, sku: &str, units: i64) -> Result<()> {
    let mut transaction = begin(orders).await?;
    sqlx::query("INSERT INTO allocations (sku, quantity) VALUES ($1, 0) ON CONFLICT (sku) DO NOTHING")
        .bind(sku)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("SELECT 1 FROM allocations WHERE sku = $1 FOR UPDATE").bind(sku).execute(&mut *transaction).await?;
    // A new statement sees what was committed while the lock was waited for.
    let taken = sqlx::query(
        "UPDATE allocations SET quantity = allocations.quantity + $2 FROM received
         WHERE allocations.sku = $1 AND received.sku = $1 AND allocations.quantity + $2 <= received.quantity",
    )
    .bind(sku)
    .bind(units)
    .execute(&mut *transaction)
    .await
    .map_err(no_levels_yet)?;
    if taken.rows_affected() == 0 {
        let free: i64 = sqlx::query_scalar(
            "SELECT greatest(coalesce((SELECT quantity FROM received WHERE sku = $1), 0) - quantity, 0) FROM allocations WHERE sku = $1",
        )
        .bind(sku)
        .fetch_one(&mut *transaction)
        .await?;
        let detail = format!("Of `{}` {units} units are to go, and {free} are promised to nobody.", sku.escape_debug());
        return Err(Problem::new(&kinds::STOCK_PROMISED, detail).with("sku", sku).with("wanted", units).with("available", free));
    }
    sqlx::query("INSERT INTO withdrawals (id, sku, quantity) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(sku)
        .bind(units)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// The table `received` is the `inventory` pipeline's to make.
fn no_levels_yet(error: sqlx::Error) -> Problem {
    if error.as_database_error().and_then(|cause| cause.code()).as_deref() == Some("42P01") {
        return Problem::new(&kinds::STORE_NOT_READY, "The stock levels are not there yet: the `inventory` pipeline has not made them.")
            .retry_after(2);
    }
    error.into()
}

/// The oldest withdrawals that are not over.
pub async fn open(orders: &PgPool) -> Result<Vec<Withdrawal>> {
    let sql = "SELECT id, position FROM withdrawals ORDER BY created_at, id LIMIT $1";
    Ok(sqlx::query_as(sql).bind(AT_ONCE).fetch_all(orders).await?)
}

/// The movement was written, somewhere before `position` in the changes of the database `inventory`.
pub async fn set_position(orders: &PgPool, id: Uuid, position: i64) -> Result<()> {
    let sql = "UPDATE withdrawals SET position = $2 WHERE id = $1 AND position IS NULL";
    sqlx::query(sql).bind(id).bind(position).execute(orders).await?;
    Ok(())
}

/// Ends a withdrawal whose units `received` has no longer, or whose movement will never be written. Does nothing if it has ended.
///
/// One statement, so that the units are given back with the row, once.
pub async fn release(orders: &PgPool, id: Uuid) -> Result<()> {
    sqlx::query(
        "WITH ended AS (DELETE FROM withdrawals WHERE id = $1 RETURNING sku, quantity)
         UPDATE allocations SET quantity = allocations.quantity - ended.quantity FROM ended WHERE allocations.sku = ended.sku",
    )
    .bind(id)
    .execute(orders)
    .await?;
    Ok(())
}
