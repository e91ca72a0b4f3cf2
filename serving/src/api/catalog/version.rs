//! What answers about rows that have a version.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::extract::etag;
use crate::api::problem::{Problem, Result};

/// Answers a read; with 304 if the client has this version.
pub fn shown<T: Serialize>(asked: &HeaderMap, version: i64, body: &T) -> Response {
    let headers = [(header::ETAG, etag(version)), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if has(asked, &etag(version)) {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, axum::Json(body)).into_response()
    }
}

/// Answers a write. `written`: what [`super::Write::commit`] gave.
pub fn written<T: Serialize>(status: StatusCode, mut written: HeaderMap, version: i64, body: &T) -> Response {
    written.insert(header::ETAG, etag(version));
    (status, written, axum::Json(body)).into_response()
}

/// Answers what made something new, which is at `location` now.
pub fn created<T: Serialize>(mut written: HeaderMap, location: String, version: i64, body: &T) -> Result<Response> {
    written.insert(header::LOCATION, HeaderValue::try_from(location).map_err(Problem::internal)?);
    Ok(self::written(StatusCode::CREATED, written, version, body))
}

/// Whether the client has what `tag` names (If-None-Match; weak tags are as good there).
pub(in crate::api) fn has(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let tags = asked.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(',')).map(|known| known.trim().trim_start_matches("W/")).any(|known| known == "*" || known == tag)
}
