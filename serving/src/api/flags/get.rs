//! `GET /api/v1/flags/{key}`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::store::{self, FlagRecord};
use crate::api::extract::{Path, etag};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// A flag, archived or not.
#[utoipa::path(get, path = "/api/v1/flags/{key}", tag = "flags", params(("key" = String, Path)),
    responses((status = 200, description = "with its version as `ETag`", body = FlagRecord), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn get_flag(State(app): State<App>, Path(key): Path<String>) -> Result<Response> {
    let mut connection = app.databases.flags.acquire().await?;
    let flag = store::find(&mut connection, &key).await?;
    Ok(([(header::ETAG, etag(flag.version))], axum::Json(flag)).into_response())
}
