//! What a basket costs, and how that comes about.

use chrono::Utc;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::basket::Basket;
use super::{candidates, engine, shipping_rates, tax_rates};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;

/// `total_cents` is `subtotal_cents` − `discount_cents` + `shipping_cents`, and + `tax_cents` unless the prices include the tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Quote {
    #[schema(example = "GBP")]
    pub currency: String,
    /// In the order of their SKUs.
    pub lines: Vec<QuotedLine>,
    /// The catalogue's prices, added up.
    pub subtotal_cents: i64,
    /// In the order in which they were applied.
    pub discounts: Vec<Discount>,
    /// Of all discounts, one on shipping included.
    pub discount_cents: i64,
    /// Before any discount.
    pub shipping_cents: i64,
    /// The part of `tax_cents` that is of shipping; the rest is of the lines.
    pub shipping_tax_cents: i64,
    pub tax_cents: i64,
    /// Whether the prices, and so `total_cents`, hold the tax already.
    pub tax_included: bool,
    pub total_cents: i64,
    pub rejected_coupons: Vec<RejectedCoupon>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuotedLine {
    pub sku: String,
    pub name: String,
    pub product_id: Uuid,
    pub quantity: i64,
    pub unit_price_cents: i64,
    /// Its own discounts, and its share of those of the basket.
    pub discount_cents: i64,
    pub tax_cents: i64,
    /// After discounts, and with the tax.
    pub total_cents: i64,
}

/// What a promotion takes off: of one line, or without `sku` of all that it is for, or of shipping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Discount {
    pub promotion_id: Uuid,
    pub name: String,
    /// The one that brought it.
    pub coupon: Option<String>,
    pub amount_cents: i64,
    pub sku: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RejectedCoupon {
    pub code: String,
    pub reason: Reason,
}

/// Why a promotion does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// There is no such coupon.
    Unknown,
    /// It begins later.
    NotYet,
    /// It has ended, or was switched off.
    Over,
    /// It was used as often as it could be.
    UsedUp,
    /// The customer used it as often as one customer may.
    UsedByYou,
    /// It counts by customer, and this one is not known.
    SignInNeeded,
    /// The basket's prices are in another currency.
    OtherCurrency,
    MinimumNotReached,
    /// Nothing in the basket is meant, or has a price left to take off from.
    NothingMatches,
    /// It stands alone, or another that does was applied, or it is there already.
    NotCombinable,
}

/// Prices a basket with the promotions, taxes and shipping that are in force now.
///
/// # Errors
/// `no-shipping-rate` when there is no price for bringing it to its destination by its method.
pub async fn quote(app: &App, basket: &Basket) -> Result<Quote> {
    let mut connection = app.databases.pricing.acquire().await?;
    let now = Utc::now();
    let candidates = candidates::load(&mut connection, basket, now).await?;
    let country = basket.destination.as_ref().map(|destination| destination.country.as_str());
    let (taxes, shipping) = match country {
        Some(country) => {
            (tax_rates::load(&mut *connection, Some(country)).await?, shipping_rates::load(&mut *connection, Some(country)).await?)
        }
        None => Default::default(),
    };
    drop(connection);
    engine::price(basket, &candidates, &taxes, &shipping, now).map_err(|engine::NoShipping| {
        let (method, currency) = (basket.shipping_method.name(), &basket.currency);
        Problem::new(
            &kinds::NO_SHIPPING_RATE,
            format!("There is no price in {currency} for {method} shipping to {}.", country.unwrap_or_default().escape_debug()),
        )
    })
}
