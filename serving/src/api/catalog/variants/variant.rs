//! A variant's row, and what may stand in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::api::catalog::checks;
use crate::api::extract::{Body, Faults};
use crate::api::problem::{Problem, Result, kinds};

#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct CatalogVariant {
    pub id: Uuid,
    pub product_id: Uuid,
    #[schema(example = "85123A-RED")]
    pub sku: String,
    /// Such as `{"colour": "red"}`.
    #[schema(value_type = Object)]
    pub attributes: Json<Map<String, Value>>,
    /// `null`: the product's price.
    pub price_cents: Option<i32>,
    /// What its ETag carries.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`CatalogVariant`].
pub const COLUMNS: &str = "id, product_id, variant_sku AS sku, attributes, price_cents, version, created_at, updated_at";

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCatalogVariant {
    /// It stays for good: orders and stock name it.
    #[schema(min_length = 1, max_length = 100, example = "85123A-RED")]
    pub sku: String,
    /// Texts, numbers and booleans, 50 at most.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// In hundredths of the product's currency; `null`: the product's price.
    #[schema(minimum = 0)]
    pub price_cents: Option<i32>,
}

/// All of a variant that can be changed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantFields {
    /// Texts, numbers and booleans, 50 at most.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// In hundredths of the product's currency; `null`: the product's price.
    #[schema(minimum = 0)]
    pub price_cents: Option<i32>,
}

impl Body for NewCatalogVariant {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Body for VariantFields {
    const MAX_BYTES: usize = 64 * 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("A SKU stays as it is: orders and stock name it.");
}

impl NewCatalogVariant {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        checks::sku(&mut faults, "sku", &self.sku);
        check(&mut faults, &self.attributes, self.price_cents);
        faults.check()
    }
}

impl VariantFields {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        check(&mut faults, &self.attributes, self.price_cents);
        faults.check()
    }
}

fn check(faults: &mut Faults, attributes: &Map<String, Value>, price_cents: Option<i32>) {
    checks::attributes(faults, "attributes", attributes);
    if let Some(price_cents) = price_cents {
        checks::price(faults, "price_cents", price_cents);
    }
}

pub async fn find(connection: &mut PgConnection, id: Uuid) -> Result<CatalogVariant> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM product_variants WHERE id = $1"));
    let found: Option<CatalogVariant> = sqlx::query_as(statement).bind(id).fetch_optional(connection).await?;
    found.ok_or_else(|| Problem::new(&kinds::VARIANT_NOT_FOUND, format!("No variant has the id {id}.")))
}
