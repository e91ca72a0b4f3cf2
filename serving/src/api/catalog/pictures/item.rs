//! `/api/v1/catalog/products/{id}/images/{image_id}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::picture;
use crate::api::access::Caller;
use crate::api::catalog::Write;
use crate::api::catalog::products::product;
use crate::api::extract::{IfMatch, Path};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// Removes a picture of a product; those behind it move up.
#[utoipa::path(delete, path = "/api/v1/catalog/products/{id}/images/{image_id}", tag = "catalog",
    params(("id" = Uuid, Path), ("image_id" = Uuid, Path), ("if-match" = String, Header, description = "the product's ETag")),
    responses((status = 204, description = "removed"), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "the product changed meanwhile", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn delete_image(
    State(app): State<App>,
    caller: Caller,
    Path((product_id, image_id)): Path<(Uuid, Uuid)>,
    if_match: IfMatch,
) -> Result<Response> {
    let mut write = Write::begin(&app, &caller).await?;
    if_match.check(product::lock(&mut write, product_id).await?.version)?;
    let removed = sqlx::query("DELETE FROM product_images WHERE id = $1 AND product_id = $2")
        .bind(image_id)
        .bind(product_id)
        .execute(&mut *write)
        .await?;
    if removed.rows_affected() == 0 {
        return Err(Problem::new(&kinds::IMAGE_NOT_FOUND, format!("The product has no picture {image_id}.")));
    }
    let left: Vec<Uuid> = picture::list(&mut write, product_id).await?.iter().map(|picture| picture.id).collect();
    picture::arrange(&mut write, product_id, &left).await?;
    picture::touch(&mut write, product_id).await?;
    let written = write.commit().await?;
    // The row first: an object that no row names does no harm, and the sweep finds it.
    if let Err(error) = app.picture_store.remove(image_id).await {
        tracing::warn!(%image_id, %error, "the large rendition of a removed picture stays for now");
    }
    Ok((StatusCode::NO_CONTENT, written).into_response())
}
