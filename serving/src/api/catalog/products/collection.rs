//! `/api/v1/catalog/products`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::product::{self, COLUMNS, CatalogProduct, NewCatalogProduct};
use crate::api::access::Caller;
use crate::api::catalog::{Write, skus, version};
use crate::api::extract::{Json, Query, text_error};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogProductsQuery {
    /// A part of the name, or a whole SKU.
    #[param(max_length = 255)]
    q: Option<String>,
    category_id: Option<Uuid>,
    brand_id: Option<Uuid>,
    is_active: Option<bool>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CatalogProducts {
    /// By id: those that were made here in the order in which they were made.
    pub products: Vec<CatalogProduct>,
    /// For `after`; `null`: there are no more.
    pub next: Option<Uuid>,
}

/// Products of the catalogue, on sale or not, a page at a time.
#[utoipa::path(get, path = "/api/v1/catalog/products", tag = "catalog", params(CatalogProductsQuery),
    responses((status = 200, body = CatalogProducts), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub async fn list_catalog_products(
    State(app): State<App>,
    Query(query): Query<CatalogProductsQuery>,
) -> Result<axum::Json<CatalogProducts>> {
    let limit = limit(query.limit, 50, 100)?;
    if let Some(fault) = query.q.as_deref().and_then(|q| text_error(q, 255)) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`q`: {fault}.")));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM products WHERE ($1::text IS NULL OR strpos(lower(name), lower($1)) > 0 OR sku = $1)
         AND ($2::uuid IS NULL OR category_id = $2) AND ($3::uuid IS NULL OR brand_id = $3) AND ($4::boolean IS NULL OR is_active = $4)
         AND ($5::uuid IS NULL OR id > $5) ORDER BY id LIMIT $6"
    ));
    let mut products: Vec<CatalogProduct> = sqlx::query_as(statement)
        .bind(query.q)
        .bind(query.category_id)
        .bind(query.brand_id)
        .bind(query.is_active)
        .bind(query.after)
        .bind(limit as i64 + 1)
        .fetch_all(&app.databases.catalog)
        .await?;
    let has_more = products.len() > limit;
    products.truncate(limit);
    let next = products.last().filter(|_| has_more).map(|product| product.id);
    Ok(axum::Json(CatalogProducts { products, next }))
}

/// Adds a product.
#[utoipa::path(post, path = "/api/v1/catalog/products", tag = "catalog", request_body = NewCatalogProduct,
    responses((status = 201, body = CatalogProduct), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, description = "the SKU is taken", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_catalog_product(State(app): State<App>, caller: Caller, Json(new): Json<NewCatalogProduct>) -> Result<Response> {
    new.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    skus::claim(&mut write, &new.sku).await?;
    let product = product::insert(&mut write, &new).await?;
    let written = write.commit().await?;
    version::created(written, format!("/api/v1/catalog/products/{}", product.id), product.version, &product)
}
