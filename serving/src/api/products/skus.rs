//! Which SKUs the catalogue knows.

use sqlx::PgPool;

/// Those of `skus` that belong to no product and no variant. Products that are not active count as known: their stock is still there.
pub async fn unknown(catalog: &PgPool, skus: &[&str]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT wanted.sku FROM unnest($1::text[]) AS wanted(sku)
         WHERE NOT EXISTS (SELECT FROM products WHERE products.sku = wanted.sku)
           AND NOT EXISTS (SELECT FROM product_variants WHERE variant_sku = wanted.sku)
         ORDER BY 1",
    )
    .bind(skus)
    .fetch_all(catalog)
    .await
}
