//! `/api/v1/catalog/variants/{id}`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sqlx::types::Json as Jsonb;
use uuid::Uuid;

use super::variant::{self, COLUMNS, CatalogVariant, VariantFields};
use crate::api::access::Caller;
use crate::api::catalog::Write;
use crate::api::catalog::version;
use crate::api::extract::{IfMatch, Json, Path, changed_meanwhile};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// A variant. Its ETag is what a change of it sends as If-Match.
#[utoipa::path(get, path = "/api/v1/catalog/variants/{id}", tag = "catalog", params(("id" = Uuid, Path)),
    responses((status = 200, body = CatalogVariant), (status = 304, description = "the copy that you have is good"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_variant(State(app): State<App>, Path(id): Path<Uuid>, headers: HeaderMap) -> Result<Response> {
    let variant = variant::find(&mut *app.databases.catalog.acquire().await?, id).await?;
    Ok(version::shown(&headers, variant.version, &variant))
}

/// Replaces a variant, but for its SKU.
#[utoipa::path(put, path = "/api/v1/catalog/variants/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is replaced")), request_body = VariantFields,
    responses((status = 200, body = CatalogVariant), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "it changed meanwhile", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn put_variant(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(fields): Json<VariantFields>,
) -> Result<Response> {
    fields.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE product_variants SET attributes = $3, price_cents = $4
         WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2)) RETURNING {COLUMNS}"
    ));
    let updated: Option<CatalogVariant> = sqlx::query_as(statement)
        .bind(id)
        .bind(if_match.versions())
        .bind(Jsonb(&fields.attributes))
        .bind(fields.price_cents)
        .fetch_optional(&mut *write)
        .await?;
    let Some(variant) = updated else { return Err(changed_meanwhile(variant::find(&mut write, id).await?.version)) };
    Ok(version::written(StatusCode::OK, write.commit().await?, variant.version, &variant))
}

/// Removes a variant: it is not offered any more. Orders keep its SKU and its price themselves.
#[utoipa::path(delete, path = "/api/v1/catalog/variants/{id}", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the ETag of what is removed")),
    responses((status = 204, description = "removed"), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "it changed meanwhile", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn delete_variant(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, if_match: IfMatch) -> Result<Response> {
    let mut write = Write::begin(&app, &caller).await?;
    let removed = sqlx::query("DELETE FROM product_variants WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2))")
        .bind(id)
        .bind(if_match.versions())
        .execute(&mut *write)
        .await?;
    if removed.rows_affected() == 0 {
        return Err(changed_meanwhile(variant::find(&mut write, id).await?.version));
    }
    Ok((StatusCode::NO_CONTENT, write.commit().await?).into_response())
}
