//! A brand's row, and what may stand in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::catalog::checks;
use crate::api::extract::{Body, Faults};
use crate::api::problem::{Problem, Result, kinds};

#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct CatalogBrand {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    /// What its ETag carries.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`CatalogBrand`].
pub const COLUMNS: &str = "id, name, description, version, created_at, updated_at";

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrandFields {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    #[schema(max_length = 10000)]
    pub description: Option<String>,
}

impl Body for BrandFields {
    const MAX_BYTES: usize = 64 * 1024;
}

impl BrandFields {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.text("name", &self.name, checks::MAX_NAME);
        checks::description(&mut faults, "description", self.description.as_deref());
        faults.check()
    }
}

pub async fn find(connection: &mut PgConnection, id: Uuid) -> Result<CatalogBrand> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM brands WHERE id = $1"));
    let found: Option<CatalogBrand> = sqlx::query_as(statement).bind(id).fetch_optional(connection).await?;
    found.ok_or_else(|| Problem::new(&kinds::BRAND_NOT_FOUND, format!("No brand has the id {id}.")))
}
