//! `GET /api/v1/inventory/{sku}/movements`: the history of an article.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::movement::StockMovement;
use super::sku;
use crate::api::extract::{Path, Query};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MovementsQuery {
    /// The `next` of the page before.
    before: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct StockMovements {
    /// Newest first.
    pub movements: Vec<MovementWithTotal>,
    /// For `before`; `null`: there are no more.
    pub next: Option<Uuid>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct MovementWithTotal {
    #[serde(flatten)]
    pub movement: StockMovement,
    /// Of this and all older movements of the article, in all warehouses.
    pub running_total: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    warehouse: String,
    quantity: i32,
    reason: String,
    reference: Option<String>,
    booked_by: Option<Uuid>,
    booked_at: DateTime<Utc>,
    running_total: i64,
}

/// Importers make ids that say nothing of the time, so movements stand by time first. One statement, so that the totals and the rows are of one
/// moment; of what is older than the page only the sum is taken.
const PAGE: &str = "
    WITH page AS (
        SELECT * FROM stock_movements
        WHERE sku = $1 AND ($2::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM stock_movements WHERE id = $2 AND sku = $1))
        ORDER BY created_at DESC, id DESC LIMIT $3),
    older AS (
        SELECT coalesce(sum(quantity), 0) AS quantity FROM stock_movements
        WHERE sku = $1 AND (created_at, id) < (SELECT created_at, id FROM page ORDER BY created_at, id LIMIT 1))
    SELECT page.id, warehouses.code AS warehouse, page.quantity, page.reason, page.reference, page.booked_by, page.created_at AS booked_at,
           (older.quantity + sum(page.quantity) OVER (ORDER BY page.created_at, page.id))::bigint AS running_total
    FROM page JOIN warehouses ON warehouses.id = page.warehouse_id CROSS JOIN older
    ORDER BY page.created_at DESC, page.id DESC";

/// Movements of an article, newest first, with what they add up to.
#[utoipa::path(get, path = "/api/v1/inventory/{sku}/movements", tag = "inventory", params(("sku" = String, Path), MovementsQuery),
    responses((status = 200, body = StockMovements), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn list_movements(
    State(app): State<App>,
    Path(sku): Path<String>,
    Query(query): Query<MovementsQuery>,
) -> Result<axum::Json<StockMovements>> {
    sku::check_path(&sku)?;
    let limit = limit(query.limit, 50, 100)?;
    let mut rows: Vec<Row> =
        sqlx::query_as(PAGE).bind(&sku).bind(query.before).bind(limit as i64 + 1).fetch_all(&app.databases.inventory).await?;
    if rows.is_empty() && query.before.is_none() {
        return Err(Problem::new(&kinds::SKU_NOT_FOUND, format!("No movement names `{}`.", sku.escape_debug())));
    }
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|row| row.id);
    let with_total = |row: Row| MovementWithTotal {
        movement: StockMovement {
            id: row.id,
            warehouse: row.warehouse,
            sku: sku.clone(),
            quantity: row.quantity,
            reason: row.reason,
            reference: row.reference,
            booked_by: row.booked_by,
            booked_at: row.booked_at,
        },
        running_total: row.running_total,
    };
    Ok(axum::Json(StockMovements { movements: rows.into_iter().map(with_total).collect(), next }))
}
