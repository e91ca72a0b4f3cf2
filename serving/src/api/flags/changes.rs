//! `GET /api/v1/flags/{key}/changes`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::store;
use crate::api::extract::{Path, Query};
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// The `next` of the page before.
    before: Option<i64>,
    /// At most 100; 20 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct FlagChange {
    /// Of the flag after the change.
    pub version: i64,
    /// `created`, `changed` or `archived`.
    pub action: String,
    /// The definition that the change replaced.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The account; `null`: who runs the server.
    pub changed_by: Option<Uuid>,
    pub changed_at: DateTime<Utc>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct FlagChanges {
    /// The newest first.
    pub changes: Vec<FlagChange>,
    /// For `before`; `null`: there are no more.
    pub next: Option<i64>,
}

/// Who changed a flag, when, and what it was before.
#[utoipa::path(get, path = "/api/v1/flags/{key}/changes", tag = "flags", params(("key" = String, Path), ChangeQuery),
    responses((status = 200, body = FlagChanges), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn list_changes(
    State(app): State<App>,
    Path(key): Path<String>,
    Query(query): Query<ChangeQuery>,
) -> Result<axum::Json<FlagChanges>> {
    let limit = limit(query.limit, 20, 100)?;
    let mut connection = app.databases.flags.acquire().await?;
    store::find(&mut connection, &key).await?;
    let mut changes: Vec<FlagChange> = sqlx::query_as(
        "SELECT version, action, before, changed_by, changed_at FROM flag_changes
         WHERE flag_key = $1 AND version < $2 ORDER BY version DESC LIMIT $3",
    )
    .bind(&key)
    .bind(query.before.unwrap_or(i64::MAX))
    .bind(limit as i64 + 1)
    .fetch_all(&mut *connection)
    .await?;
    let is_more = changes.len() > limit;
    changes.truncate(limit);
    let next = changes.last().filter(|_| is_more).map(|change| change.version);
    Ok(axum::Json(FlagChanges { changes, next }))
}
