//! Reads the catalogue's lines into products.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Error, categories};
use crate::shop::bulk::{Product, Variant};

/// Longest name that the catalogue takes, in characters.
const MAX_NAME: usize = 255;
/// Longest line that is read; the longest of the real file has 20 kB.
const MAX_LINE_BYTES: u64 = 1 << 20;

#[derive(Deserialize)]
struct Line {
    id: String,
    /// The manufacturer's model name.
    name: String,
    title: String,
    supplier: String,
    /// In cents.
    price: i64,
    short_description: Option<String>,
    #[serde(default)]
    ean: Vec<String>,
    date_released: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Reads the products of `path` (plain or gzip), at most the first `limit`.
pub fn read(path: &Path, limit: Option<usize>) -> Result<Vec<Product>, Error> {
    let name = path.display().to_string();
    let failed = |source| Error::Read { path: name.clone(), source };
    let file = File::open(path).map_err(failed)?;
    let gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let input: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) };
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut products = Vec::new();
    let mut text = String::new();
    for line in 1.. {
        if limit.is_some_and(|limit| products.len() >= limit) {
            break;
        }
        text.clear();
        if input.by_ref().take(MAX_LINE_BYTES).read_line(&mut text).map_err(failed)? == 0 {
            break;
        }
        if text.trim().is_empty() {
            continue;
        }
        let bad = |message: String| Error::Row { path: name.clone(), line, message };
        let parsed: Line = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        products.push(product(parsed).map_err(bad)?);
    }
    Ok(products)
}

fn product(line: Line) -> Result<Product, String> {
    let price_cents =
        i32::try_from(line.price).ok().filter(|price| *price >= 0).ok_or_else(|| format!("{} is not a price in cents", line.price))?;
    let sku = format!("ICE-{}", line.id);
    let category = categories::guess(&line.title, line.others.get("attr_t_product_type").and_then(Value::as_str));
    let mut attributes: Map<String, Value> =
        line.others.into_iter().filter_map(|(key, value)| key.strip_prefix("attr_").map(|key| (attribute_name(key), value))).collect();
    attributes.insert("model".to_owned(), Value::String(line.name));
    if !line.ean.is_empty() {
        attributes.insert("ean".to_owned(), line.ean.into());
    }
    if let Some(date) = line.date_released {
        attributes.insert("released".to_owned(), Value::String(date));
    }
    Ok(Product {
        name: line.title.chars().take(MAX_NAME).collect(),
        description: line.short_description.filter(|text| !text.is_empty()),
        category: Some(category.to_owned()),
        brand: Some(line.supplier.trim().to_owned()).filter(|brand| !brand.is_empty()),
        price_cents,
        variants: vec![Variant { sku: format!("{sku}-1"), attributes: Value::Object(attributes), price_cents: None }],
        sku,
    })
}

/// `t_printing_colours` → `printing_colours`: the letter says text, number or boolean, which JSON says itself.
fn attribute_name(key: &str) -> String {
    key.strip_prefix("t_").or(key.strip_prefix("n_")).or(key.strip_prefix("b_")).unwrap_or(key).trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_product_with_one_variant() {
        let line = r#"{"id":"17","name":"X1","title":"HP X1 Notebook","ean":["1"],"supplier":"HP","price":10995,"date_released":"2008-12-19T00:00:00Z",
            "img_low":"http://images/1.jpg","attr_t_product_colour":"Silver","attr_n_tjunction":90.0,"attr_b_touchscreen":false}"#;
        let product = product(serde_json::from_str(line).expect("JSON")).expect("a product");
        assert_eq!(
            (product.sku.as_str(), product.brand.as_deref(), product.price_cents, product.description),
            ("ICE-17", Some("HP"), 10995, None)
        );
        let expected = serde_json::json!({ "model": "X1", "ean": ["1"], "released": "2008-12-19T00:00:00Z", "product_colour": "Silver", "tjunction": 90.0, "touchscreen": false });
        assert_eq!(product.variants[0].attributes, expected);
        assert_eq!(product.category.as_deref(), Some("Computers"));
    }

    #[test]
    fn a_bad_line_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("products.jsonl");
        std::fs::write(&path, "{\"id\":\"1\",\"name\":\"a\",\"title\":\"b\",\"supplier\":\"c\",\"price\":1}\n{\"id\":\"2\"}\n")
            .expect("written");
        let error = read(&path, None).expect_err("refused").to_string();
        assert!(error.contains("products.jsonl, line 2: missing field"), "{error}");
        assert_eq!(read(&path, Some(1)).expect("one good line").len(), 1);
    }
}
