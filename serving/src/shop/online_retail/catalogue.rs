//! The year's articles as products, and the stock that has to be there before the year is sold.

use std::collections::HashMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::reader::Article;
use super::{Error, Year, categories};
use crate::shop::bulk::{self, Product, Stock};
use crate::shop::databases::Databases;
use crate::shop::databases::begin;

/// Under this reference the year's opening stock is booked.
const OPENING_STOCK: &str = "online-retail opening stock";
/// Weeks in a year: the reorder point is what an average week sells.
const WEEKS: i64 = 52;

/// What an import added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    pub products: u64,
    pub receipts: u64,
}

/// Puts the year's articles into the catalogue and their stock into the stock room. What is there already stays as it is.
pub async fn import(databases: &Databases, year: &Year) -> Result<Imported, Error> {
    let mut articles: Vec<(&String, &Article)> = year.articles.iter().collect();
    articles.sort_by_key(|(sku, _)| sku.as_str());
    let stock: Vec<Stock> = articles.iter().map(|(sku, article)| stock(sku, article)).collect();
    let products: Vec<Product> = articles.iter().map(|(sku, article)| product(sku, article)).collect();

    // Stock first: a product is never on sale before its units are there.
    let refused = |what: &str| {
        let what = what.to_owned();
        move |source| Error::Query { what, source }
    };
    let mut transaction = begin(&databases.inventory).await.map_err(refused("the opening stock"))?;
    let receipts = bulk::write_stock(&mut transaction, OPENING_STOCK, &stock).await.map_err(refused("the opening stock"))?;
    transaction.commit().await.map_err(refused("the opening stock"))?;

    let mut transaction = begin(&databases.catalog).await.map_err(refused("the catalogue"))?;
    let names: Vec<(String, String)> = categories::all().map(|name| (name.to_owned(), String::new())).collect();
    bulk::write_names(&mut transaction, &names, &[]).await.map_err(refused("categories"))?;
    let products = bulk::write_products(&mut transaction, &products).await.map_err(refused("the catalogue"))?;
    transaction.commit().await.map_err(refused("the catalogue"))?;
    Ok(Imported { products, receipts })
}

fn product(sku: &str, article: &Article) -> Product {
    let name = usual_description(&article.descriptions).unwrap_or(sku).to_owned();
    Product {
        sku: sku.to_owned(),
        category: Some(categories::guess(&name).to_owned()),
        name,
        description: None,
        brand: None,
        price_cents: usual_price_cents(&article.prices),
        variants: Vec::new(),
    }
}

fn stock(sku: &str, article: &Article) -> Stock {
    let received = i32::try_from(article.units_sold).unwrap_or(i32::MAX);
    Stock { sku: sku.to_owned(), received, reorder_point: i32::try_from(article.units_sold / WEEKS).unwrap_or(i32::MAX).max(1) }
}

/// The description used most often; of equals the first in the alphabet, so that it is the same every time. The clerks' notes
/// ("damaged", "found") stand in lower case and count only where there is nothing else.
fn usual_description(descriptions: &HashMap<String, u32>) -> Option<&str> {
    let is_note = |text: &str| text.chars().filter(|c| c.is_lowercase()).count() > text.len() / 2 || text.contains('?');
    descriptions
        .iter()
        .max_by(|(a, a_count), (b, b_count)| (!is_note(a)).cmp(&!is_note(b)).then(a_count.cmp(b_count)).then(b.cmp(a)))
        .map(|(text, _)| text.as_str())
}

/// The median of the positive prices, in cents.
fn usual_price_cents(prices: &[Decimal]) -> i32 {
    let mut positive: Vec<Decimal> = prices.iter().copied().filter(|price| price.is_sign_positive() && !price.is_zero()).collect();
    positive.sort();
    let median = positive.get(positive.len() / 2).copied().unwrap_or_default();
    (median * Decimal::ONE_HUNDRED).round().to_i32().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_most_lines_say_but_not_a_note() {
        let descriptions = HashMap::from([("LANTERN".to_owned(), 3), ("METAL LANTERN".to_owned(), 5), ("damaged".to_owned(), 9)]);
        assert_eq!(usual_description(&descriptions), Some("METAL LANTERN"));
        assert_eq!(usual_description(&HashMap::from([("damaged".to_owned(), 1)])), Some("damaged"));
        assert_eq!(usual_description(&HashMap::new()), None);
    }

    #[test]
    fn a_price_is_the_median_and_never_negative() {
        let prices: Vec<Decimal> = ["-5", "0", "2.55", "2.55", "9.99"].iter().map(|price| price.parse().expect("a number")).collect();
        assert_eq!(usual_price_cents(&prices), 255);
        assert_eq!(usual_price_cents(&prices[..2]), 0);
    }
}
