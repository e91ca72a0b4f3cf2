//! A line of a file, and what may stand in it.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::report::Fault;
use crate::api::catalog::categories::category::SEPARATOR;
use crate::api::catalog::categories::place::MAX_DEPTH;
use crate::api::catalog::checks;
use crate::api::extract::Faults;

/// What a line says. What it does not say stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    pub sku: String,
    /// The line is about a variant of the product under this SKU.
    pub parent_sku: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub brand: Option<String>,
    /// From the top, as in `Kitchen > Mugs`.
    pub category: Option<String>,
    pub price_cents: Option<i32>,
    pub currency: Option<String>,
    pub is_active: Option<bool>,
    pub attributes: Option<Map<String, Value>>,
}

/// A line that says nothing wrong by itself.
#[derive(Debug, PartialEq)]
pub struct Line {
    pub number: u64,
    pub sku: String,
    pub is: Kind,
}

#[derive(Debug, PartialEq)]
pub enum Kind {
    Product(ProductLine),
    Variant(VariantLine),
}

#[derive(Debug, PartialEq)]
pub struct ProductLine {
    pub name: Option<String>,
    pub description: Option<String>,
    pub brand: Option<String>,
    /// Names from the top.
    pub category: Option<Vec<String>>,
    pub price_cents: Option<i32>,
    pub currency: Option<String>,
    pub is_active: Option<bool>,
}

#[derive(Debug, PartialEq)]
pub struct VariantLine {
    pub parent_sku: String,
    pub attributes: Option<Map<String, Value>>,
    pub price_cents: Option<i32>,
}

impl Line {
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { line: self.number, sku: Some(self.sku.clone()), message: message.into() }
    }
}

impl Fields {
    pub fn check(self, number: u64) -> Result<Line, Fault> {
        let mut faults = Faults::default();
        checks::sku(&mut faults, "sku", &self.sku);
        if let Some(price_cents) = self.price_cents {
            checks::price(&mut faults, "price_cents", price_cents);
        }
        let category = self.category.as_deref().map(path);
        if let Some(parent_sku) = &self.parent_sku {
            checks::sku(&mut faults, "parent_sku", parent_sku);
            checks::attributes(&mut faults, "attributes", self.attributes.as_ref().unwrap_or(&Map::new()));
            let has = [
                ("name", self.name.is_some()),
                ("description", self.description.is_some()),
                ("brand", self.brand.is_some()),
                ("category", self.category.is_some()),
                ("currency", self.currency.is_some()),
                ("is_active", self.is_active.is_some()),
            ];
            for (name, is_there) in has {
                faults.unless(!is_there, name, "this is the product's, and a line with `parent_sku` is about a variant");
            }
        } else {
            faults.unless(self.attributes.is_none(), "attributes", "a product has none; a variant, with `parent_sku`, has");
            for (name, text, max) in [("name", &self.name, checks::MAX_PRODUCT_NAME), ("brand", &self.brand, checks::MAX_NAME)] {
                if let Some(text) = text {
                    faults.text(name, text, max);
                }
            }
            checks::description(&mut faults, "description", self.description.as_deref());
            if let Some(currency) = &self.currency {
                checks::currency(&mut faults, "currency", currency);
            }
            check_path(&mut faults, category.as_deref().unwrap_or_default());
        }
        if let Some(message) = faults.sentence() {
            let sku = (!self.sku.is_empty()).then(|| self.sku.chars().take(checks::MAX_SKU).collect());
            return Err(Fault { line: number, sku, message });
        }
        let trimmed = |text: String| text.trim().to_owned();
        let is = match self.parent_sku {
            Some(parent_sku) => Kind::Variant(VariantLine { parent_sku, attributes: self.attributes, price_cents: self.price_cents }),
            None => Kind::Product(ProductLine {
                name: self.name.map(trimmed),
                description: self.description,
                brand: self.brand.map(trimmed),
                category,
                price_cents: self.price_cents,
                currency: self.currency,
                is_active: self.is_active,
            }),
        };
        Ok(Line { number, sku: self.sku, is })
    }
}

fn path(text: &str) -> Vec<String> {
    text.split(SEPARATOR).map(|name| name.trim().to_owned()).collect()
}

/// Empty: the line names none.
fn check_path(faults: &mut Faults, path: &[String]) {
    for name in path {
        faults.text("category", name, checks::MAX_NAME);
    }
    faults.unless(path.len() <= MAX_DEPTH, "category", "this is deeper than the tree may be, 8 categories");
    let different: HashSet<&String> = path.iter().collect();
    faults.unless(different.len() == path.len(), "category", "this names one category twice");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Line, String> {
        serde_json::from_str::<Fields>(json).expect("fields").check(7).map_err(|fault| fault.message)
    }

    #[test]
    fn a_product_and_a_variant_are_told_apart() {
        let line = check(r#"{"sku":"A","name":" Mug ","category":"Kitchen > Mugs","price_cents":250}"#).expect("a good line");
        let Kind::Product(product) = line.is else { panic!("a product") };
        assert_eq!((product.name.as_deref(), product.category), (Some("Mug"), Some(vec!["Kitchen".to_owned(), "Mugs".to_owned()])));
        let line = check(r#"{"sku":"A-1","parent_sku":"A","attributes":{"colour":"red"}}"#).expect("a good line");
        assert!(matches!(line.is, Kind::Variant(VariantLine { price_cents: None, .. })));
    }

    #[test]
    fn all_that_is_wrong_with_a_line_is_told() {
        for (json, said) in [
            (r#"{"sku":""}"#, "`sku`: this is empty"),
            (r#"{"sku":" A"}"#, "no spaces around"),
            (r#"{"sku":"A","price_cents":-1,"currency":"gbp"}"#, "`price_cents`: a price is not below 0; `currency`: a currency is three"),
            (r#"{"sku":"A","category":"Kitchen > > Mugs"}"#, "`category`: this is empty"),
            (r#"{"sku":"A","category":"A > B > A"}"#, "twice"),
            (r#"{"sku":"A","category":"1>2>3>4>5>6>7>8>9"}"#, "deeper"),
            (r#"{"sku":"A","attributes":{}}"#, "a product has none"),
            (r#"{"sku":"A-1","parent_sku":"A","name":"Red"}"#, "`name`: this is the product's"),
            (r#"{"sku":"A-1","parent_sku":"A","attributes":{"a":[1]}}"#, "a text, a number or a boolean"),
        ] {
            let message = check(json).expect_err(json);
            assert!(message.contains(said), "{json}: {message}");
        }
    }
}
