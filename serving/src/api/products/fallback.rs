//! A product as the catalogue itself has it, for when its document cannot be reached. Stock is not the catalogue's: it is left open.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, TimeDelta, Utc};
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use super::get::{ProductResponse, not_found};
use super::{Product, Variant};
use crate::api::freshness::{AGE_MS, Meta};
use crate::api::problem::Result;

/// Says that an answer does not come from the store that it comes from otherwise.
pub const SOURCE: HeaderName = HeaderName::from_static("chimera-source");

#[derive(sqlx::FromRow)]
struct Row {
    sku: String,
    name: String,
    description: Option<String>,
    brand: Option<String>,
    category: Option<String>,
    price_cents: i64,
    currency: String,
    variants: Json<Vec<Variant>>,
    image_id: Option<Uuid>,
    /// How far the replica is behind; 0 of the primary.
    age_ms: i64,
}

/// Reads from `replica`, which may be the primary, and changes nothing there.
pub async fn find(replica: &PgPool, id: Uuid) -> Result<ProductResponse> {
    metrics::counter!("chimera_product_fallbacks_total").increment(1);
    let mut transaction = replica.begin_with("BEGIN READ ONLY").await?;
    let row: Option<Row> = sqlx::query_as(
        "SELECT p.sku, p.name, p.description, b.name AS brand, c.name AS category, p.base_price_cents::bigint AS price_cents, p.currency,
             (SELECT coalesce(json_agg(json_build_object('sku', variant_sku, 'attributes', attributes, 'price_cents', price_cents)
                                       ORDER BY variant_sku), '[]')
              FROM product_variants WHERE product_id = p.id) AS variants,
             (SELECT i.id FROM product_images i WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1) AS image_id,
             CASE WHEN pg_is_in_recovery()
                  THEN coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000, 0) ELSE 0 END::bigint AS age_ms
         FROM products p LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
         WHERE p.id = $1 AND p.is_active",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.rollback().await?;
    let row = row.ok_or_else(|| not_found(id))?;
    let age_ms = u64::try_from(row.age_ms).unwrap_or(0);
    let as_of = (Utc::now() - TimeDelta::milliseconds(row.age_ms.max(0))).to_rfc3339_opts(SecondsFormat::Millis, true);
    let meta = Meta { store: "catalog".into(), epoch: 0, age_ms, as_of };
    let product = Product {
        id,
        sku: row.sku,
        name: row.name,
        description: row.description,
        brand: row.brand,
        category: row.category,
        price_cents: row.price_cents,
        currency: row.currency,
        available: None,
        popularity: None,
        variants: row.variants.0,
        image_url: row.image_id.map(|id| format!("/api/v1/images/{id}")),
    };
    Ok(ProductResponse { product, meta })
}

/// What was found here, under the headers that say so.
pub fn respond(found: &ProductResponse) -> Response {
    let headers = [
        (SOURCE, HeaderValue::from_static("catalog")),
        (AGE_MS, found.meta.age_ms.into()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, axum::Json(found)).into_response()
}
