//! `GET /api/v1/images/{id}`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::api::extract::Path;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// A picture of a product, from the catalogue. The picture behind an id never changes: a new picture gets a new id.
#[utoipa::path(get, path = "/api/v1/images/{id}", tag = "products", params(("id" = Uuid, Path, description = "the picture's id")),
    responses((status = 200, description = "the picture", content_type = "image/*"), (status = 304,
        description = "the copy that you have is good"),
        (status = 404, body = ProblemBody)))]
pub async fn get_image(State(app): State<App>, Path(id): Path<Uuid>, headers: HeaderMap) -> Result<Response> {
    let tag = format!("\"{id}\"");
    let cached = [
        (header::ETAG, HeaderValue::from_str(&tag).map_err(Problem::internal)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    if headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|tags| tags.contains(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, cached).into_response());
    }
    let row: Option<(String, Vec<u8>)> = sqlx::query_as("SELECT media_type, content FROM product_images WHERE id = $1")
        .bind(id)
        .fetch_optional(&app.databases.catalog)
        .await?;
    let (media_type, content) = row.ok_or_else(|| Problem::new(&kinds::IMAGE_NOT_FOUND, format!("No picture has the id {id}.")))?;
    // Only pictures are ever served as such: a page or a script under this origin would run with its rights.
    let media_type = match media_type.as_str() {
        "image/jpeg" => "image/jpeg",
        "image/png" => "image/png",
        "image/webp" => "image/webp",
        "image/gif" => "image/gif",
        _ => "application/octet-stream",
    };
    Ok((cached, [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], content).into_response())
}
