//! Units that orders away from home take or give back.
//!
//! `allocations` is at home, and no transaction spans two databases. So a change is written beside the order that it is for, added at home by
//! a job, once by its id, and then removed. Until then units that were given back are not promised again, which is on the safe side.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::api::problem::Result;
use crate::api::state::App;
use crate::shop::databases::begin;
use crate::shop::shards::Shard;

/// How often the job looks.
pub const EVERY: Duration = Duration::from_secs(1);
/// Changes, each of several SKUs, that are added in one transaction.
const AT_ONCE: i64 = 500;
/// Longer than a database of orders may be away: a change that is still there after this would count twice.
const KNOWN_FOR: &str = "90 days";

/// Writes a change, in the transaction of what it is for. Negative units are given back.
pub async fn write(connection: &mut PgConnection, units: &BTreeMap<String, i64>) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO allocation_changes (id, sku, quantity) SELECT $1, * FROM unnest($2::text[], $3::bigint[])")
        .bind(Uuid::now_v7())
        .bind(units.keys().map(String::as_str).collect::<Vec<_>>())
        .bind(units.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await
        .map(drop)
}

/// Adds them at once, without the request waiting for it.
pub fn soon(app: &App, shard: &Shard) {
    if shard.is_home {
        return;
    }
    let (home, shard) = (app.databases.orders.clone(), shard.clone());
    tokio::spawn(async move {
        if let Err(error) = add(&home, &shard.pool).await {
            tracing::warn!(%error, shard = shard.source, "units are allocated later");
        }
    });
}

/// Adds what a database has.
pub async fn add_from(app: &App, shard: &Shard) -> Result<()> {
    if shard.is_home { Ok(()) } else { Ok(add(&app.databases.orders, &shard.pool).await?) }
}

/// Two who do it at once do it once: the second one's ids wait for the first one's.
async fn add(home: &PgPool, shard: &PgPool) -> Result<(), sqlx::Error> {
    loop {
        let changes: Vec<(Uuid, String, i64)> = sqlx::query_as(
            "SELECT id, sku, quantity FROM allocation_changes WHERE id IN (SELECT DISTINCT id FROM allocation_changes ORDER BY id LIMIT $1)",
        )
        .bind(AT_ONCE)
        .fetch_all(shard)
        .await?;
        if changes.is_empty() {
            return Ok(());
        }
        let mut ids: Vec<Uuid> = changes.iter().map(|(id, ..)| *id).collect();
        ids.sort();
        ids.dedup();
        let mut transaction = begin(home).await?;
        let new: Vec<Uuid> =
            sqlx::query_scalar("INSERT INTO allocated_changes (id) SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING id")
                .bind(&ids)
                .fetch_all(&mut *transaction)
                .await?;
        let mut units: BTreeMap<&str, i64> = BTreeMap::new();
        for (_, sku, quantity) in changes.iter().filter(|(id, ..)| new.contains(id)) {
            *units.entry(sku).or_default() += quantity;
        }
        // In the order of their SKUs, as everyone who takes stock.
        sqlx::query(
            "INSERT INTO allocations AS a (sku, quantity) SELECT * FROM unnest($1::text[], $2::bigint[]) AS change (sku, quantity) ORDER BY sku
             ON CONFLICT (sku) DO UPDATE SET quantity = a.quantity + excluded.quantity",
        )
        .bind(units.keys().copied().collect::<Vec<_>>())
        .bind(units.values().copied().collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        sqlx::query("DELETE FROM allocation_changes WHERE id = ANY($1)").bind(&ids).execute(shard).await?;
    }
}

/// Forgets which changes were added long ago.
pub async fn forget_old(home: &PgPool) -> Result<()> {
    sqlx::query("DELETE FROM allocated_changes WHERE applied_at < now() - $1::interval").bind(KNOWN_FOR).execute(home).await?;
    Ok(())
}
