//! Taxes by country, and within it by state and by category.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::promotion::WHOLE;
use crate::api::extract::{Body, Faults};
use crate::api::problem::Result;

/// Every country that has no row of its own.
pub const ANY_COUNTRY: &str = "*";

const MAX_COUNTRIES: usize = 300;
const MAX_RATES: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxTable {
    #[schema(max_items = 300)]
    pub countries: Vec<TaxCountry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxCountry {
    /// As orders name it, in any case; `*` is every country that has no row of its own.
    #[schema(min_length = 1, max_length = 60, example = "United Kingdom")]
    pub country: String,
    /// Whether the shop's prices hold the tax there; else it is added to them.
    pub prices_include_tax: bool,
    #[schema(max_items = 500)]
    pub rates: Vec<TaxRate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// Everywhere in the country if not given.
    #[schema(max_length = 100)]
    pub state_province: Option<String>,
    /// With those below it. Whatever has no rate by its category if not given.
    pub category_id: Option<Uuid>,
    /// Hundredths of a percent.
    #[schema(minimum = 0, maximum = 10000, example = 2000)]
    pub basis_points: i32,
}

impl Body for TaxTable {
    const MAX_BYTES: usize = 1024 * 1024;
}

impl TaxTable {
    /// Where no row is, there is no tax.
    pub fn country(&self, name: &str) -> Option<&TaxCountry> {
        let named = |name: &str| self.countries.iter().find(|country| same(&country.country, name));
        named(name).or_else(|| named(ANY_COUNTRY))
    }

    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.unless(self.countries.len() <= MAX_COUNTRIES, "countries", "there are 300 countries at most");
        let mut names = HashSet::new();
        for (i, country) in self.countries.iter().enumerate().take(MAX_COUNTRIES) {
            let path = format!("countries[{i}]");
            faults.text(&format!("{path}.country"), &country.country, 60);
            faults.unless(names.insert(folded(&country.country)), &format!("{path}.country"), "this country is there twice");
            country.check(&format!("{path}.rates"), &mut faults);
        }
        faults.check()
    }
}

impl TaxCountry {
    /// For goods of these categories (the nearest first) that go to a state. A rate of the nearest category comes before one of another or
    /// of none, and among those, one of the state before one of the whole country. 0 if there is none.
    pub fn basis_points(&self, state_province: Option<&str>, category_ids: &[Uuid]) -> i32 {
        let of = |category: Option<Uuid>| {
            let rates = || self.rates.iter().filter(move |rate| rate.category_id == category);
            let is_of_state = |rate: &&TaxRate| matches!((&rate.state_province, state_province), (Some(of), Some(here)) if same(of, here));
            rates().find(is_of_state).or_else(|| rates().find(|rate| rate.state_province.is_none()))
        };
        let rate = category_ids.iter().copied().map(Some).chain([None]).find_map(of);
        rate.map_or(0, |rate| rate.basis_points)
    }

    fn check(&self, path: &str, faults: &mut Faults) {
        faults.unless(self.rates.len() <= MAX_RATES, path, "a country has 500 rates at most");
        let mut places = HashSet::new();
        for (i, rate) in self.rates.iter().enumerate().take(MAX_RATES) {
            if let Some(state) = &rate.state_province {
                faults.text(&format!("{path}[{i}].state_province"), state, 100);
            }
            let is_new = places.insert((rate.state_province.as_deref().map(folded), rate.category_id));
            faults.unless(is_new, &format!("{path}[{i}]"), "this state and category are there twice");
            let is_rate = (0..=WHOLE).contains(&rate.basis_points);
            faults.unless(is_rate, &format!("{path}[{i}].basis_points"), "a rate goes from 0 to 10000");
        }
    }
}

/// Names are compared so.
pub(super) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

pub(super) fn same(a: &str, b: &str) -> bool {
    folded(a) == folded(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_category_comes_before_the_state_and_that_before_the_country() {
        let [food, bread, books] = [1, 2, 3].map(Uuid::from_u128);
        let rate = |state: Option<&str>, category_id, basis_points| TaxRate {
            state_province: state.map(str::to_owned),
            category_id,
            basis_points,
        };
        let rates = vec![
            rate(None, None, 500),
            rate(Some("Ontario"), None, 1300),
            rate(None, Some(food), 100),
            rate(Some("Ontario"), Some(bread), 7),
            rate(None, Some(bread), 8),
        ];
        let canada = TaxCountry { country: "Canada".into(), prices_include_tax: false, rates };
        assert_eq!(canada.basis_points(None, &[]), 500);
        assert_eq!(canada.basis_points(Some(" ontario"), &[books]), 1300);
        assert_eq!(canada.basis_points(Some("Ontario"), &[food]), 100);
        assert_eq!(canada.basis_points(Some("Ontario"), &[bread, food]), 7);
        assert_eq!(canada.basis_points(Some("Quebec"), &[bread, food]), 8);
        let none = TaxCountry { rates: Vec::new(), ..canada };
        assert_eq!(none.basis_points(Some("Ontario"), &[bread]), 0);
    }

    #[test]
    fn a_country_is_found_in_any_case_or_is_any() {
        let row = |country: &str| TaxCountry { country: country.into(), prices_include_tax: false, rates: Vec::new() };
        let table = TaxTable { countries: vec![row("*"), row("France")] };
        let name = |of: &str| table.country(of).map(|country| country.country.as_str());
        assert_eq!([name("FRANCE "), name("Utopia")], [Some("France"), Some("*")]);
        assert_eq!(TaxTable::default().country("France"), None);
    }
}
