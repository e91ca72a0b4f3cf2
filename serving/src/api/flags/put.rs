//! `PUT /api/v1/flags/{key}`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::definition::Definition;
use super::store::{self, Action, COLUMNS, FlagRecord};
use crate::api::access::Caller;
use crate::api::experiments::running;
use crate::api::extract::{IfMatch, Json, Path, etag, invalid};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Replaces a flag's definition. Its type stays what it is: programs rely on it. Its variants stay while an experiment runs; it can be switched
/// off all the same.
#[utoipa::path(put, path = "/api/v1/flags/{key}", tag = "flags", request_body = Definition,
    params(("key" = String, Path), ("if-match" = String, Header, description = "the `ETag` of the flag as it was read")),
    responses((status = 200, body = FlagRecord), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "archived, or an experiment runs", body = ProblemBody),
        (status = 412, description = "changed since", body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 428, description = "no `If-Match`", body = ProblemBody)))]
pub async fn put_flag(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    if_match: IfMatch,
    Json(wanted): Json<Definition>,
) -> Result<Response> {
    wanted.check("")?;
    let mut transaction = store::begin_change(&app.databases.flags).await?;
    let was = store::find_active(&mut transaction, &key).await?;
    if_match.check(was.version)?;
    if wanted.flag_type != was.definition.flag_type {
        return Err(invalid("type", "the type of a flag does not change; make another flag"));
    }
    if wanted.variants != was.definition.variants
        && let Some(experiment) = running::on_flag(&mut transaction, &key).await?
    {
        return Err(store::in_experiment(&key, &experiment, "its variants do not change meanwhile"));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE flags SET definition = $2, version = version + 1, updated_at = now() WHERE key = $1 RETURNING {COLUMNS}"
    ));
    let flag: FlagRecord = sqlx::query_as(statement).bind(&key).bind(sqlx::types::Json(&wanted)).fetch_one(&mut *transaction).await?;
    store::keep_change(&mut transaction, &flag, Action::Changed, Some(&was.definition), caller.user_id).await?;
    transaction.commit().await?;
    app.flags.changed().await;
    Ok(([(header::ETAG, etag(flag.version))], axum::Json(flag)).into_response())
}
