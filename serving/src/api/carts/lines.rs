//! Changes of the lines of a cart, which stay in the order of their SKUs.

use super::contents::Line;
use crate::api::orders::request::{MAX_LINES, MAX_QUANTITY};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::products::prices::Price;

fn place(lines: &[Line], sku: &str) -> Result<usize, usize> {
    lines.binary_search_by(|line| line.sku.as_str().cmp(sku))
}

/// Puts units in, beside those that are there.
pub(super) fn add(lines: &mut Vec<Line>, sku: &str, quantity: i32, price: &Price) -> Result<()> {
    let had = place(lines, sku).map_or(0, |at| lines[at].quantity);
    let sum = i64::from(had) + i64::from(quantity);
    let quantity = i32::try_from(sum).ok().filter(|_| sum <= MAX_QUANTITY).ok_or_else(|| {
        let detail = format!("The cart would hold {sum} of `{}`; at most {MAX_QUANTITY} can be ordered at once.", sku.escape_debug());
        Problem::new(&kinds::CART_FULL, detail)
    })?;
    put(lines, sku, quantity, price)
}

/// So many units from now on; the article has to be there.
pub(super) fn set(lines: &mut Vec<Line>, sku: &str, quantity: i32, price: Option<&Price>) -> Result<()> {
    place(lines, sku).map_err(|_| not_in_cart(sku))?;
    put(lines, sku, quantity, price.ok_or_else(|| not_offered(sku))?)
}

fn put(lines: &mut Vec<Line>, sku: &str, quantity: i32, price: &Price) -> Result<()> {
    if let Some(other) = lines.iter().find(|line| line.sku != sku && line.currency != price.currency) {
        let detail = format!("`{}` is priced in {}, and what is in the cart in {}.", sku.escape_debug(), price.currency, other.currency);
        return Err(Problem::new(&kinds::MIXED_CURRENCIES, detail));
    }
    let line = Line { sku: sku.to_owned(), quantity, price_cents: price.cents, currency: price.currency.clone() };
    match place(lines, sku) {
        Ok(at) => lines[at] = line,
        Err(_) if lines.len() >= MAX_LINES => {
            return Err(Problem::new(&kinds::CART_FULL, format!("A cart holds {MAX_LINES} articles at most.")));
        }
        Err(at) => lines.insert(at, line),
    }
    Ok(())
}

pub(super) fn remove(lines: &mut Vec<Line>, sku: &str) -> Result<()> {
    let at = place(lines, sku).map_err(|_| not_in_cart(sku))?;
    lines.remove(at);
    Ok(())
}

/// Puts in what another cart holds. Nothing is refused, since who logs in is to lose nothing that can be kept: what would be too much is cut.
pub(super) fn merge(lines: &mut Vec<Line>, others: Vec<Line>) {
    let most = i32::try_from(MAX_QUANTITY).unwrap_or(i32::MAX);
    for other in others {
        match place(lines, &other.sku) {
            Ok(at) => lines[at].quantity = lines[at].quantity.saturating_add(other.quantity).min(most),
            Err(at) if lines.len() < MAX_LINES => lines.insert(at, other),
            Err(_) => {}
        }
    }
}

/// Takes out what was bought; what is there beyond it stays.
pub(super) fn take(lines: &mut Vec<Line>, bought: &[(String, i32)]) {
    for (sku, quantity) in bought {
        if let Ok(at) = place(lines, sku) {
            let left = lines[at].quantity.saturating_sub((*quantity).max(0));
            if left > 0 {
                lines[at].quantity = left;
            } else {
                lines.remove(at);
            }
        }
    }
}

pub(super) fn not_in_cart(sku: &str) -> Problem {
    let shown: String = sku.chars().take(100).collect();
    Problem::new(&kinds::NOT_IN_CART, format!("The cart has no `{}`.", shown.escape_debug()))
}

pub(super) fn not_offered(sku: &str) -> Problem {
    Problem::new(&kinds::UNKNOWN_SKU, format!("The catalogue offers nothing under `{}`.", sku.escape_debug())).with("skus", [sku])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sku: &str, quantity: i32) -> Line {
        Line { sku: sku.into(), quantity, price_cents: 100, currency: "GBP".into() }
    }

    fn price(currency: &str) -> Price {
        Price { cents: 100, currency: currency.into(), product_id: uuid::Uuid::nil(), name: "A".into(), category_ids: vec![] }
    }

    fn kind(result: Result<()>) -> &'static str {
        result.expect_err("a refusal").kind().name
    }

    #[test]
    fn every_bound_is_held() {
        let mut lines: Vec<Line> = (0..MAX_LINES).map(|i| line(&format!("{i:03}"), 1)).collect();
        assert_eq!(kind(add(&mut lines, "x", 1, &price("GBP"))), "cart-full");
        assert_eq!(kind(add(&mut lines, "000", 10_000, &price("GBP"))), "cart-full");
        assert_eq!(kind(add(&mut lines, "000", i32::MAX, &price("GBP"))), "cart-full");
        assert_eq!(kind(add(&mut lines, "000", 1, &price("EUR"))), "mixed-currencies");
        assert_eq!(kind(set(&mut lines, "x", 1, Some(&price("GBP")))), "not-in-cart");
        assert_eq!(kind(set(&mut lines, "000", 1, None)), "unknown-sku");
        assert_eq!(kind(remove(&mut lines, "x")), "not-in-cart");
        add(&mut lines, "000", 9_999, &price("GBP")).expect("room");
        assert_eq!((lines.len(), lines[0].quantity), (MAX_LINES, 10_000));
        // The only article may change its currency.
        let mut lines = vec![line("a", 1)];
        add(&mut lines, "a", 1, &price("EUR")).expect("room");
        assert_eq!((lines[0].quantity, lines[0].currency.as_str()), (2, "EUR"));
    }

    /// Every combination of two articles, against sums by SKU.
    #[test]
    fn merging_and_taking_are_sums_and_differences_within_bounds() {
        let quantities = [0, 1, 6_000, 10_000];
        let cart = |units: [i32; 2]| {
            let lines = ["a", "b"].into_iter().zip(units).filter(|(_, quantity)| *quantity > 0);
            lines.map(|(sku, quantity)| line(sku, quantity)).collect::<Vec<_>>()
        };
        let mut combinations = vec![];
        for a in quantities {
            combinations.extend(quantities.map(|b| [a, b]));
        }
        for own in &combinations {
            for other in &combinations {
                let mut lines = cart(*own);
                merge(&mut lines, cart(*other));
                let sums = [0, 1].map(|i| (own[i] + other[i]).min(10_000));
                assert_eq!(lines, cart(sums), "{own:?} with {other:?}");
                for bought in &combinations {
                    let mut left = lines.clone();
                    // What is named twice counts twice, and nothing is ever put in.
                    take(
                        &mut left,
                        &[("a".into(), bought[0]), ("b".into(), bought[1]), ("a".into(), 1), ("b".into(), -5), ("c".into(), 1)],
                    );
                    assert_eq!(left, cart([(sums[0] - bought[0]).max(0).saturating_sub(1), (sums[1] - bought[1]).max(0)]));
                }
            }
        }
    }
}
