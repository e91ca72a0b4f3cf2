//! `GET /api/v1/graphql/schema`.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::SCHEMA;

static SDL: LazyLock<String> = LazyLock::new(|| SCHEMA.sdl());

/// The GraphQL schema, in its own language.
#[utoipa::path(get, path = "/api/v1/graphql/schema", tag = "graphql", responses((status = 200, description = "a schema", content_type = "text/plain")))]
pub async fn get_schema() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], SDL.as_str()).into_response()
}
