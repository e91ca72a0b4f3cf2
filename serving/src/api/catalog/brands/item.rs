//! `/api/v1/catalog/brands/{id}`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::brand::{self, BrandFields, COLUMNS, CatalogBrand};
use crate::api::access::Caller;
use crate::api::catalog::Write;
use crate::api::catalog::refused::{refused, still_in_use};
use crate::api::catalog::version;
use crate::api::extract::{IfMatch, Json, Path, changed_meanwhile};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// A brand. Its ETag is what a change of it sends as If-Match.
#[utoipa::path(get, path = "/api/v1/catalog/brands/{id}", tag = "catalog", params(("id" = Uuid, Path)),
    responses((status = 200, body = CatalogBrand), (status = 304, description = "the copy that you have is good"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_brand(State(app): State<App>, Path(id): Path<Uuid>, headers: HeaderMap) -> Result<Response> {
    let brand = brand::find(&mut *app.databases.catalog.acquire().await?, id).await?;
    Ok(version::shown(&headers, brand.version, &brand))
}

/// Replaces a brand's name and description.
#[utoipa::path(put, path = "/api/v1/catalog/brands/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is replaced")), request_body = BrandFields,
    responses((status = 200, body = CatalogBrand), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "the name is taken", body = ProblemBody),
        (status = 412, description = "it changed meanwhile", body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn put_brand(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(fields): Json<BrandFields>,
) -> Result<Response> {
    fields.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE brands SET name = $3, description = $4 WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2)) RETURNING {COLUMNS}"
    ));
    let updated: Option<CatalogBrand> = sqlx::query_as(statement)
        .bind(id)
        .bind(if_match.versions())
        .bind(fields.name.trim())
        .bind(&fields.description)
        .fetch_optional(&mut *write)
        .await
        .map_err(refused)?;
    let Some(brand) = updated else { return Err(changed_meanwhile(brand::find(&mut write, id).await?.version)) };
    Ok(version::written(StatusCode::OK, write.commit().await?, brand.version, &brand))
}

/// Removes a brand that no product is of, on sale or not.
#[utoipa::path(delete, path = "/api/v1/catalog/brands/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is removed")),
    responses((status = 204, description = "removed"), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "products are of it", body = ProblemBody),
        (status = 412, description = "it changed meanwhile", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn delete_brand(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, if_match: IfMatch) -> Result<Response> {
    let mut write = Write::begin(&app, &caller).await?;
    let removed = sqlx::query("DELETE FROM brands WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2))")
        .bind(id)
        .bind(if_match.versions())
        .execute(&mut *write)
        .await
        .map_err(|error| still_in_use(error, "A product"))?;
    if removed.rows_affected() == 0 {
        return Err(changed_meanwhile(brand::find(&mut write, id).await?.version));
    }
    Ok((StatusCode::NO_CONTENT, write.commit().await?).into_response())
}
