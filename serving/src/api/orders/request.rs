//! What a client may say about an order, and what it is told of the one that was placed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::extract::{Body, Faults};
use crate::api::problem::Result;

pub const MAX_LINES: usize = 100;
pub const MAX_QUANTITY: i64 = 10_000;

/// An order to place. Prices are not part of it.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Without one the order is a guest's.
    #[schema(max_length = 64, example = "17850")]
    pub customer_id: Option<String>,
    #[schema(min_length = 1, max_length = 60, example = "United Kingdom")]
    pub country: String,
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<NewLine>,
}

#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    #[schema(min_length = 1, max_length = 100, example = "85123A")]
    pub sku: String,
    #[schema(minimum = 1, maximum = 10000)]
    pub quantity: i64,
}

impl Body for NewOrder {
    const MAX_BYTES: usize = 64 * 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> =
        Some("Prices, totals, stock and the state of an order come from the server's catalogue and are never taken from a request.");
}

/// A checked order: its lines are merged by SKU, and in the order of their SKUs, which is the order in which stock is locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    pub customer_id: Option<String>,
    pub country: String,
    pub units: BTreeMap<String, i64>,
}

impl Wanted {
    pub fn skus(&self) -> Vec<String> {
        self.units.keys().cloned().collect()
    }

    /// Two requests with the same hash want the same.
    pub fn hash(&self) -> Result<[u8; 32]> {
        Ok(*blake3::hash(&serde_json::to_vec(self)?).as_bytes())
    }
}

impl NewOrder {
    /// Checks every bound and lists all that is wrong.
    pub fn check(self) -> Result<Wanted> {
        let mut faults = Faults::default();
        if let Some(customer) = &self.customer_id {
            faults.text("customer_id", customer, 64);
        }
        faults.text("country", &self.country, 60);
        let units = units(self.items, &mut faults);
        faults.check()?;
        Ok(Wanted { customer_id: self.customer_id, country: self.country, units })
    }
}

/// The units of each SKU: lines of the same one are added up. What is wrong with the lines is added to `faults`.
pub fn units(items: Vec<NewLine>, faults: &mut Faults) -> BTreeMap<String, i64> {
    if !(1..=MAX_LINES).contains(&items.len()) {
        faults.add("items", format!("an order has 1 to {MAX_LINES} lines, this one has {}", items.len()));
    }
    let mut units = BTreeMap::new();
    for (i, line) in items.into_iter().enumerate().take(MAX_LINES) {
        faults.text(&format!("items[{i}].sku"), &line.sku, 100);
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            faults.add(format!("items[{i}].quantity"), format!("a quantity goes from 1 to {MAX_QUANTITY}, not {}", line.quantity));
            continue;
        }
        let sum = units.entry(line.sku).or_insert(0);
        *sum += line.quantity;
        if *sum > MAX_QUANTITY {
            faults.add(
                format!("items[{i}].quantity"),
                format!("the lines of this SKU add up to {sum}; at most {MAX_QUANTITY} can be ordered at once"),
            );
        }
    }
    units
}

/// An order that was placed.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlacedOrder {
    pub id: Uuid,
    /// What people call it by.
    #[schema(example = "W-01JD3K7X2M-4F7QZ8")]
    pub number: String,
    pub status: String,
    #[schema(example = "GBP")]
    pub currency: String,
    /// In hundredths of the currency.
    pub total_cents: i64,
    pub items: Vec<PlacedLine>,
}

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlacedLine {
    pub sku: String,
    pub quantity: i64,
    /// In units of the currency, from the catalogue.
    #[schema(value_type = String, example = "2.55")]
    pub unit_price: Decimal,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(items: &[(&str, i64)]) -> NewOrder {
        let items = items.iter().map(|(sku, quantity)| NewLine { sku: (*sku).into(), quantity: *quantity }).collect();
        NewOrder { customer_id: None, country: "France".into(), items }
    }

    #[test]
    fn lines_are_merged_and_sorted_and_the_hash_sees_through_their_order() {
        let one = order(&[("b", 1), ("a", 2), ("b", 3)]).check().expect("a good order");
        let other = order(&[("a", 2), ("b", 4)]).check().expect("a good order");
        assert_eq!(one.units.iter().map(|(sku, n)| (sku.as_str(), *n)).collect::<Vec<_>>(), [("a", 2), ("b", 4)]);
        assert_eq!(one.hash().expect("a hash"), other.hash().expect("a hash"));
        assert_ne!(one.hash().expect("a hash"), order(&[("a", 2), ("b", 5)]).check().expect("a good order").hash().expect("a hash"));
    }

    #[test]
    fn every_bound_is_held() {
        assert!(order(&[]).check().is_err());
        assert!(order(&[("a", 0)]).check().is_err());
        assert!(order(&[("a", -1)]).check().is_err());
        assert!(order(&[("a", 10_000)]).check().is_ok());
        assert!(order(&[("a", 10_001)]).check().is_err());
        assert!(order(&[("a", 10_000), ("a", 1)]).check().is_err());
        assert!(order(&[("a", i64::MAX), ("a", i64::MAX)]).check().is_err());
        assert!(order(&[("a\0", 1)]).check().is_err());
        let lines: Vec<(String, i64)> = (0..101).map(|i| (format!("s{i}"), 1)).collect();
        assert!(order(&lines.iter().map(|(s, n)| (s.as_str(), *n)).collect::<Vec<_>>()).check().is_err());
        assert!(NewOrder { country: " ".into(), ..order(&[("a", 1)]) }.check().is_err());
        assert!(NewOrder { country: "é".repeat(60), ..order(&[("a", 1)]) }.check().is_ok());
        assert!(NewOrder { country: "é".repeat(61), ..order(&[("a", 1)]) }.check().is_err());
    }
}
