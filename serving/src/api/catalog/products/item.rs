//! `/api/v1/catalog/products/{id}`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::product::{self, CatalogProduct, ProductFields, ProductPatch};
use crate::api::access::Caller;
use crate::api::catalog::Write;
use crate::api::catalog::version;
use crate::api::extract::{IfMatch, Json, Path, changed_meanwhile};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// A product of the catalogue, on sale or not. Its ETag is what a change of it sends as If-Match.
#[utoipa::path(get, path = "/api/v1/catalog/products/{id}", tag = "catalog", params(("id" = Uuid, Path)),
    responses((status = 200, body = CatalogProduct), (status = 304, description = "the copy that you have is good"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_catalog_product(State(app): State<App>, Path(id): Path<Uuid>, headers: HeaderMap) -> Result<Response> {
    let product = product::find(&mut *app.databases.catalog.acquire().await?, id).await?;
    Ok(version::shown(&headers, product.version, &product))
}

/// Replaces a product, but for its SKU and its price.
#[utoipa::path(put, path = "/api/v1/catalog/products/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is replaced")), request_body = ProductFields,
    responses((status = 200, body = CatalogProduct), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "it changed meanwhile", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn put_catalog_product(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(fields): Json<ProductFields>,
) -> Result<Response> {
    fields.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    let product = product::update(&mut write, id, &if_match, &fields).await?;
    Ok(version::written(StatusCode::OK, write.commit().await?, product.version, &product))
}

/// Changes parts of a product: what the patch names, `null` takes away (RFC 7396).
#[utoipa::path(patch, path = "/api/v1/catalog/products/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is changed")),
    request_body(content((ProductFields = "application/merge-patch+json"))),
    responses((status = 200, body = CatalogProduct), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "it changed meanwhile", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn patch_catalog_product(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<ProductPatch>,
) -> Result<Response> {
    let mut write = Write::begin(&app, &caller).await?;
    // Locked: what the patch does not name must be what it was when this ends.
    let was = product::lock(&mut write, id).await?;
    if_match.check(was.version)?;
    let fields = ProductFields::patched(was, patch)?;
    let product = product::update(&mut write, id, &IfMatch::Any, &fields).await?;
    Ok(version::written(StatusCode::OK, write.commit().await?, product.version, &product))
}

/// Takes a product off sale. Its row is kept for the orders that name it, and can be made active again.
#[utoipa::path(delete, path = "/api/v1/catalog/products/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is taken off")),
    responses((status = 204, description = "it is not active any more"), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "it changed meanwhile", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn delete_catalog_product(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, if_match: IfMatch) -> Result<Response> {
    let mut write = Write::begin(&app, &caller).await?;
    let taken_off = sqlx::query("UPDATE products SET is_active = false WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2))")
        .bind(id)
        .bind(if_match.versions())
        .execute(&mut *write)
        .await?;
    if taken_off.rows_affected() == 0 {
        return Err(changed_meanwhile(product::find(&mut write, id).await?.version));
    }
    Ok((StatusCode::NO_CONTENT, write.commit().await?).into_response())
}
