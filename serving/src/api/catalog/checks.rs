//! What may stand in the catalogue's columns.

use serde_json::{Map, Value};

use crate::api::extract::Faults;

pub const MAX_SKU: usize = 100;
pub const MAX_PRODUCT_NAME: usize = 255;
/// Of a category or a brand.
pub const MAX_NAME: usize = 100;
const MAX_DESCRIPTION: usize = 10_000;
const MAX_ATTRIBUTES: usize = 50;
const MAX_ATTRIBUTE_NAME: usize = 60;
const MAX_ATTRIBUTE_VALUE: usize = 500;

/// As orders and stock will name it: to the letter, so spaces around it would be a trap.
pub fn sku(faults: &mut Faults, path: &str, sku: &str) {
    faults.text(path, sku, MAX_SKU);
    faults.unless(sku.trim() == sku, path, "a SKU has no spaces around it");
}

/// A text that may have several lines.
pub fn description(faults: &mut Faults, path: &str, description: Option<&str>) {
    let Some(text) = description else { return };
    let is_plain = text.chars().all(|c| matches!(c, '\n' | '\r' | '\t') || !c.is_control());
    faults.unless(is_plain, path, "this has control characters other than line ends and tabs");
    faults.unless(text.chars().count() <= MAX_DESCRIPTION, path, "this is longer than 10000 characters");
}

pub fn price(faults: &mut Faults, path: &str, price_cents: i32) {
    faults.unless(price_cents >= 0, path, "a price is not below 0");
}

pub fn currency(faults: &mut Faults, path: &str, currency: &str) {
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    faults.unless(is_code, path, "a currency is three capital letters, as in EUR");
}

/// Texts, numbers and booleans by name.
pub fn attributes(faults: &mut Faults, path: &str, attributes: &Map<String, Value>) {
    faults.unless(attributes.len() <= MAX_ATTRIBUTES, path, "there are more than 50 attributes");
    for (name, value) in attributes.iter().take(MAX_ATTRIBUTES) {
        faults.text(path, name, MAX_ATTRIBUTE_NAME);
        match value {
            Value::String(text) => faults.text(&format!("{path}.{name}"), text, MAX_ATTRIBUTE_VALUE),
            Value::Number(_) | Value::Bool(_) => {}
            _ => faults.add(format!("{path}.{name}"), "an attribute is a text, a number or a boolean"),
        }
    }
}
