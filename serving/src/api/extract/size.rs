//! Refusing bodies by the size that they announce.

use axum::extract::Request;
use axum::http::header;
use futures::StreamExt;

use crate::api::problem::{Result, too_large};

/// Refuses a request whose `Content-Length` is over `limit_bytes`. Up to as much again is read and thrown away first: a client that is still
/// sending when the connection closes would see a broken connection in place of the problem.
pub(in crate::api) async fn check_length(request: Request, limit_bytes: usize) -> Result<Request> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_none_or(|length| length <= limit_bytes) {
        return Ok(request);
    }
    let mut body = request.into_body().into_data_stream();
    let mut drained_bytes = 0;
    while let Some(Ok(bytes)) = body.next().await {
        drained_bytes += bytes.len();
        if drained_bytes > 2 * limit_bytes {
            break;
        }
    }
    Err(too_large(limit_bytes))
}
