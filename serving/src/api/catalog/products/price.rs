//! `/api/v1/catalog/products/{id}/price`, and what it was before.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::product::{self, COLUMNS, CatalogProduct};
use crate::api::access::Caller;
use crate::api::catalog::version;
use crate::api::catalog::{Write, checks};
use crate::api::extract::{Body, Faults, IfMatch, Json, Path, Query, changed_meanwhile};
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// In hundredths of the currency.
    #[schema(minimum = 0)]
    pub price_cents: i32,
    #[schema(min_length = 3, max_length = 3, example = "GBP")]
    pub currency: String,
}

impl Body for NewPrice {
    const MAX_BYTES: usize = 1024;
}

/// Of the product, or of one of its variants.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct PriceChange {
    pub id: i64,
    pub sku: String,
    /// `null`: a variant had its product's price.
    pub old_price_cents: Option<i32>,
    pub new_price_cents: Option<i32>,
    pub old_currency: String,
    pub new_currency: String,
    /// The account; `null`: who runs the server.
    pub changed_by: Option<Uuid>,
    pub changed_at: DateTime<Utc>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PriceChangesQuery {
    /// The `next` of the page before.
    after: Option<i64>,
    /// 1 to 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct PriceChanges {
    /// The newest first.
    pub changes: Vec<PriceChange>,
    /// For `after`; `null`: there are no more.
    pub next: Option<i64>,
}

/// Sets a product's price. The next order pays it; the history keeps who changed it, and when.
#[utoipa::path(put, path = "/api/v1/catalog/products/{id}/price", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the product's ETag")), request_body = NewPrice,
    responses((status = 200, body = CatalogProduct), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "the product changed meanwhile", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn put_price(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(price): Json<NewPrice>,
) -> Result<Response> {
    let mut faults = Faults::default();
    checks::price(&mut faults, "price_cents", price.price_cents);
    checks::currency(&mut faults, "currency", &price.currency);
    faults.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE products SET base_price_cents = $3, currency = $4
         WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2)) RETURNING {COLUMNS}"
    ));
    let updated: Option<CatalogProduct> = sqlx::query_as(statement)
        .bind(id)
        .bind(if_match.versions())
        .bind(price.price_cents)
        .bind(&price.currency)
        .fetch_optional(&mut *write)
        .await?;
    let Some(product) = updated else { return Err(changed_meanwhile(product::find(&mut write, id).await?.version)) };
    Ok(version::written(StatusCode::OK, write.commit().await?, product.version, &product))
}

/// What the prices of a product and of its variants were, and who changed them.
#[utoipa::path(get, path = "/api/v1/catalog/products/{id}/price-changes", tag = "catalog", params(("id" = Uuid, Path), PriceChangesQuery),
    responses((status = 200, body = PriceChanges), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn list_price_changes(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Query(query): Query<PriceChangesQuery>,
) -> Result<axum::Json<PriceChanges>> {
    let limit = limit(query.limit, 50, 100)?;
    let mut connection = app.databases.catalog.acquire().await?;
    product::find(&mut connection, id).await?;
    let mut changes: Vec<PriceChange> = sqlx::query_as(
        "SELECT id, sku, old_price_cents, new_price_cents, old_currency, new_currency, changed_by, changed_at FROM price_changes
         WHERE product_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(id)
    .bind(query.after)
    .bind(limit as i64 + 1)
    .fetch_all(&mut *connection)
    .await?;
    let has_more = changes.len() > limit;
    changes.truncate(limit);
    let next = changes.last().filter(|_| has_more).map(|change| change.id);
    Ok(axum::Json(PriceChanges { changes, next }))
}
