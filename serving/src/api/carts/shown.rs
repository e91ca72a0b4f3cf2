//! A cart as the shopper sees it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::contents::{Contents, Line, contents};
use super::owner::Owner;
use crate::api::problem::Result;
use crate::api::products::Product;
use crate::api::products::prices::{Price, prices};
use crate::api::state::App;

/// A cart is shown without names and stock if they take longer.
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
    /// `null`, as are the following: the stores do not know it, or it is the SKU of a variant.
    pub product_id: Option<Uuid>,
    pub name: Option<String>,
    pub image_url: Option<String>,
    /// Units that can be ordered, as far as the shop's stores know.
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
    let (prices, products) = tokio::join!(prices(&app.databases.catalog, &skus), products(app, &skus));
    let mut prices = prices?;
    let currency = most_frequent(prices.values().map(|price| price.currency.as_str()));
    let items: Vec<CartItem> = lines
        .into_iter()
        .zip(products)
        .map(|(line, product)| {
            let price = prices.remove(&line.sku);
            item(line, price, product, currency.as_deref())
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

fn item(line: Line, price: Option<Price>, product: Option<Product>, currency: Option<&str>) -> CartItem {
    let available = product.as_ref().and_then(|product| product.available).map(|available| available.max(0));
    let obstacle = match &price {
        None => Some(CartObstacle::NotOffered),
        Some(price) if Some(price.currency.as_str()) != currency => Some(CartObstacle::OtherCurrency),
        Some(_) if available.is_some_and(|available| available < i64::from(line.quantity)) => Some(CartObstacle::NotEnoughStock),
        Some(_) => None,
    };
    let is_as_it_was = price.as_ref().is_none_or(|price| price.cents == line.price_cents && price.currency == line.currency);
    let unit_price_cents = price.map(|price| price.cents);
    CartItem {
        unit_price_cents,
        was_unit_price_cents: (!is_as_it_was).then_some(line.price_cents),
        total_cents: unit_price_cents.map(|cents| cents * i64::from(line.quantity)),
        sku: line.sku,
        quantity: line.quantity,
        product_id: product.as_ref().map(|product| product.id),
        name: product.as_ref().map(|product| product.name.clone()),
        image_url: product.and_then(|product| product.image_url),
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

/// The products of these SKUs. A cart is good without them: they say what an article is called, not what it costs.
async fn products(app: &App, skus: &[String]) -> Vec<Option<Product>> {
    let why = match tokio::time::timeout(WAIT, app.products_by_sku(skus)).await {
        Ok(Ok(products)) => return products,
        Ok(Err(problem)) => problem.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::warn!(why, "a cart is shown without its products");
    skus.iter().map(|_| None).collect()
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
