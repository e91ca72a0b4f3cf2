//! What must be true of the shop's answers.

use chimera_client::types::{Cart, Order, Product, Quote, Reason, Status, Stock};

use super::clerk::{BASIS_POINTS, COUPON};

/// A sentence about what cannot be true.
pub type Checked = Result<(), String>;

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Checked {
    if is == should { Ok(()) } else { Err(format!("{what} is {is:?}, and should be {should:?}")) }
}

/// What is offered costs something and is not below nothing.
pub fn product(product: &Product) -> Checked {
    let sku = &product.sku;
    if product.price_cents < 0 || product.available.is_some_and(|available| available < 0) {
        return Err(format!("{sku} costs {}, and {:?} are there", product.price_cents, product.available));
    }
    Ok(())
}

pub fn stock(stock: &Stock) -> Checked {
    if stock.available < 0 {
        return Err(format!("the stock of {} is {}", stock.sku, stock.available));
    }
    same("what is there of a SKU", stock.available, stock.received - stock.sold + stock.returned)
}

/// The cart holds what was put in, and adds up. `units`: SKU and quantity, in the order of SKUs.
pub fn cart(cart: &Cart, units: &[(String, i64)]) -> Checked {
    let held: Vec<(String, i64)> = cart.items.iter().map(|item| (item.sku.clone(), item.quantity)).collect();
    same("what the cart holds", held.as_slice(), units)?;
    same("the number of units in the cart", cart.total_items, units.iter().map(|(_, quantity)| quantity).sum())?;
    for item in &cart.items {
        same("the price of a line", item.total_cents, item.unit_price_cents.map(|cents| cents * item.quantity))?;
    }
    if cart.items.iter().all(|item| item.obstacle.is_none()) {
        let sum = cart.items.iter().filter_map(|item| item.total_cents).sum();
        same("the sum of the cart", cart.subtotal_cents, sum)?;
    }
    Ok(())
}

/// The quote is of the cart, at the cart's prices, and adds up.
pub fn quote(quote: &Quote, of: &Cart) -> Checked {
    let quoted: Vec<_> = quote.lines.iter().map(|line| (&line.sku, line.quantity, Some(line.unit_price_cents))).collect();
    let held: Vec<_> = of.items.iter().map(|item| (&item.sku, item.quantity, item.unit_price_cents)).collect();
    same("what is quoted", quoted, held)?;
    same("the currency of the quote", Some(&quote.currency), of.currency.as_ref())?;
    let sum = quote.lines.iter().map(|line| line.unit_price_cents * line.quantity).sum();
    same("the quote's sum of prices", quote.subtotal_cents, sum)?;
    let discounts = quote.discounts.iter().map(|discount| discount.amount_cents).sum();
    same("the quote's discount", quote.discount_cents, discounts)?;
    let taxes = quote.lines.iter().map(|line| line.tax_cents).sum::<i64>() + quote.shipping_tax_cents;
    same("the quote's tax", quote.tax_cents, taxes)?;
    let tax = if quote.tax_included { 0 } else { quote.tax_cents };
    let total = quote.subtotal_cents - quote.discount_cents + quote.shipping_cents + tax;
    same("the quote's total", quote.total_cents, total)?;
    for line in &quote.lines {
        let tax = if quote.tax_included { 0 } else { line.tax_cents };
        same("the total of a quoted line", line.total_cents, line.unit_price_cents * line.quantity - line.discount_cents + tax)?;
    }
    if let Some(negative) = [quote.total_cents, quote.shipping_cents, quote.tax_cents, quote.discount_cents].into_iter().find(|n| *n < 0) {
        return Err(format!("a quote has an amount of {negative}"));
    }
    Ok(())
}

