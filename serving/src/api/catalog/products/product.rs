//! A product's row, and what may stand in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::catalog::checks;
use crate::api::catalog::refused::refused;
use crate::api::extract::{Body, Faults, IfMatch, changed_meanwhile};
use crate::api::problem::{Problem, Result, kinds};

#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct CatalogProduct {
    pub id: Uuid,
    #[schema(example = "85123A")]
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub category_id: Option<Uuid>,
    pub brand_id: Option<Uuid>,
    /// In hundredths of the currency.
    pub price_cents: i32,
    #[schema(example = "GBP")]
    pub currency: String,
    /// Only active products are shown and sold.
    pub is_active: bool,
    /// What its ETag carries.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`CatalogProduct`].
pub const COLUMNS: &str = "id, sku, name, description, category_id, brand_id, base_price_cents AS price_cents, currency, is_active, version, \
    created_at, updated_at";

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCatalogProduct {
    /// It stays for good: orders and stock name it.
    #[schema(min_length = 1, max_length = 100, example = "85123A")]
    pub sku: String,
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    pub category_id: Option<Uuid>,
    pub brand_id: Option<Uuid>,
    /// In hundredths of the currency.
    #[schema(minimum = 0)]
    pub price_cents: i32,
    #[schema(min_length = 3, max_length = 3, example = "GBP")]
    pub currency: String,
    #[serde(default = "active")]
    #[schema(default = true)]
    pub is_active: bool,
}

/// All of a product that is changed at once; its price is changed at an address of its own.
#[derive(Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductFields {
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    pub category_id: Option<Uuid>,
    pub brand_id: Option<Uuid>,
    #[serde(default = "active")]
    #[schema(default = true)]
    pub is_active: bool,
}

fn active() -> bool {
    true
}

impl Body for NewCatalogProduct {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Body for ProductFields {
    const MAX_BYTES: usize = 64 * 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> =
        Some("A SKU stays as it is, and a price is changed with PUT /api/v1/catalog/products/{id}/price.");
}

/// Members to be changed; `null` takes one away (RFC 7396).
#[derive(Deserialize)]
#[serde(transparent)]
pub struct ProductPatch(Map<String, Value>);

impl Body for ProductPatch {
    const MAX_BYTES: usize = ProductFields::MAX_BYTES;
}

impl NewCatalogProduct {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        checks::sku(&mut faults, "sku", &self.sku);
        faults.text("name", &self.name, checks::MAX_PRODUCT_NAME);
        checks::description(&mut faults, "description", self.description.as_deref());
        checks::price(&mut faults, "price_cents", self.price_cents);
        checks::currency(&mut faults, "currency", &self.currency);
        faults.check()
    }
}

impl ProductFields {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.text("name", &self.name, checks::MAX_PRODUCT_NAME);
        checks::description(&mut faults, "description", self.description.as_deref());
        faults.check()
    }

    fn of(product: CatalogProduct) -> Self {
        let CatalogProduct { name, description, category_id, brand_id, is_active, .. } = product;
        Self { name, description, category_id, brand_id, is_active }
    }

    /// `product` with what the patch says.
    pub fn patched(product: CatalogProduct, patch: ProductPatch) -> Result<Self> {
        let mut whole = serde_json::to_value(Self::of(product))?;
        for (name, value) in patch.0 {
            whole[name] = value;
        }
        // A member that is null is one that is not there.
        if let Value::Object(members) = &mut whole {
            members.retain(|_, value| !value.is_null());
        }
        let fields: Self = serde_json::from_value(whole).map_err(|error| {
            let help = Self::UNKNOWN_FIELD_HELP.filter(|_| error.to_string().starts_with("unknown field")).unwrap_or_default();
            Problem::new(&kinds::INVALID_BODY, format!("The patched product: {error}. {help}").trim_end())
        })?;
        fields.check()?;
        Ok(fields)
    }
}

pub async fn find(connection: &mut PgConnection, id: Uuid) -> Result<CatalogProduct> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM products WHERE id = $1"));
    let found: Option<CatalogProduct> = sqlx::query_as(statement).bind(id).fetch_optional(connection).await?;
    found.ok_or_else(|| not_found(id))
}

/// Locks it against other changes until the transaction ends.
pub async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<CatalogProduct> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM products WHERE id = $1 FOR NO KEY UPDATE"));
    let found: Option<CatalogProduct> = sqlx::query_as(statement).bind(id).fetch_optional(connection).await?;
    found.ok_or_else(|| not_found(id))
}

pub fn not_found(id: Uuid) -> Problem {
    Problem::new(&kinds::PRODUCT_NOT_FOUND, format!("No product has the id {id}."))
}

pub async fn insert(connection: &mut PgConnection, new: &NewCatalogProduct) -> Result<CatalogProduct> {
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO products (id, sku, name, description, category_id, brand_id, base_price_cents, currency, is_active)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {COLUMNS}"
    ));
    sqlx::query_as(statement)
        .bind(Uuid::now_v7())
        .bind(&new.sku)
        .bind(new.name.trim())
        .bind(&new.description)
        .bind(new.category_id)
        .bind(new.brand_id)
        .bind(new.price_cents)
        .bind(&new.currency)
        .bind(new.is_active)
        .fetch_one(connection)
        .await
        .map_err(refused)
}

/// Of the one version or several that `if_match` names.
pub async fn update(connection: &mut PgConnection, id: Uuid, if_match: &IfMatch, fields: &ProductFields) -> Result<CatalogProduct> {
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE products SET name = $3, description = $4, category_id = $5, brand_id = $6, is_active = $7
         WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY($2)) RETURNING {COLUMNS}"
    ));
    let updated: Option<CatalogProduct> = sqlx::query_as(statement)
        .bind(id)
        .bind(if_match.versions())
        .bind(fields.name.trim())
        .bind(&fields.description)
        .bind(fields.category_id)
        .bind(fields.brand_id)
        .bind(fields.is_active)
        .fetch_optional(&mut *connection)
        .await
        .map_err(refused)?;
    match updated {
        Some(updated) => Ok(updated),
        None => Err(changed_meanwhile(find(connection, id).await?.version)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(patch: Value) -> Result<ProductFields> {
        let product = CatalogProduct {
            id: Uuid::nil(),
            sku: "A".into(),
            name: "Mug".into(),
            description: Some("Blue".into()),
            category_id: Some(Uuid::nil()),
            brand_id: None,
            price_cents: 1,
            currency: "GBP".into(),
            is_active: false,
            version: 1,
            created_at: Utc::now(),
            updated_at: Utc::now(),
        };
        ProductFields::patched(product, serde_json::from_value(patch).expect("an object"))
    }

    #[test]
    fn a_patch_changes_what_it_names_and_takes_away_what_is_null() {
        let fields = patched(json!({ "name": "Cup", "description": null })).expect("a good patch");
        assert_eq!(
            (fields.name.as_str(), fields.description, fields.category_id, fields.is_active),
            ("Cup", None, Some(Uuid::nil()), false)
        );
        assert_eq!(patched(json!({})).expect("no change").description.as_deref(), Some("Blue"));
        for wrong in [
            json!({ "name": null }),
            json!({ "sku": "B" }),
            json!({ "price_cents": 5 }),
            json!({ "is_active": "yes" }),
            json!({ "name": " " }),
        ] {
            assert_eq!(patched(wrong.clone()).expect_err(&wrong.to_string()).status(), 422, "{wrong}");
        }
    }
}
