//! A category's row, and what may stand in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::catalog::checks;
use crate::api::extract::{Body, Faults};
use crate::api::problem::{Problem, Result, kinds};

#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct CatalogCategory {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    /// `null`: it stands at the top.
    pub parent_id: Option<Uuid>,
    /// What its ETag carries.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`CatalogCategory`].
pub const COLUMNS: &str = "id, name, description, parent_id, version, created_at, updated_at";

/// What stands between the names of a path, as in `Kitchen > Mugs`.
pub const SEPARATOR: char = '>';

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryFields {
    /// No other category's, and without `>`.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// `null`: at the top.
    pub parent_id: Option<Uuid>,
}

impl Body for CategoryFields {
    const MAX_BYTES: usize = 64 * 1024;
}

impl CategoryFields {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.text("name", &self.name, checks::MAX_NAME);
        faults.unless(!self.name.contains(SEPARATOR), "name", "a name has no `>`: paths of categories are written with it");
        checks::description(&mut faults, "description", self.description.as_deref());
        faults.check()
    }
}

pub async fn find(connection: &mut PgConnection, id: Uuid) -> Result<CatalogCategory> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM categories WHERE id = $1"));
    let found: Option<CatalogCategory> = sqlx::query_as(statement).bind(id).fetch_optional(connection).await?;
    found.ok_or_else(|| Problem::new(&kinds::CATEGORY_NOT_FOUND, format!("No category has the id {id}.")))
}
