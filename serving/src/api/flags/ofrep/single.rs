//! `POST /ofrep/v1/evaluate/flags/{key}`.

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use super::answer::{ErrorCode, Failure, Success, answer};
use super::is_visible;
use super::request::{self, EvaluationRequest};
use crate::api::access::Caller;
use crate::api::extract::Path;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// What one flag is for somebody.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags/{key}", tag = "flags", params(("key" = String, Path)), request_body = EvaluationRequest,
    responses((status = 200, body = Success), (status = 400, body = Failure), (status = 404, body = Failure), (status = 413, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn evaluate_flag(
    State(app): State<App>,
    Path(key): Path<String>,
    caller: Option<Extension<Caller>>,
    request: Request,
) -> Result<Response> {
    let context = match request::context(request).await? {
        Ok(context) => context,
        Err(failure) => return Ok(failure.of(&key).into_response()),
    };
    let snapshot = app.flags.snapshot().await?;
    let caller = caller.map(|Extension(caller)| caller);
    let Some(flag) = snapshot.flags.get(&key).filter(|flag| is_visible(flag, caller.as_ref())) else {
        return Ok(Failure::new(ErrorCode::FlagNotFound, "There is no such flag.").of(&key).into_response());
    };
    Ok(match answer(&app.flags, flag, &context) {
        Ok(success) => axum::Json(success).into_response(),
        Err(failure) => failure.into_response(),
    })
}
