//! The statements of an import, each for many rows.

use std::collections::HashMap;

use serde_json::{Map, Value};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

/// A product to be made or changed; `None`: as it is, or, of a new one, as the schema has it.
pub struct ProductRow<'a> {
    pub id: Uuid,
    pub sku: &'a str,
    pub name: Option<&'a str>,
    pub description: Option<&'a str>,
    pub category_id: Option<Uuid>,
    pub brand_id: Option<Uuid>,
    pub price_cents: Option<i32>,
    pub currency: Option<&'a str>,
    pub is_active: Option<bool>,
}

/// A variant to be made or changed.
pub struct VariantRow<'a> {
    pub id: Uuid,
    pub product_id: Uuid,
    pub sku: &'a str,
    pub attributes: Option<&'a Map<String, Value>>,
    pub price_cents: Option<i32>,
}

/// The products under these SKUs. They stay as they are until the transaction ends.
pub async fn lock_products(connection: &mut PgConnection, skus: &[&str]) -> Result<HashMap<String, Uuid>, sqlx::Error> {
    let rows: Vec<(String, Uuid)> = sqlx::query_as("SELECT sku, id FROM products WHERE sku = ANY($1) ORDER BY sku FOR NO KEY UPDATE")
        .bind(skus)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The variants under these SKUs, each with its product. They stay as they are until the transaction ends.
pub async fn lock_variants(connection: &mut PgConnection, skus: &[&str]) -> Result<HashMap<String, (Uuid, Uuid)>, sqlx::Error> {
    let rows: Vec<(String, Uuid, Uuid)> = sqlx::query_as(
        "SELECT variant_sku, id, product_id FROM product_variants WHERE variant_sku = ANY($1) ORDER BY variant_sku FOR NO KEY UPDATE",
    )
    .bind(skus)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(sku, id, product_id)| (sku, (id, product_id))).collect())
}

/// How many variants each of these products has; those without one are absent.
pub async fn count_variants(connection: &mut PgConnection, products: &[Uuid]) -> Result<HashMap<Uuid, i64>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT product_id, count(*) FROM product_variants WHERE product_id = ANY($1) GROUP BY product_id")
            .bind(products)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().collect())
}

const PRODUCT_LINES: &str =
    "unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::int[], $8::text[], $9::boolean[])
    AS line (id, sku, name, description, category_id, brand_id, price_cents, currency, is_active)";

/// Of new products.
pub async fn insert_products(connection: &mut PgConnection, rows: &[ProductRow<'_>]) -> Result<u64, sqlx::Error> {
    let statement = format!(
        "INSERT INTO products (id, sku, name, description, category_id, brand_id, base_price_cents, currency, is_active)
         SELECT id, sku, name, description, category_id, brand_id, price_cents, coalesce(currency, 'GBP'), coalesce(is_active, true)
         FROM {PRODUCT_LINES}"
    );
    write_products(connection, statement, rows).await
}

/// Returns how many were not yet as they are now.
pub async fn update_products(connection: &mut PgConnection, rows: &[ProductRow<'_>]) -> Result<u64, sqlx::Error> {
    let statement = format!(
        "UPDATE products SET name = new.name, description = new.description, category_id = new.category_id, brand_id = new.brand_id,
             base_price_cents = new.price_cents, currency = new.currency, is_active = new.is_active
         FROM (SELECT id, coalesce(line.name, was.name) AS name, coalesce(line.description, was.description) AS description,
                   coalesce(line.category_id, was.category_id) AS category_id, coalesce(line.brand_id, was.brand_id) AS brand_id,
                   coalesce(line.price_cents, was.base_price_cents) AS price_cents, coalesce(line.currency, was.currency) AS currency,
                   coalesce(line.is_active, was.is_active) AS is_active
               FROM {PRODUCT_LINES} JOIN products was USING (id)) AS new
         WHERE products.id = new.id
           AND (products.name, products.description, products.category_id, products.brand_id, products.base_price_cents, products.currency, products.is_active)
               IS DISTINCT FROM (new.name, new.description, new.category_id, new.brand_id, new.price_cents, new.currency, new.is_active)"
    );
    write_products(connection, statement, rows).await
}

async fn write_products(connection: &mut PgConnection, statement: String, rows: &[ProductRow<'_>]) -> Result<u64, sqlx::Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let written = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sku).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.name).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.description).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.category_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.brand_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.price_cents).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.currency).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.is_active).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(written.rows_affected())
}

const VARIANT_LINES: &str =
    "unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::int[]) AS line (id, product_id, sku, attributes, price_cents)";

/// Of new variants.
pub async fn insert_variants(connection: &mut PgConnection, rows: &[VariantRow<'_>]) -> Result<u64, sqlx::Error> {
    let statement = format!(
        "INSERT INTO product_variants (id, product_id, variant_sku, attributes, price_cents)
         SELECT id, product_id, sku, coalesce(attributes, '{{}}'), price_cents FROM {VARIANT_LINES}"
    );
    write_variants(connection, statement, rows).await
}

/// Returns how many were not yet as they are now.
pub async fn update_variants(connection: &mut PgConnection, rows: &[VariantRow<'_>]) -> Result<u64, sqlx::Error> {
    let statement = format!(
        "UPDATE product_variants SET attributes = new.attributes, price_cents = new.price_cents
         FROM (SELECT id, coalesce(line.attributes, was.attributes) AS attributes, coalesce(line.price_cents, was.price_cents) AS price_cents
               FROM {VARIANT_LINES} JOIN product_variants was USING (id)) AS new
         WHERE product_variants.id = new.id
           AND (product_variants.attributes, product_variants.price_cents) IS DISTINCT FROM (new.attributes, new.price_cents)"
    );
    write_variants(connection, statement, rows).await
}

async fn write_variants(connection: &mut PgConnection, statement: String, rows: &[VariantRow<'_>]) -> Result<u64, sqlx::Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let written = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.product_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sku).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.attributes.map(Json)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.price_cents).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(written.rows_affected())
}
