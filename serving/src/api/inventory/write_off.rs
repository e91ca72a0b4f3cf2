//! Units that go without being sold, and were promised to nobody.
//!
//! Orders promise units in the database `orders`, against the store `received`; movements are in the database `inventory`, and reach that store
//! a moment later. No transaction spans the two, so a write-off goes in three steps:
//!
//! 1. The units are *withdrawn*: in `orders`, as if an order had taken them ([`crate::api::orders::withdrawals`]).
//! 2. The movement is written in `inventory`, under the withdrawal's id.
//! 3. Once `received` includes the movement, the withdrawal ends and gives its units back: [`settle`], a periodic job.
//!
//! Between 1 and 3 the units may be missing twice, so fewer than there are can be sold, for a moment; never more. Step 3 lowers `allocations`
//! only after `received` was lowered, and under the lock that an order takes before it looks at both.
//!
//! A crash may come anywhere. The transaction of step 2 takes an advisory lock of the withdrawal's id *before* step 1, and the id is
//! new in each attempt. So when the job gets that lock, the transaction has ended for good, and the movement is there or never will be; no
//! writer can come late. If it never will be, the withdrawal ends at once.

use std::time::Duration;

use chimera_connectors::Frontier;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::booking::position;
use super::levels::check_held;
use super::warehouses::Warehouse;
use crate::api::orders::withdrawals;
use crate::api::problem::Result;
use crate::api::state::{App, WaitError};
use crate::shop::databases::begin;

/// The store that orders promise from.
pub const RECEIVED: &str = "inventory.received";
/// How often withdrawals are looked at.
pub const EVERY: Duration = Duration::from_secs(1);
/// How long a look waits for the store: a wait makes the store's sources move if nothing else does.
const WAIT: Duration = Duration::from_secs(2);

/// Withdraws units of which the warehouse's books hold `held`, for the transaction of `connection`; the id that its movement has to have.
///
/// # Errors
/// `stock-not-there` if the books hold less, `stock-promised` if orders were promised too many.
pub async fn withdraw(app: &App, connection: &mut PgConnection, warehouse: &Warehouse, sku: &str, held: i64, units: i64) -> Result<Uuid> {
    check_held(warehouse, sku, held, units)?;
    let id = Uuid::now_v7();
    lock(connection, id).await?;
    withdrawals::withdraw(&app.databases.orders, id, sku, units).await?;
    Ok(id)
}

/// Held by the transaction that may write the movement of a withdrawal.
pub async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock_number(id)).execute(connection).await?;
    Ok(())
}

/// The random half of the id.
fn lock_number(id: Uuid) -> i64 {
    id.as_u64_pair().1.cast_signed()
}

/// What became of the movement of a withdrawal.
enum Movement {
    /// Its transaction has not ended.
    Open,
    Written,
    /// And never will be.
    NotWritten,
}

async fn movement(inventory: &PgPool, id: Uuid) -> Result<Movement> {
    let mut transaction = begin(inventory).await?;
    let is_ours: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(lock_number(id)).fetch_one(&mut *transaction).await?;
    if !is_ours {
        return Ok(Movement::Open);
    }
    // A new statement: it sees what the transaction that had the lock has committed.
    let is_written: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM stock_movements WHERE id = $1)").bind(id).fetch_one(&mut *transaction).await?;
    transaction.rollback().await?;
    Ok(if is_written { Movement::Written } else { Movement::NotWritten })
}

/// Ends the withdrawals whose movement is in the store that orders promise from, or will never be.
pub async fn settle(app: &App) -> Result<()> {
    let (orders, inventory) = (&app.databases.orders, &app.databases.inventory);
    let mut written = Vec::new();
    for withdrawal in withdrawals::open(orders).await? {
        let id = withdrawal.id;
        if let Some(at) = withdrawal.position {
            written.push((id, at));
            continue;
        }
        match movement(inventory, id).await? {
            Movement::Open => {}
            Movement::NotWritten => withdrawals::release(orders, id).await?,
            Movement::Written => {
                let at = position(inventory).await?;
                withdrawals::set_position(orders, id, at).await?;
                written.push((id, at));
            }
        }
    }
    let Some(last) = written.iter().map(|(_, at)| *at).max() else { return Ok(()) };
    let status = match app.stores.wait_for(RECEIVED, &Frontier::single("inventory", last.cast_unsigned()), WAIT).await {
        Ok(status) | Err(WaitError::TimedOut(status)) => status,
        // Its pipeline does not run yet.
        Err(WaitError::UnknownStore) => return Ok(()),
    };
    let reached = status.frontier.get("inventory");
    for (id, _) in written.into_iter().filter(|(_, at)| at.cast_unsigned() <= reached) {
        withdrawals::release(orders, id).await?;
    }
    Ok(())
}
