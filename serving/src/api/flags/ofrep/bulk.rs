//! `POST /ofrep/v1/evaluate/flags`.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::answer::{Evaluation, Failure, answer};
use super::is_visible;
use super::request::{self, EvaluationRequest};
use crate::api::access::Caller;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FlagEvaluations)]
pub struct Evaluations {
    /// By key.
    pub flags: Vec<Evaluation>,
}

/// What every flag is for somebody. The answer has an `ETag`: who sends it again as `If-None-Match` is told if nothing has changed for them.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags", tag = "flags", request_body = EvaluationRequest,
    params(("if-none-match" = Option<String>, Header, description = "the `ETag` of an earlier answer")),
    responses((status = 200, body = Evaluations), (status = 304, description = "as before"), (status = 400, body = Failure),
        (status = 413, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn evaluate_flags(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Option<Extension<Caller>>,
    request: Request,
) -> Result<Response> {
    let context = match request::context(request).await? {
        Ok(context) => context,
        Err(failure) => return Ok(failure.into_response()),
    };
    let snapshot = app.flags.snapshot().await?;
    let caller = caller.map(|Extension(caller)| caller);
    let visible = snapshot.flags.values().filter(|flag| is_visible(flag, caller.as_ref()));
    let flags = visible.map(|flag| answer(&app.flags, flag, &context).map_or_else(Evaluation::Failure, Evaluation::Success)).collect();
    let body = serde_json::to_vec(&Evaluations { flags })?;
    let etag = format!("\"{}\"", blake3::hash(&body).to_hex());

    if is_known(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    Ok(([(header::ETAG, etag), (header::CONTENT_TYPE, "application/json".to_owned())], body).into_response())
}

/// Whether the client says that it has this answer. One that went through a compression on its way is marked as weak.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
