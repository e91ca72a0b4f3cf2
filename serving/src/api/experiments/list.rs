//! `GET /api/v1/experiments`.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::store::{COLUMNS, ExperimentRecord, Status};
use crate::api::extract::Query;
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExperimentQuery {
    /// The `next` of the page before.
    after: Option<String>,
    #[param(inline)]
    status: Option<Status>,
    /// Of this flag only.
    flag_key: Option<String>,
    /// At most 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ExperimentList {
    /// By key.
    pub experiments: Vec<ExperimentRecord>,
    /// For `after`; `null`: there are no more.
    pub next: Option<String>,
}

/// Experiments, a page at a time.
#[utoipa::path(get, path = "/api/v1/experiments", tag = "experiments", params(ExperimentQuery),
    responses((status = 200, body = ExperimentList), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody)))]
pub async fn list_experiments(State(app): State<App>, Query(query): Query<ExperimentQuery>) -> Result<axum::Json<ExperimentList>> {
    let limit = limit(query.limit, 50, 100)?;
    // No key has a NUL, and PostgreSQL takes none.
    let text = |text: Option<String>| text.map(|text| text.replace('\0', ""));
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM experiments
         WHERE ($1::text IS NULL OR key > $1 COLLATE \"C\") AND ($2::text IS NULL OR experiments.status = $2) AND ($3::text IS NULL OR flag_key = $3)
         ORDER BY key COLLATE \"C\" LIMIT $4"
    ));
    let mut experiments: Vec<ExperimentRecord> = sqlx::query_as(statement)
        .bind(text(query.after))
        .bind(query.status.map(Status::name))
        .bind(text(query.flag_key))
        .bind(limit as i64 + 1)
        .fetch_all(&app.databases.flags)
        .await?;
    let is_more = experiments.len() > limit;
    experiments.truncate(limit);
    let next = experiments.last().filter(|_| is_more).map(|experiment| experiment.key.clone());
    Ok(axum::Json(ExperimentList { experiments, next }))
}
