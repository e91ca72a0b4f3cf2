//! `PUT /api/v1/inventory/{sku}/reorder-point`.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::sku;
use crate::api::extract::{Body, Faults, Json, Path};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

const MAX_THRESHOLD: i32 = 1_000_000;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReorderPoint {
    /// As many available units, or fewer, and the article is reported as low on stock.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub threshold: i32,
}

impl Body for NewReorderPoint {
    const MAX_BYTES: usize = 1024;
}

#[derive(Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ReorderPoint {
    pub sku: String,
    pub threshold: i32,
}

/// Sets how few units of an article are too few.
#[utoipa::path(put, path = "/api/v1/inventory/{sku}/reorder-point", tag = "inventory", params(("sku" = String, Path)),
    request_body = NewReorderPoint,
    responses((status = 200, body = ReorderPoint), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, description = "out of bounds, or a SKU that is not in the catalogue",
        body = ProblemBody)))]
pub async fn put_reorder_point(
    State(app): State<App>,
    Path(sku): Path<String>,
    Json(wanted): Json<NewReorderPoint>,
) -> Result<axum::Json<ReorderPoint>> {
    sku::check_path(&sku)?;
    let mut faults = Faults::default();
    faults.unless((0..=MAX_THRESHOLD).contains(&wanted.threshold), "threshold", "a reorder point goes from 0 to 1000000");
    faults.check()?;
    sku::check_known(&app, &[&sku]).await?;
    let saved = sqlx::query_as(
        "INSERT INTO reorder_points (sku, threshold) VALUES ($1, $2) ON CONFLICT (sku) DO UPDATE SET threshold = excluded.threshold
         RETURNING sku, threshold",
    )
    .bind(&sku)
    .bind(wanted.threshold)
    .fetch_one(&app.databases.inventory)
    .await?;
    Ok(axum::Json(saved))
}
