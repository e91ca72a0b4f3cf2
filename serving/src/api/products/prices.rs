//! What the catalogue charges: the only place from which an order's prices come.

use std::collections::HashMap;

use rust_decimal::Decimal;
use sqlx::PgPool;

/// The price of a SKU that can be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub cents: i64,
    pub currency: String,
}

impl Price {
    /// In whole units of the currency.
    pub fn amount(&self) -> Decimal {
        Decimal::new(self.cents, 2)
    }
}

/// The prices of those of `skus` that belong to an active product, as the product's own SKU or as a variant's. A variant without a price
/// of its own
/// has its product's. SKUs that cannot be ordered are absent.
pub async fn prices(catalog: &PgPool, skus: &[String]) -> Result<HashMap<String, Price>, sqlx::Error> {
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT sku, base_price_cents::bigint, currency FROM products WHERE sku = ANY($1) AND is_active
         UNION ALL
         SELECT variant.variant_sku, coalesce(variant.price_cents, product.base_price_cents)::bigint, product.currency
         FROM product_variants variant JOIN products product ON product.id = variant.product_id
         WHERE variant.variant_sku = ANY($1) AND product.is_active",
    )
    .bind(skus)
    .fetch_all(catalog)
    .await?;
    let mut prices = HashMap::with_capacity(rows.len());
    for (sku, cents, currency) in rows {
        // A SKU that is both: the product's own comes first.
        prices.entry(sku).or_insert(Price { cents, currency });
    }
    Ok(prices)
}
