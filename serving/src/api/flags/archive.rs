//! `DELETE /api/v1/flags/{key}`.

use axum::extract::State;
use axum::http::StatusCode;

use super::store::{self, Action, COLUMNS, FlagRecord};
use crate::api::access::Caller;
use crate::api::experiments::running;
use crate::api::extract::Path;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Archives a flag: programs that ask for it are told that it is not there, and take their own default.
#[utoipa::path(delete, path = "/api/v1/flags/{key}", tag = "flags", params(("key" = String, Path)),
    responses((status = 204, description = "archived"), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "archived before, or an experiment runs", body = ProblemBody)))]
pub async fn archive_flag(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Result<StatusCode> {
    let mut transaction = store::begin_change(&app.databases.flags).await?;
    let was = store::find_active(&mut transaction, &key).await?;
    if let Some(experiment) = running::on_flag(&mut transaction, &key).await? {
        return Err(store::in_experiment(&key, &experiment, "stop that first"));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE flags SET archived_at = now(), version = version + 1, updated_at = now() WHERE key = $1 RETURNING {COLUMNS}"
    ));
    let flag: FlagRecord = sqlx::query_as(statement).bind(&key).fetch_one(&mut *transaction).await?;
    store::keep_change(&mut transaction, &flag, Action::Archived, Some(&was.definition), caller.user_id).await?;
    transaction.commit().await?;
    app.flags.changed().await;
    Ok(StatusCode::NO_CONTENT)
}