/// Our coupon is known; where it alone takes something off, that is a tenth.
pub fn coupon(quote: &Quote) -> Checked {
    if quote.rejected_coupons.iter().any(|rejected| rejected.reason == Reason::Unknown) {
        return Err(format!("nobody knows the coupon {COUPON}"));
    }
    if quote.discounts.is_empty() || quote.discounts.iter().any(|discount| discount.coupon.as_deref() != Some(COUPON)) {
        return Ok(());
    }
    // Each line is rounded for itself.
    let exact = quote.subtotal_cents as f64 * BASIS_POINTS as f64 / 1e4;
    if (quote.discount_cents as f64 - exact).abs() > quote.lines.len() as f64 {
        return Err(format!("a tenth of {} cents is {}", quote.subtotal_cents, quote.discount_cents));
    }
    Ok(())
}

/// The order is what was quoted.
pub fn order(order: &Order, quote: &Quote) -> Checked {
    let ordered: Vec<_> = order.items.iter().map(|line| (line.sku.clone(), line.quantity)).collect();
    let quoted: Vec<_> = quote.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect();
    same("what was ordered", sorted(ordered), sorted(quoted))?;
    same("the order's currency", &order.currency, &quote.currency)?;
    for (what, is, should) in [
        ("the order's sum of prices", order.subtotal_cents, quote.subtotal_cents),
        ("the order's discount", order.discount_cents, quote.discount_cents),
        ("the order's shipping", order.shipping_cents, quote.shipping_cents),
        ("the order's tax", order.tax_cents, quote.tax_cents),
        ("the order's total", order.total_cents, quote.total_cents),
    ] {
        same(what, is, Some(should))?;
    }
    let paid: i64 = order.items.iter().filter_map(|line| line.paid_cents).sum();
    same("what the order's lines were paid with", paid, quote.lines.iter().map(|line| line.total_cents).sum())
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values
}

/// The order is where it should be, and so much of its money was given back.
pub fn standing(order: &Order, status: Status, refunded_cents: i64) -> Checked {
    same("where the order is", order.status, status)?;
    same("the last of the order's history", order.history.last().map(|event| event.status), Some(status))?;
    same("what was given back", order.refunded_cents, refunded_cents)
}

#[cfg(test)]
mod tests {
    use chimera_client::types::{CartItem, QuotedLine};

    use super::*;

    fn quoted() -> Quote {
        let line =
            QuotedLine { sku: "A".into(), quantity: 3, unit_price_cents: 100, tax_cents: 60, total_cents: 360, ..Default::default() };
        Quote {
            currency: "GBP".into(),
            lines: vec![line],
            subtotal_cents: 300,
            shipping_cents: 495,
            shipping_tax_cents: 99,
            tax_cents: 159,
            total_cents: 954,
            ..Default::default()
        }
    }

    fn held() -> Cart {
        let item = CartItem { sku: "A".into(), quantity: 3, unit_price_cents: Some(100), total_cents: Some(300), ..Default::default() };
        Cart { items: vec![item], total_items: 3, subtotal_cents: 300, currency: Some("GBP".into()), ..Default::default() }
    }

    #[test]
    fn a_cent_too_many_is_found_wherever_it_is() {
        let units = [("A".to_owned(), 3)];
        cart(&held(), &units).expect("the cart is right");
        quote(&quoted(), &held()).expect("the quote is right");
        assert!(cart(&Cart { subtotal_cents: 301, ..held() }, &units).is_err());
        assert!(cart(&held(), &[("A".to_owned(), 2)]).is_err());
        for wrong in [
            Quote { total_cents: 955, ..quoted() },
            Quote { subtotal_cents: 301, ..quoted() },
            Quote { tax_cents: 160, ..quoted() },
            Quote { discount_cents: 1, ..quoted() },
            Quote { tax_included: true, ..quoted() },
            Quote { currency: "EUR".into(), ..quoted() },
        ] {
            assert!(quote(&wrong, &held()).is_err(), "{wrong:?}");
        }
        let few = Stock { sku: "A".into(), received: 5, sold: 6, returned: 0, available: -1 };
        assert!(stock(&few).is_err());
        assert!(stock(&Stock { available: 0, ..few.clone() }).is_err());
        assert!(stock(&Stock { available: 0, sold: 5, ..few }).is_ok());
    }
}
