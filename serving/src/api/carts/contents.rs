//! What is kept of a cart.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use super::copy;
use super::owner::Owner;
use crate::api::problem::Result;
use crate::api::state::App;

/// What a cart holds at a version of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = CartContents)]
pub struct Contents {
    pub id: Uuid,
    /// Counts the changes.
    pub version: i64,
    /// In the order of their SKUs.
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[schema(as = CartLine)]
pub struct Line {
    pub sku: String,
    pub quantity: i32,
    /// What it cost when the shopper last put it in. Not what it costs.
    pub price_cents: i64,
    pub currency: String,
}

/// What an owner's cart holds now; `None`: there is none.
pub async fn contents(app: &App, owner: &Owner) -> Result<Option<Contents>> {
    let Some(key) = owner.key() else { return Ok(None) };
    let pool = &app.databases.carts;
    let (head, copied) = tokio::join!(head(pool, owner), copy::get(&app.redis, &key));
    let Some(head) = head? else { return Ok(None) };
    if head.is_long_ago {
        touch(pool, head.id).await?;
    }
    let is_reached = copied.is_ok();
    if let Ok(Some(copied)) = copied
        && (copied.id, copied.version) == (head.id, head.version)
    {
        return Ok(Some(copied));
    }
    let contents = load(pool, head.id).await?;
    if let Some(contents) = contents.as_ref().filter(|_| is_reached) {
        copy::put(&app.redis, &key, contents).await;
    }
    Ok(contents)
}

#[derive(sqlx::FromRow)]
struct Head {
    id: Uuid,
    version: i64,
    /// Whether it was last touched so long ago that it is worth writing down.
    is_long_ago: bool,
}

async fn head(pool: &PgPool, owner: &Owner) -> Result<Option<Head>> {
    let (user, guest) = owner.columns();
    let found = sqlx::query_as(
        "SELECT id, version, last_accessed_at < now() - interval '1 hour' AS is_long_ago FROM carts WHERE user_id = $1 OR guest_hash = $2",
    );
    Ok(found.bind(user).bind(guest).fetch_optional(pool).await?)
}

/// When a cart was last looked at or changed, to the hour.
pub async fn last_accessed(pool: &PgPool, id: Uuid) -> Result<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar("SELECT last_accessed_at FROM carts WHERE id = $1").bind(id).fetch_optional(pool).await?)
}

pub(super) async fn is_there(pool: &PgPool, owner: &Owner) -> Result<bool> {
    Ok(head(pool, owner).await?.is_some())
}

async fn touch(pool: &PgPool, id: Uuid) -> Result<()> {
    sqlx::query("UPDATE carts SET last_accessed_at = now() WHERE id = $1").bind(id).execute(pool).await?;
    Ok(())
}

/// One statement, and so one moment: the lines are of the version that is read with them.
async fn load(pool: &PgPool, id: Uuid) -> Result<Option<Contents>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        version: i64,
        sku: Option<String>,
        quantity: Option<i32>,
        price_cents: Option<i64>,
        currency: Option<String>,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT version, sku, quantity, price_cents, currency FROM carts LEFT JOIN cart_items ON cart_id = id
         WHERE id = $1 ORDER BY sku COLLATE \"C\"",
    )
    .bind(id)
    .fetch_all(pool)
    .await?;
    let Some(version) = rows.first().map(|row| row.version) else { return Ok(None) };
    // A cart without articles is one row without a SKU.
    let line = |row: Row| Some(Line { sku: row.sku?, quantity: row.quantity?, price_cents: row.price_cents?, currency: row.currency? });
    Ok(Some(Contents { id, version, lines: rows.into_iter().filter_map(line).collect() }))
}
