//! A cart as the shopper sees it.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::contents::{Contents, Line, contents};
use super::owner::Owner;
use crate::api::inventory::get::{Stock, stock};
use crate::api::problem::Result;
use crate::api::products::Product;
use crate::api::products::prices::{Price, prices};
use crate::api::state::App;

/// A cart is shown without pictures and stock if they take longer.
const WAIT: Duration = Duration::from_millis(250);

/// A cart, with what the catalogue says now.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Cart {
    /// `null`: nothing was ever put into it.
    pub id: Option<Uuid>,
    /// Counts the changes.
    pub version: i64,
    /// In the order of their SKUs.
    pub items: Vec<CartItem>,
    /// Units of all items.
    pub total_items: i64,
    /// Of those items that are offered in `currency`, at today's prices, before discounts, shipping and tax.
    pub subtotal_cents: i64,
    /// In which most of the items are priced. `null`: nothing in the cart is offered.
    #[schema(example = "GBP")]
    pub currency: Option<String>,
    /// Whether all of it can be ordered as it is, as far as is known.
    pub is_ready: bool,
    /// Once, to a guest whose first article this is: send it as `chimera-cart` from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest_token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CartItem {
    #[schema(example = "85123A")]
    pub sku: String,
    pub quantity: i32,
    /// `null`: the catalogue offers it no more.
    pub unit_price_cents: Option<i64>,
    /// If it has changed since the article was last put in: what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_unit_price_cents: Option<i64>,
    pub total_cents: Option<i64>,
    /// Of a variant too it is the product's, as are the name and the picture. `null`: the catalogue offers it no more.
    pub product_id: Option<Uuid>,
    pub name: Option<String>,
    pub image_url: Option<String>,
    /// Units of this SKU that can be ordered. `null`: the shop's stores do not know.
    pub available: Option<i64>,
    /// Why it cannot be ordered like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<CartObstacle>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartObstacle {
    /// The catalogue offers it no more.
    NotOffered,
    NotEnoughStock,
    /// It is priced in another currency than the rest.
    OtherCurrency,
}

impl CartObstacle {
    pub fn name(self) -> &'static str {
        match self {
            Self::NotOffered => "not_offered",
            Self::NotEnoughStock => "not_enough_stock",
            Self::OtherCurrency => "other_currency",
        }
    }
}

/// An owner's cart as it is now.
pub async fn cart(app: &App, owner: &Owner) -> Result<Cart> {
    shown(app, contents(app, owner).await?).await
}

/// With what the catalogue and the stores say now.
pub(super) async fn shown(app: &App, contents: Option<Contents>) -> Result<Cart> {
    let (id, version, lines) = match contents {
        Some(contents) => (Some(contents.id), contents.version, contents.lines),
        None => (None, 0, vec![]),
    };
    let skus: Vec<String> = lines.iter().map(|line| line.sku.clone()).collect();
    let mut prices = prices(&app.databases.catalog, &skus).await?;
    let known = known(app, &skus, &prices).await;
    let currency = most_frequent(prices.values().map(|price| price.currency.as_str()));
    let items: Vec<CartItem> = lines
        .into_iter()
        .zip(known)
        .map(|(line, known)| {
            let price = prices.remove(&line.sku);
            item(line, price, known, currency.as_deref())
        })
        .collect();
    let is_counted = |item: &&CartItem| !matches!(item.obstacle, Some(CartObstacle::NotOffered | CartObstacle::OtherCurrency));
    Ok(Cart {
        id,
        version,
        total_items: items.iter().map(|item| i64::from(item.quantity)).sum(),
        // At most 100 items of 10,000 units at 2^31 cents: far from overflow.
        subtotal_cents: items.iter().filter(is_counted).filter_map(|item| item.total_cents).sum(),
        currency,
        is_ready: !items.is_empty() && items.iter().all(|item| item.obstacle.is_none()),
        items,
        guest_token: None,
    })
}

fn item(line: Line, price: Option<Price>, known: Known, currency: Option<&str>) -> CartItem {
    let Known { image_url, available } = known;
    let obstacle = match &price {
        None => Some(CartObstacle::NotOffered),
        Some(price) if Some(price.currency.as_str()) != currency => Some(CartObstacle::OtherCurrency),
        Some(_) if available.is_some_and(|available| available < i64::from(line.quantity)) => Some(CartObstacle::NotEnoughStock),
        Some(_) => None,
    };
    let is_as_it_was = price.as_ref().is_none_or(|price| price.cents == line.price_cents && price.currency == line.currency);
    let unit_price_cents = price.as_ref().map(|price| price.cents);
    let (product_id, name) = price.map(|price| (price.product_id, price.name)).unzip();
    CartItem {
        unit_price_cents,
        was_unit_price_cents: (!is_as_it_was).then_some(line.price_cents),
        total_cents: unit_price_cents.map(|cents| cents * i64::from(line.quantity)),
        sku: line.sku,
        quantity: line.quantity,
        product_id,
        name,
        image_url,
        available,
        obstacle,
    }
}

/// The first of them by name where several are.
fn most_frequent<'a>(currencies: impl Iterator<Item = &'a str>) -> Option<String> {
    let all: Vec<&str> = currencies.collect();
    let different: BTreeSet<&str> = all.iter().copied().collect();
    // The last of equal ones is taken.
    different.into_iter().rev().max_by_key(|one| all.iter().filter(|other| *other == one).count()).map(str::to_owned)
}

/// What the stores say of an article.
#[derive(Debug, Default)]
struct Known {
    image_url: Option<String>,
    available: Option<i64>,
}

/// What the stores say of these articles, in their order. A cart is good without it: names and prices are the catalogue's.
async fn known(app: &App, skus: &[String], prices: &HashMap<String, Price>) -> Vec<Known> {
    // Variants of one product have one document.
    let ids: BTreeSet<Uuid> = prices.values().map(|price| price.product_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let asked = async { tokio::try_join!(stock(app, skus), app.products(&ids)) };
    let why = match tokio::time::timeout(WAIT, asked).await {
        Ok(Ok((stocks, documents))) => {
            let products: HashMap<Uuid, Product> = documents.into_iter().flatten().map(|product| (product.id, product)).collect();
            let of = |(sku, stock): (&String, Option<Stock>)| {
                let product = prices.get(sku).and_then(|price| products.get(&price.product_id));
                Known { image_url: product.and_then(|product| product.image_url.clone()), available: available(sku, stock, product) }
            };
            return skus.iter().zip(stocks).map(of).collect();
        }
        Ok(Err(problem)) => problem.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::warn!(why, "a cart is shown without pictures and stock");
    skus.iter().map(|_| Known::default()).collect()
}

/// Units of an article. Where nothing of it was ever received there is no record, but its product's document has it.
fn available(sku: &str, stock: Option<Stock>, product: Option<&Product>) -> Option<i64> {
    let units = match (stock, product) {
        (Some(stock), _) => Some(stock.available),
        (None, Some(product)) if product.sku == sku => product.available,
        (None, Some(product)) => product.variants.iter().any(|variant| variant.sku == sku).then_some(0),
        (None, None) => None,
    };
    units.map(|units| units.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_currency_is_the_carts() {
        let of = |currencies: &[&'static str]| most_frequent(currencies.iter().copied());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["USD", "GBP"]).as_deref(), Some("GBP"));
        assert_eq!(of(&["USD", "GBP", "EUR", "USD"]).as_deref(), Some("USD"));
    }
}
