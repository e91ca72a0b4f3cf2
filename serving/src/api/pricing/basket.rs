//! What is to be priced.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coupons;
use crate::api::extract::{Faults, invalid};
use crate::api::orders::request::{NewLine, units};
use crate::api::problem::Result;
use crate::api::products::prices::{common_currency, prices};
use crate::api::state::App;

/// Coupons that one basket may bring.
pub const MAX_COUPONS: usize = 10;

/// Of a basket without lines: the catalogue's default.
const CURRENCY_OF_NOTHING: &str = "GBP";

/// Lines with the catalogue's prices, and all else that the price depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Basket {
    /// `None`: a guest's; promotions that count by customer do not apply.
    pub user_id: Option<Uuid>,
    /// One a SKU.
    pub lines: Vec<BasketLine>,
    pub currency: String,
    /// In capital letters, each once.
    pub coupons: Vec<String>,
    /// `None`: not known yet; then there is neither shipping nor tax.
    pub destination: Option<Destination>,
    pub shipping_method: ShippingMethod,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BasketLine {
    pub sku: String,
    pub name: String,
    pub product_id: Uuid,
    /// The product's own category, then those above it, the nearest first.
    pub category_ids: Vec<Uuid>,
    pub quantity: i64,
    pub unit_price_cents: i64,
}

impl BasketLine {
    /// At most 10,000 units of 2^31 cents.
    pub fn amount_cents(&self) -> i64 {
        self.unit_price_cents * self.quantity
    }
}

/// Where a basket goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// By its name; case does not matter.
    #[schema(min_length = 1, max_length = 60, example = "United Kingdom")]
    pub country: String,
    #[schema(max_length = 100)]
    pub state_province: Option<String>,
    #[schema(max_length = 20, example = "SW1Y 4LE")]
    pub postal_code: Option<String>,
}

impl Destination {
    pub fn check(&self, faults: &mut Faults) {
        faults.text("destination.country", &self.country, 60);
        if let Some(state) = &self.state_province {
            faults.text("destination.state_province", state, 100);
        }
        if let Some(code) = &self.postal_code {
            faults.text("destination.postal_code", code, 20);
        }
    }
}

/// How a basket gets there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ShippingMethod {
    #[default]
    Standard,
    Express,
}

impl ShippingMethod {
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Express => "express",
        }
    }
}

/// A basket of these SKUs and quantities, with the catalogue's prices and names. Lines of the same SKU are added up.
///
/// # Errors
/// `unknown-sku` when the catalogue does not offer one, `mixed-currencies`, and `invalid-body` when a bound is passed (those of orders).
pub async fn basket(
    app: &App,
    user_id: Option<Uuid>,
    lines: &[(String, i64)],
    coupons: Vec<String>,
    destination: Option<Destination>,
    method: ShippingMethod,
) -> Result<Basket> {
    if coupons.len() > MAX_COUPONS {
        return Err(invalid("coupons", format!("a basket takes {MAX_COUPONS} coupons at most")));
    }
    let coupons = coupons::each_once(&coupons);
    let empty =
        Basket { user_id, lines: Vec::new(), currency: CURRENCY_OF_NOTHING.to_owned(), coupons, destination, shipping_method: method };
    if lines.is_empty() {
        return Ok(empty);
    }
    let mut faults = Faults::default();
    let units = units(lines.iter().map(|(sku, quantity)| NewLine { sku: sku.clone(), quantity: *quantity }).collect(), &mut faults);
    faults.check()?;
    let skus: Vec<String> = units.keys().cloned().collect();
    let mut prices = prices(&app.databases.catalog, &skus).await?;
    let currency = common_currency(&skus, &prices)?.to_owned();
    let lines = units.into_iter().filter_map(|(sku, quantity)| {
        // Each is there, or it would have had no currency.
        let price = prices.remove(&sku)?;
        Some(BasketLine {
            sku,
            name: price.name,
            product_id: price.product_id,
            category_ids: price.category_ids,
            quantity,
            unit_price_cents: price.cents,
        })
    });
    Ok(Basket { lines: lines.collect(), currency, ..empty })
}
