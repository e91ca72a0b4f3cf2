//! `GET /api/v1/images/{id}`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::api::extract::{Path, Query};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImageQuery {
    /// `large` if there is one, else what there is.
    #[param(inline)]
    size: Option<ImageSize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImageSize {
    /// Sides of 512 pixels at most, of those that were uploaded.
    Preview,
    /// Sides of 2048 pixels at most.
    Large,
}

/// A picture of a product, from the catalogue. The picture behind an id never changes: a new picture gets a new id.
#[utoipa::path(get, path = "/api/v1/images/{id}", tag = "products", params(("id" = Uuid, Path, description = "the picture's id"), ImageQuery),
    responses((status = 200, description = "the picture", content_type = "image/*"), (status = 304,
        description = "the copy that you have is good"),
        (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_image(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Query(query): Query<ImageQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let tag = match query.size {
        None => format!("\"{id}\""),
        Some(ImageSize::Preview) => format!("\"{id}-preview\""),
        Some(ImageSize::Large) => format!("\"{id}-large\""),
    };
    let cached = [
        (header::ETAG, HeaderValue::from_str(&tag).map_err(Problem::internal)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    if headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|tags| tags.contains(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, cached).into_response());
    }
    // The preview is not read from its table where the large one is wanted.
    let row: Option<(String, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT media_type, CASE WHEN large_width_px IS NULL OR $2 THEN content END FROM product_images WHERE id = $1")
            .bind(id)
            .bind(query.size == Some(ImageSize::Preview))
            .fetch_optional(&app.databases.catalog)
            .await?;
    let not_found = |what: &str| Problem::new(&kinds::IMAGE_NOT_FOUND, format!("{what} has the id {id}."));
    let (media_type, content) = row.ok_or_else(|| not_found("No picture"))?;
    match content {
        Some(_) if query.size == Some(ImageSize::Large) => Err(not_found("No large picture")),
        Some(content) => Ok((cached, [(header::CONTENT_TYPE, known(&media_type))], content).into_response()),
        None => {
            let large = app.picture_store.get(id).await?;
            // Removed between the two reads, or lost.
            let large = large.ok_or_else(|| {
                tracing::warn!(%id, "the large rendition of a picture is not in its store");
                not_found("No large picture")
            })?;
            Ok((cached, [(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], large).into_response())
        }
    }
}

/// Only pictures are ever served as such: a page or a script under this origin would run with its rights.
fn known(media_type: &str) -> HeaderValue {
    HeaderValue::from_static(match media_type {
        "image/jpeg" => "image/jpeg",
        "image/png" => "image/png",
        "image/webp" => "image/webp",
        "image/gif" => "image/gif",
        _ => "application/octet-stream",
    })
}
