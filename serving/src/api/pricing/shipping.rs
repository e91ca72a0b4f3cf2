//! What shipping costs: by country, method and currency, in brackets of the basket's prices.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::basket::ShippingMethod;
use super::promotion::is_currency;
use super::tax::{ANY_COUNTRY, folded, same};
use crate::api::extract::{Body, Faults};
use crate::api::problem::Result;

const MAX_RATES: usize = 5_000;
const MAX_CENTS: i64 = 100_000_000_000;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingTable {
    #[schema(max_items = 5000)]
    pub rates: Vec<ShippingRate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingRate {
    /// As orders name it, in any case; `*` is every country that has no row of its own of this method and currency.
    #[schema(min_length = 1, max_length = 60, example = "*")]
    pub country: String,
    pub method: ShippingMethod,
    #[schema(min_length = 3, max_length = 3, example = "GBP")]
    pub currency: String,
    /// For baskets whose prices, before any discount, add up to this or more, and to less than the next row's. One row begins at 0.
    #[schema(minimum = 0)]
    pub from_subtotal_cents: i64,
    #[schema(minimum = 0, example = 495)]
    pub price_cents: i64,
}

impl Body for ShippingTable {
    const MAX_BYTES: usize = 1024 * 1024;
}

impl ShippingTable {
    /// `None`: baskets in this currency do not go there so.
    pub fn price_cents(&self, country: &str, method: ShippingMethod, currency: &str, subtotal_cents: i64) -> Option<i64> {
        let of = |country: &str| {
            let rates = self.rates.iter().filter(|rate| same(&rate.country, country) && rate.method == method && rate.currency == currency);
            rates.filter(|rate| rate.from_subtotal_cents <= subtotal_cents).max_by_key(|rate| rate.from_subtotal_cents)
        };
        of(country).or_else(|| of(ANY_COUNTRY)).map(|rate| rate.price_cents)
    }

    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.unless(self.rates.len() <= MAX_RATES, "rates", "there are 5000 rates at most");
        let mut brackets: BTreeMap<(String, ShippingMethod, &str), BTreeSet<i64>> = BTreeMap::new();
        for (i, rate) in self.rates.iter().enumerate().take(MAX_RATES) {
            let path = |field: &str| format!("rates[{i}].{field}");
            faults.text(&path("country"), &rate.country, 60);
            faults.unless(is_currency(&rate.currency), &path("currency"), "a currency is three capital letters, as in EUR");
            for (field, cents) in [("from_subtotal_cents", rate.from_subtotal_cents), ("price_cents", rate.price_cents)] {
                faults.unless((0..=MAX_CENTS).contains(&cents), &path(field), "an amount is 0 cents to a thousand million units");
            }
            let of = brackets.entry((folded(&rate.country), rate.method, rate.currency.as_str())).or_default();
            faults.unless(of.insert(rate.from_subtotal_cents), &path("from_subtotal_cents"), "this bracket is there twice");
        }
        for ((country, method, currency), of) in brackets {
            if !of.contains(&0) {
                faults.add("rates", format!("{} shipping to `{country}` in {currency} has no row that begins at 0", method.name()));
            }
        }
        faults.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bracket_that_is_reached_counts_and_a_country_without_rows_is_any() {
        let rate = |country: &str, currency: &str, from_subtotal_cents, price_cents| ShippingRate {
            country: country.into(),
            method: ShippingMethod::Standard,
            currency: currency.into(),
            from_subtotal_cents,
            price_cents,
        };
        let rates =
            vec![rate("*", "GBP", 0, 900), rate("France", "GBP", 0, 500), rate("France", "GBP", 5000, 0), rate("France", "GBP", 1000, 300)];
        let table = ShippingTable { rates };
        assert!(table.check().is_ok());
        let price = |country: &str, currency: &str, subtotal| table.price_cents(country, ShippingMethod::Standard, currency, subtotal);
        assert_eq!(
            [price("france", "GBP", 999), price("France", "GBP", 1000), price("France", "GBP", 4999), price("France", "GBP", 9000)],
            [Some(500), Some(300), Some(300), Some(0)]
        );
        assert_eq!([price("Utopia", "GBP", 9000), price("France", "EUR", 9000)], [Some(900), None]);
        assert_eq!(table.price_cents("France", ShippingMethod::Express, "GBP", 1), None);
        assert!(ShippingTable { rates: vec![rate("France", "GBP", 1, 500)] }.check().is_err());
        assert!(ShippingTable { rates: vec![rate("France", "GBP", 0, 500), rate("FRANCE", "GBP", 0, 500)] }.check().is_err());
    }
}
