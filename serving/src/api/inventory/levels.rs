//! What the books of a warehouse hold; and `GET /api/v1/inventory/{sku}/warehouses`.
//!
//! Triggers keep the levels in the transaction that writes a movement, since importers write movements too.

use axum::extract::State;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::sku;
use super::warehouses::Warehouse;
use crate::api::extract::Path;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// What the books of one warehouse hold of an article.
#[derive(Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct StockLevel {
    /// The code of the warehouse.
    #[schema(example = "MAIN")]
    pub warehouse: String,
    /// Receipts, adjustments and transfers. Sales are not taken off: they do not know warehouses.
    pub quantity: i64,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct StockLevels {
    pub sku: String,
    /// By code; without those that never had any.
    pub warehouses: Vec<StockLevel>,
    /// Of all warehouses.
    pub total: i64,
}

/// What the books of each warehouse hold of an article.
#[utoipa::path(get, path = "/api/v1/inventory/{sku}/warehouses", tag = "inventory", params(("sku" = String, Path)),
    responses((status = 200, body = StockLevels), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn list_levels(State(app): State<App>, Path(sku): Path<String>) -> Result<axum::Json<StockLevels>> {
    sku::check_path(&sku)?;
    // As many as there are warehouses, at most.
    let warehouses: Vec<StockLevel> = sqlx::query_as(
        "SELECT code AS warehouse, quantity FROM stock_levels JOIN warehouses ON warehouses.id = warehouse_id WHERE sku = $1 ORDER BY code",
    )
    .bind(&sku)
    .fetch_all(&app.databases.inventory)
    .await?;
    if warehouses.is_empty() {
        return Err(Problem::new(&kinds::SKU_NOT_FOUND, format!("No warehouse has had `{}`.", sku.escape_debug())));
    }
    let total = warehouses.iter().map(|level| level.quantity).sum();
    Ok(axum::Json(StockLevels { sku, warehouses, total }))
}

/// Locks the levels of an article in these warehouses until the transaction ends; what they hold, in the order of `warehouses`. All lock in
/// the order of the levels' key, the triggers too, so nobody waits in a circle.
pub async fn lock<const N: usize>(connection: &mut PgConnection, sku: &str, warehouses: [&Warehouse; N]) -> Result<[i64; N]> {
    let ids = warehouses.map(|warehouse| warehouse.id);
    sqlx::query(
        "INSERT INTO stock_levels (warehouse_id, sku, quantity) SELECT id, $2, 0 FROM unnest($1::uuid[]) AS id ORDER BY id
         ON CONFLICT DO NOTHING",
    )
    .bind(ids.as_slice())
    .bind(sku)
    .execute(&mut *connection)
    .await?;
    let levels: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT warehouse_id, quantity FROM stock_levels WHERE warehouse_id = ANY($1) AND sku = $2 ORDER BY warehouse_id FOR UPDATE",
    )
    .bind(ids.as_slice())
    .bind(sku)
    .fetch_all(connection)
    .await?;
    let held = |id: Uuid| levels.iter().find(|(warehouse_id, _)| *warehouse_id == id).map_or(0, |(_, quantity)| *quantity);
    Ok(ids.map(held))
}

/// How many the books of all other warehouses hold of an article.
pub async fn elsewhere(connection: &mut PgConnection, sku: &str, warehouse: &Warehouse) -> Result<i64> {
    let sql = "SELECT coalesce(sum(quantity), 0)::bigint FROM stock_levels WHERE sku = $1 AND warehouse_id <> $2";
    Ok(sqlx::query_scalar(sql).bind(sku).bind(warehouse.id).fetch_one(connection).await?)
}

/// Refuses to take out more than the books hold.
pub fn check_held(warehouse: &Warehouse, sku: &str, held: i64, wanted: i64) -> Result<()> {
    if wanted <= held {
        return Ok(());
    }
    let detail = format!("Of `{}` the books of {} hold {held} units, and {wanted} are to go.", sku.escape_debug(), warehouse.code);
    Err(Problem::new(&kinds::STOCK_NOT_THERE, detail).with("sku", sku).with("wanted", wanted).with("held", held))
}
