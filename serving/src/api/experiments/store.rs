//! Experiments in the database.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::design::Design;
use crate::api::flags::check::is_key;
use crate::api::problem::{Problem, Result, kinds};

/// Where an experiment is on its way; there is no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[schema(as = ExperimentStatus)]
pub enum Status {
    Draft,
    Running,
    Stopped,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

/// An experiment as it stands.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ExperimentRecord {
    #[schema(example = "checkout-2026-11")]
    pub key: String,
    pub status: Status,
    /// The `ETag`.
    pub version: i64,
    pub flag_key: String,
    pub description: Option<String>,
    #[sqlx(json)]
    pub shares: BTreeMap<String, u16>,
    pub control: String,
    pub window_days: i32,
    pub started_at: Option<DateTime<Utc>>,
    pub stopped_at: Option<DateTime<Utc>>,
    /// The account; `null`: who runs the server.
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`ExperimentRecord`].
pub const COLUMNS: &str = "key, status::text AS status, version, flag_key, description, shares, control, window_days, started_at, stopped_at, \
     created_by, created_at, updated_at";

impl ExperimentRecord {
    pub fn design(&self) -> Design {
        Design {
            flag_key: self.flag_key.clone(),
            description: self.description.clone(),
            shares: self.shares.clone(),
            control: self.control.clone(),
            window_days: self.window_days,
        }
    }

    /// It is not in the state for what was asked.
    pub fn state_problem(&self, wanted: &str) -> Problem {
        let detail = format!("The experiment `{}` is {}; {wanted}.", self.key, self.status.name());
        Problem::new(&kinds::EXPERIMENT_STATE, detail).with("experiment_status", self.status)
    }
}

pub async fn find(connection: &mut PgConnection, key: &str) -> Result<ExperimentRecord> {
    let not_found = || {
        let shown: String = key.escape_debug().take(100).collect();
        Problem::new(&kinds::EXPERIMENT_NOT_FOUND, format!("There is no experiment `{shown}`."))
    };
    if !is_key(key) {
        return Err(not_found());
    }
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM experiments WHERE key = $1"));
    let found: Option<ExperimentRecord> = sqlx::query_as(statement).bind(key).fetch_optional(connection).await?;
    found.ok_or_else(not_found)
}
