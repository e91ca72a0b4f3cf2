//! A movement: units of an article that came into a warehouse, or went out of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::warehouses::Warehouse;
use crate::api::problem::{Problem, Result};

/// More units than this in one movement are a slip of the pen.
pub const MAX_UNITS: i32 = 1_000_000;

/// Of deliveries.
pub const RECEIPT: &str = "receipt";
/// Of units that change the warehouse.
pub const TRANSFER: &str = "transfer";
/// Of differences that a stock-taking found.
pub const STOCK_TAKING: &str = "stock_taking";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StockMovement {
    pub id: Uuid,
    /// The code of the warehouse.
    #[schema(example = "MAIN")]
    pub warehouse: String,
    pub sku: String,
    /// Negative: units that went.
    pub quantity: i32,
    #[schema(example = "receipt")]
    pub reason: String,
    /// The paper behind it.
    pub reference: Option<String>,
    /// The account; `null`: an importer, or who runs the server.
    pub booked_by: Option<Uuid>,
    pub booked_at: DateTime<Utc>,
}

/// What several movements of one booking have in common.
pub struct Paper<'a> {
    pub reason: &'a str,
    pub reference: Option<&'a str>,
    pub booked_by: Option<Uuid>,
}

/// A movement to write.
pub struct NewMovement<'a> {
    pub id: Uuid,
    pub warehouse: &'a Warehouse,
    pub sku: &'a str,
    pub quantity: i32,
}

/// Writes movements. Triggers keep the levels of the warehouses, and refuse what would bring one below zero.
pub async fn insert(connection: &mut PgConnection, paper: &Paper<'_>, movements: &[NewMovement<'_>]) -> Result<Vec<StockMovement>> {
    let times: Vec<DateTime<Utc>> = sqlx::query_scalar(
        "INSERT INTO stock_movements (id, warehouse_id, sku, quantity, reason, reference, booked_by)
         SELECT new.id, new.warehouse_id, new.sku, new.quantity, $5, $6, $7
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) AS new(id, warehouse_id, sku, quantity)
         RETURNING created_at",
    )
    .bind(movements.iter().map(|new| new.id).collect::<Vec<_>>())
    .bind(movements.iter().map(|new| new.warehouse.id).collect::<Vec<_>>())
    .bind(movements.iter().map(|new| new.sku).collect::<Vec<_>>())
    .bind(movements.iter().map(|new| new.quantity).collect::<Vec<_>>())
    .bind(paper.reason)
    .bind(paper.reference)
    .bind(paper.booked_by)
    .fetch_all(connection)
    .await?;
    // The time of the transaction: the same for all.
    let booked_at = times.first().copied().ok_or_else(|| Problem::internal("a booking without movements"))?;
    let written = |new: &NewMovement<'_>| StockMovement {
        id: new.id,
        warehouse: new.warehouse.code.clone(),
        sku: new.sku.to_owned(),
        quantity: new.quantity,
        reason: paper.reason.to_owned(),
        reference: paper.reference.map(str::to_owned),
        booked_by: paper.booked_by,
        booked_at,
    };
    Ok(movements.iter().map(written).collect())
}
