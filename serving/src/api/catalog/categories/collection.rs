//! `/api/v1/catalog/categories`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::category::{COLUMNS, CatalogCategory, CategoryFields};
use super::place;
use crate::api::access::Caller;
use crate::api::catalog::lock::Lock;
use crate::api::catalog::refused::refused;
use crate::api::catalog::{Write, version};
use crate::api::extract::{Json, Query};
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogCategoriesQuery {
    /// Those that stand directly below this one.
    parent_id: Option<Uuid>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CatalogCategories {
    /// By id. GET /api/v1/categories shows the tree.
    pub categories: Vec<CatalogCategory>,
    /// For `after`; `null`: there are no more.
    pub next: Option<Uuid>,
}

/// Categories, a page at a time.
#[utoipa::path(get, path = "/api/v1/catalog/categories", tag = "catalog", params(CatalogCategoriesQuery),
    responses((status = 200, body = CatalogCategories), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub async fn list_catalog_categories(
    State(app): State<App>,
    Query(query): Query<CatalogCategoriesQuery>,
) -> Result<axum::Json<CatalogCategories>> {
    let limit = limit(query.limit, 50, 100)?;
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM categories WHERE ($1::uuid IS NULL OR parent_id = $1) AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3"
    ));
    let mut categories: Vec<CatalogCategory> =
        sqlx::query_as(statement).bind(query.parent_id).bind(query.after).bind(limit as i64 + 1).fetch_all(&app.databases.catalog).await?;
    let has_more = categories.len() > limit;
    categories.truncate(limit);
    let next = categories.last().filter(|_| has_more).map(|category| category.id);
    Ok(axum::Json(CatalogCategories { categories, next }))
}

/// Adds a category.
#[utoipa::path(post, path = "/api/v1/catalog/categories", tag = "catalog", request_body = CategoryFields,
    responses((status = 201, body = CatalogCategory), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, description = "the name is taken, or there are 5000", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_category(State(app): State<App>, caller: Caller, Json(fields): Json<CategoryFields>) -> Result<Response> {
    fields.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    Lock::Categories.take(&mut write).await?;
    place::check_new(&mut write, fields.parent_id).await?;
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO categories (id, name, description, parent_id) VALUES ($1, $2, $3, $4) RETURNING {COLUMNS}"
    ));
    let category: CatalogCategory = sqlx::query_as(statement)
        .bind(Uuid::now_v7())
        .bind(fields.name.trim())
        .bind(&fields.description)
        .bind(fields.parent_id)
        .fetch_one(&mut *write)
        .await
        .map_err(refused)?;
    let written = write.commit().await?;
    version::created(written, format!("/api/v1/catalog/categories/{}", category.id), category.version, &category)
}
