//! What the catalogue charges: the only place from which an order's prices come.

use std::collections::{BTreeSet, HashMap};

use rust_decimal::Decimal;
use sqlx::PgPool;
use uuid::Uuid;

use crate::api::problem::{Problem, Result, kinds};

/// The price of a SKU that can be ordered, and what is sold for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub cents: i64,
    pub currency: String,
    pub product_id: Uuid,
    /// Of the product.
    pub name: String,
    /// The product's own category, then those above it, the nearest first.
    pub category_ids: Vec<Uuid>,
}

impl Price {
    /// In whole units of the currency.
    pub fn amount(&self) -> Decimal {
        Decimal::new(self.cents, 2)
    }
}

/// The prices of those of `skus` that belong to an active product, as the product's own SKU or as a variant's. A variant without a price
/// of its own has its product's. SKUs that cannot be ordered are absent.
pub async fn prices(catalog: &PgPool, skus: &[String]) -> Result<HashMap<String, Price>, sqlx::Error> {
    // The categories' depth is bounded, so that a circle of them ends.
    let rows: Vec<(String, i64, String, Uuid, String, Vec<Uuid>)> = sqlx::query_as(
        "WITH RECURSIVE offered AS (
             SELECT 1 AS preference, sku, base_price_cents AS cents, currency, id, name, category_id FROM products WHERE sku = ANY($1) AND is_active
             UNION ALL
             SELECT 2, variant.variant_sku, coalesce(variant.price_cents, product.base_price_cents), product.currency, product.id, product.name,
                 product.category_id
             FROM product_variants variant JOIN products product ON product.id = variant.product_id
             WHERE variant.variant_sku = ANY($1) AND product.is_active),
         path AS (
             SELECT id AS leaf, id, parent_id, 0 AS height FROM categories WHERE id IN (SELECT category_id FROM offered)
             UNION ALL
             SELECT path.leaf, above.id, above.parent_id, path.height + 1 FROM path JOIN categories above ON above.id = path.parent_id
             WHERE path.height < 32)
         SELECT sku, cents::bigint, currency, id, name, ARRAY(SELECT path.id FROM path WHERE leaf = category_id ORDER BY height)
         FROM offered ORDER BY preference",
    )
    .bind(skus)
    .fetch_all(catalog)
    .await?;
    let mut prices = HashMap::with_capacity(rows.len());
    for (sku, cents, currency, product_id, name, category_ids) in rows {
        // A SKU that is both: the product's own comes first.
        prices.entry(sku).or_insert(Price { cents, currency, product_id, name, category_ids });
    }
    Ok(prices)
}

/// The SKUs of those of `ids` that are a product's or a variant's, whether they can be ordered or not.
pub async fn skus_of(catalog: &PgPool, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, sqlx::Error> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT id, sku FROM products WHERE id = ANY($1) UNION ALL SELECT id, variant_sku FROM product_variants WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(catalog)
    .await?;
    Ok(rows.into_iter().collect())
}

/// The one currency in which all of `skus`, of which there is at least one, are priced.
///
/// # Errors
/// `unknown-sku` when one of them has no price, `mixed-currencies` when they differ.
pub fn common_currency<'a>(skus: &[String], prices: &'a HashMap<String, Price>) -> Result<&'a str> {
    let unknown: Vec<&String> = skus.iter().filter(|sku| !prices.contains_key(*sku)).collect();
    if !unknown.is_empty() {
        let detail = format!("The catalogue offers nothing under {}.", list(&unknown));
        return Err(Problem::new(&kinds::UNKNOWN_SKU, detail).with("skus", unknown));
    }
    let currencies: BTreeSet<&str> = skus.iter().map(|sku| prices[sku].currency.as_str()).collect();
    let [currency] = *currencies.iter().copied().collect::<Vec<_>>() else {
        return Err(Problem::new(&kinds::MIXED_CURRENCIES, "The lines are priced in several currencies.").with("currencies", currencies));
    };
    Ok(currency)
}

fn list(skus: &[&String]) -> String {
    let shown: Vec<String> = skus.iter().take(5).map(|sku| format!("`{}`", sku.escape_debug())).collect();
    let more = if skus.len() > 5 { format!(" and {} more", skus.len() - 5) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
