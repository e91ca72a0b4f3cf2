//! Flags in the database.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::check::is_key;
use super::definition::Definition;
use crate::api::problem::{Problem, Result, kinds};
use crate::shop::databases::begin;

/// A flag as it stands.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct FlagRecord {
    #[schema(example = "new-checkout")]
    pub key: String,
    /// The `ETag`.
    pub version: i64,
    #[sqlx(json)]
    pub definition: Definition,
    /// Not evaluated since then.
    pub archived_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`FlagRecord`].
pub const COLUMNS: &str = "key, version, definition, archived_at, created_at, updated_at";

/// What a change did.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Created,
    Changed,
    Archived,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Archived => "archived",
        }
    }
}

pub fn not_found(key: &str) -> Problem {
    let shown: String = key.escape_debug().take(100).collect();
    Problem::new(&kinds::FLAG_NOT_FOUND, format!("There is no flag `{shown}`."))
}

/// An experiment needs the flag as it is.
pub fn in_experiment(key: &str, experiment: &str, wanted: &str) -> Problem {
    let detail = format!("The experiment `{experiment}` runs on the flag `{key}`: {wanted}.");
    Problem::new(&kinds::EXPERIMENT_RUNNING, detail).with("experiment", experiment)
}

/// Begins a change of flags or experiments. It holds the lock of the revision until it ends: changes come one after the other, and what one
/// has checked no other changes before it is written.
pub async fn begin_change(pool: &PgPool) -> Result<Transaction<'static, Postgres>> {
    let mut transaction = begin(pool).await?;
    sqlx::query("UPDATE flag_revision SET revision = revision + 1").execute(&mut *transaction).await?;
    Ok(transaction)
}

pub async fn find(connection: &mut PgConnection, key: &str) -> Result<FlagRecord> {
    if !is_key(key) {
        return Err(not_found(key));
    }
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM flags WHERE key = $1"));
    let flag: Option<FlagRecord> = sqlx::query_as(statement).bind(key).fetch_optional(connection).await?;
    flag.ok_or_else(|| not_found(key))
}

/// A flag that can be changed.
pub async fn find_active(connection: &mut PgConnection, key: &str) -> Result<FlagRecord> {
    let flag = find(connection, key).await?;
    if flag.archived_at.is_some() {
        return Err(Problem::new(&kinds::FLAG_ARCHIVED, format!("The flag `{key}` is archived.")));
    }
    Ok(flag)
}

/// Keeps who changed a flag, and what it was before.
pub async fn keep_change(
    connection: &mut PgConnection,
    flag: &FlagRecord,
    action: Action,
    before: Option<&Definition>,
    changed_by: Option<Uuid>,
) -> Result<()> {
    sqlx::query("INSERT INTO flag_changes (id, flag_key, version, action, before, changed_by) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(Uuid::now_v7())
        .bind(&flag.key)
        .bind(flag.version)
        .bind(action.name())
        .bind(before.map(sqlx::types::Json))
        .bind(changed_by)
        .execute(connection)
        .await?;
    Ok(())
}
