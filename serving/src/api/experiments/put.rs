//! `PUT /api/v1/experiments/{key}`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sqlx::types::Json as Jsonb;

use super::design::Design;
use super::store::{self, COLUMNS, ExperimentRecord, Status};
use crate::api::extract::{IfMatch, Json, Path, etag};
use crate::api::flags::store::{begin_change, find_active};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Replaces the design of a draft. Once it runs, nothing of it changes: who was assigned stays assigned.
#[utoipa::path(put, path = "/api/v1/experiments/{key}", tag = "experiments", request_body = Design,
    params(("key" = String, Path), ("if-match" = String, Header, description = "the `ETag` of the experiment as it was read")),
    responses((status = 200, body = ExperimentRecord), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "no draft any more", body = ProblemBody),
        (status = 412, description = "changed since", body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 428, description = "no `If-Match`", body = ProblemBody)))]
pub async fn put_experiment(
    State(app): State<App>,
    Path(key): Path<String>,
    if_match: IfMatch,
    Json(design): Json<Design>,
) -> Result<Response> {
    design.check("")?;
    let mut transaction = begin_change(&app.databases.flags).await?;
    let was = store::find(&mut transaction, &key).await?;
    if_match.check(was.version)?;
    if was.status != Status::Draft {
        return Err(was.state_problem("only drafts change"));
    }
    let flag = find_active(&mut transaction, &design.flag_key).await?;
    design.check_flag(&flag.definition, "")?;
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE experiments SET flag_key = $2, description = $3, shares = $4, control = $5, window_days = $6, version = version + 1,
             updated_at = now()
         WHERE key = $1 RETURNING {COLUMNS}"
    ));
    let changed: ExperimentRecord = sqlx::query_as(statement)
        .bind(&key)
        .bind(&design.flag_key)
        .bind(&design.description)
        .bind(Jsonb(&design.shares))
        .bind(&design.control)
        .bind(design.window_days)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(([(header::ETAG, etag(changed.version))], axum::Json(changed)).into_response())
}
