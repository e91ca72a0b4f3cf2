//! `POST /api/v1/experiments/{key}/stop`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::store::{self, COLUMNS, ExperimentRecord, Status};
use crate::api::extract::{Path, etag};
use crate::api::flags::store::begin_change;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Stops an experiment: its flag is served as if there had been none. Orders go on counting until the windows of those who were exposed
/// close. One that was stopped stays as it is.
#[utoipa::path(post, path = "/api/v1/experiments/{key}/stop", tag = "experiments", params(("key" = String, Path)),
    responses((status = 200, body = ExperimentRecord), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "a draft", body = ProblemBody)))]
pub async fn stop_experiment(State(app): State<App>, Path(key): Path<String>) -> Result<Response> {
    let mut transaction = begin_change(&app.databases.flags).await?;
    let mut experiment = store::find(&mut transaction, &key).await?;
    match experiment.status {
        Status::Stopped => {}
        Status::Draft => return Err(experiment.state_problem("it was never started")),
        Status::Running => {
            let statement = sqlx::AssertSqlSafe(format!(
                "UPDATE experiments SET status = 'stopped', stopped_at = now(), version = version + 1, updated_at = now()
                 WHERE key = $1 RETURNING {COLUMNS}"
            ));
            let stopped: ExperimentRecord = sqlx::query_as(statement).bind(&key).fetch_one(&mut *transaction).await?;
            experiment = stopped;
        }
    }
    transaction.commit().await?;
    app.flags.changed().await;
    Ok(([(header::ETAG, etag(experiment.version))], axum::Json(experiment)).into_response())
}
