//! `/api/v1/catalog/categories/{id}`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::category::{self, COLUMNS, CatalogCategory, CategoryFields};
use super::place;
use crate::api::access::Caller;
use crate::api::catalog::Write;
use crate::api::catalog::lock::Lock;
use crate::api::catalog::refused::{refused, still_in_use};
use crate::api::catalog::version;
use crate::api::extract::{IfMatch, Json, Path, changed_meanwhile};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// A category. Its ETag is what a change of it sends as If-Match.
#[utoipa::path(get, path = "/api/v1/catalog/categories/{id}", tag = "catalog", params(("id" = Uuid, Path)),
    responses((status = 200, body = CatalogCategory), (status = 304, description = "the copy that you have is good"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_category(State(app): State<App>, Path(id): Path<Uuid>, headers: HeaderMap) -> Result<Response> {
    let category = category::find(&mut *app.databases.catalog.acquire().await?, id).await?;
    Ok(version::shown(&headers, category.version, &category))
}

/// Replaces a category, or moves it with all that stands below it.
#[utoipa::path(put, path = "/api/v1/catalog/categories/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is replaced")), request_body = CategoryFields,
    responses((status = 200, body = CatalogCategory), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "the name is taken, or it would stand below itself", body = ProblemBody),
        (status = 412, description = "it changed meanwhile", body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn put_category(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(fields): Json<CategoryFields>,
) -> Result<Response> {
    fields.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    // One move after another: two could each be good, and make a circle together.
    Lock::Categories.take(&mut write).await?;
    let was = category::find(&mut write, id).await?;
    if_match.check(was.version)?;
    if was.parent_id != fields.parent_id {
        place::check_move(&mut write, id, fields.parent_id).await?;
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE categories SET name = $3, description = $4, parent_id = $5
         WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2)) RETURNING {COLUMNS}"
    ));
    let updated: Option<CatalogCategory> = sqlx::query_as(statement)
        .bind(id)
        .bind(if_match.versions())
        .bind(fields.name.trim())
        .bind(&fields.description)
        .bind(fields.parent_id)
        .fetch_optional(&mut *write)
        .await
        .map_err(refused)?;
    let Some(category) = updated else { return Err(changed_meanwhile(category::find(&mut write, id).await?.version)) };
    Ok(version::written(StatusCode::OK, write.commit().await?, category.version, &category))
}

/// Removes a category that no product, on sale or not, and no category stands in.
#[utoipa::path(delete, path = "/api/v1/catalog/categories/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is removed")),
    responses((status = 204, description = "removed"), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "something stands in it", body = ProblemBody),
        (status = 412, description = "it changed meanwhile", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn delete_category(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, if_match: IfMatch) -> Result<Response> {
    let mut write = Write::begin(&app, &caller).await?;
    let removed = sqlx::query("DELETE FROM categories WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2))")
        .bind(id)
        .bind(if_match.versions())
        .execute(&mut *write)
        .await
        .map_err(|error| still_in_use(error, "A product or a category"))?;
    if removed.rows_affected() == 0 {
        return Err(changed_meanwhile(category::find(&mut write, id).await?.version));
    }
    Ok((StatusCode::NO_CONTENT, write.commit().await?).into_response())
}
