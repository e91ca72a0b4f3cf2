//! `GET /api/v1/flags`.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::store::{COLUMNS, FlagRecord};
use crate::api::extract::Query;
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FlagQuery {
    /// The `next` of the page before.
    after: Option<String>,
    /// At most 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Whether those that are archived are listed too; not, if not given.
    include_archived: Option<bool>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct FlagList {
    /// By key.
    pub flags: Vec<FlagRecord>,
    /// For `after`; `null`: there are no more.
    pub next: Option<String>,
}

/// Flags, a page at a time.
#[utoipa::path(get, path = "/api/v1/flags", tag = "flags", params(FlagQuery),
    responses((status = 200, body = FlagList), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody)))]
pub async fn list_flags(State(app): State<App>, Query(query): Query<FlagQuery>) -> Result<axum::Json<FlagList>> {
    let limit = limit(query.limit, 50, 100)?;
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM flags WHERE ($1::text IS NULL OR key > $1 COLLATE \"C\") AND ($2 OR archived_at IS NULL)
         ORDER BY key COLLATE \"C\" LIMIT $3"
    ));
    let mut flags: Vec<FlagRecord> = sqlx::query_as(statement)
        .bind(query.after.map(|after| after.replace('\0', "")))
        .bind(query.include_archived.unwrap_or(false))
        .bind(limit as i64 + 1)
        .fetch_all(&app.databases.flags)
        .await?;
    let is_more = flags.len() > limit;
    flags.truncate(limit);
    let next = flags.last().filter(|_| is_more).map(|flag| flag.key.clone());
    Ok(axum::Json(FlagList { flags, next }))
}
