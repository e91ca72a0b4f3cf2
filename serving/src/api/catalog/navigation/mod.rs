//! What every page of a shop is framed with: the tree of categories, the brands. Public, and kept by browsers for a minute.

pub mod brands;
pub mod categories;
pub mod shelf;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::version;
use crate::api::problem::{Problem, Result};

/// Answers with `body`, or with 304 if the client has the same.
fn kept<T: Serialize>(asked: &HeaderMap, body: &T) -> Result<Response> {
    let json = serde_json::to_vec(body)?;
    let tag = HeaderValue::try_from(format!("\"{}\"", &blake3::hash(&json).to_hex()[..32])).map_err(Problem::internal)?;
    let is_known = version::has(asked, &tag);
    let headers = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    Ok(if is_known { (StatusCode::NOT_MODIFIED, headers).into_response() } else { (headers, json).into_response() })
}
