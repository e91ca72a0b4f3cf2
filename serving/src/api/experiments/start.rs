//! `POST /api/v1/experiments/{key}/start`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::running;
use super::store::{self, COLUMNS, ExperimentRecord, Status};
use crate::api::extract::{Path, etag};
use crate::api::flags::store::{begin_change, find_active, in_experiment};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Starts a draft: from now on its flag is served by its shares. One that runs goes on.
#[utoipa::path(post, path = "/api/v1/experiments/{key}/start", tag = "experiments", params(("key" = String, Path)),
    responses((status = 200, body = ExperimentRecord), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "stopped, another one runs on the flag, or the flag is archived",
        body = ProblemBody), (status = 422, description = "the flag has lost a variant", body = ProblemBody)))]
pub async fn start_experiment(State(app): State<App>, Path(key): Path<String>) -> Result<Response> {
    let mut transaction = begin_change(&app.databases.flags).await?;
    let mut experiment = store::find(&mut transaction, &key).await?;
    match experiment.status {
        Status::Running => {}
        Status::Stopped => return Err(experiment.state_problem("draft another one")),
        Status::Draft => {
            let flag = find_active(&mut transaction, &experiment.flag_key).await?;
            experiment.design().check_flag(&flag.definition, "")?;
            if let Some(other) = running::on_flag(&mut transaction, &experiment.flag_key).await? {
                return Err(in_experiment(&experiment.flag_key, &other, "stop that first"));
            }
            let statement = sqlx::AssertSqlSafe(format!(
                "UPDATE experiments SET status = 'running', started_at = now(), version = version + 1, updated_at = now()
                 WHERE key = $1 RETURNING {COLUMNS}"
            ));
            let started: ExperimentRecord = sqlx::query_as(statement).bind(&key).fetch_one(&mut *transaction).await?;
            experiment = started;
        }
    }
    transaction.commit().await?;
    app.flags.changed().await;
    Ok(([(header::ETAG, etag(experiment.version))], axum::Json(experiment)).into_response())
}
