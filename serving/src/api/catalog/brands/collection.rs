//! `/api/v1/catalog/brands`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::brand::{BrandFields, COLUMNS, CatalogBrand};
use crate::api::access::Caller;
use crate::api::catalog::refused::refused;
use crate::api::catalog::{Write, version};
use crate::api::extract::{Json, Query};
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogBrandsQuery {
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CatalogBrands {
    /// By id.
    pub brands: Vec<CatalogBrand>,
    /// For `after`; `null`: there are no more.
    pub next: Option<Uuid>,
}

/// Brands, a page at a time.
#[utoipa::path(get, path = "/api/v1/catalog/brands", tag = "catalog", params(CatalogBrandsQuery),
    responses((status = 200, body = CatalogBrands), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub async fn list_catalog_brands(State(app): State<App>, Query(query): Query<CatalogBrandsQuery>) -> Result<axum::Json<CatalogBrands>> {
    let limit = limit(query.limit, 50, 100)?;
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM brands WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2"));
    let mut brands: Vec<CatalogBrand> =
        sqlx::query_as(statement).bind(query.after).bind(limit as i64 + 1).fetch_all(&app.databases.catalog).await?;
    let has_more = brands.len() > limit;
    brands.truncate(limit);
    let next = brands.last().filter(|_| has_more).map(|brand| brand.id);
    Ok(axum::Json(CatalogBrands { brands, next }))
}

/// Adds a brand.
#[utoipa::path(post, path = "/api/v1/catalog/brands", tag = "catalog", request_body = BrandFields,
    responses((status = 201, body = CatalogBrand), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, description = "the name is taken", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_brand(State(app): State<App>, caller: Caller, Json(fields): Json<BrandFields>) -> Result<Response> {
    fields.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    let statement = sqlx::AssertSqlSafe(format!("INSERT INTO brands (id, name, description) VALUES ($1, $2, $3) RETURNING {COLUMNS}"));
    let brand: CatalogBrand = sqlx::query_as(statement)
        .bind(Uuid::now_v7())
        .bind(fields.name.trim())
        .bind(&fields.description)
        .fetch_one(&mut *write)
        .await
        .map_err(refused)?;
    let written = write.commit().await?;
    version::created(written, format!("/api/v1/catalog/brands/{}", brand.id), brand.version, &brand)
}
