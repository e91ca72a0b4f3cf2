//! Prices worked out by hand, and what holds for all of them.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::*;
use crate::api::pricing::basket::{Destination, ShippingMethod};
use crate::api::pricing::promotion::Terms;

const SHOES: u128 = 1;
const BOOTS: u128 = 2;
const BOOKS: u128 = 3;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn line(sku: &str, quantity: i64, unit_price_cents: i64, categories: &[u128]) -> BasketLine {
    BasketLine {
        sku: sku.into(),
        name: sku.into(),
        product_id: Uuid::nil(),
        category_ids: categories.iter().copied().map(Uuid::from_u128).collect(),
        quantity,
        unit_price_cents,
    }
}

/// 3 pairs of boots (which are shoes) at 10.00, 2 books at 3.33, a bag at 0.01: 36.67 in all.
fn basket() -> Basket {
    Basket {
        user_id: None,
        lines: vec![line("A", 3, 1000, &[BOOTS, SHOES]), line("B", 2, 333, &[BOOKS]), line("C", 1, 1, &[])],
        currency: "GBP".into(),
        coupons: Vec::new(),
        destination: None,
        shipping_method: ShippingMethod::Standard,
    }
}

fn to(country: &str) -> Basket {
    Basket { destination: Some(Destination { country: country.into(), state_province: None, postal_code: None }), ..basket() }
}

/// `terms` as merchandisers write them, but for the name; a smaller `id` comes first among those of one priority.
fn promotion(id: u128, mut terms: Value) -> Candidate {
    terms["name"] = json!(format!("promotion {id}"));
    let terms: Terms = serde_json::from_value(terms).expect("good terms");
    terms.check().expect("terms within their bounds");
    let promotion = Promotion { id: Uuid::from_u128(id), terms, used_count: 0, created_at: now(), updated_at: now() };
    Candidate { promotion, coupon: None, obstacle: None }
}

fn with_coupon(candidate: Candidate, code: &str) -> Candidate {
    Candidate { coupon: Some(code.into()), ..candidate }
}

fn taxes() -> TaxTable {
    let countries = json!([
        { "country": "Gross", "prices_include_tax": true, "rates": [{ "basis_points": 2000 }] },
        { "country": "Net", "prices_include_tax": false, "rates": [{ "basis_points": 2000 },
            { "category_id": Uuid::from_u128(BOOKS), "basis_points": 0 }] },
    ]);
    serde_json::from_value(json!({ "countries": countries })).expect("a table")
}

fn shipping() -> ShippingTable {
    let rate =
        |from, cents| json!({ "country": "*", "method": "standard", "currency": "GBP", "from_subtotal_cents": from, "price_cents": cents });
    serde_json::from_value(json!({ "rates": [rate(0, 495), rate(5000, 0)] })).expect("a table")
}

fn priced(basket: &Basket, candidates: &[Candidate]) -> Quote {
    price(basket, candidates, &taxes(), &shipping(), now()).expect("shipped there")
}

/// What is taken off each line of [`basket`].
fn taken_off(candidates: &[Candidate]) -> [i64; 3] {
    let quote = priced(&basket(), candidates);
    let cents: Vec<i64> = quote.lines.iter().map(|line| line.discount_cents).collect();
    assert_eq!(quote.discount_cents, cents.iter().sum::<i64>());
    cents.try_into().expect("three lines")
}

#[test]
fn each_kind_takes_off_what_was_worked_out_by_hand() {
    let table = [
        (json!({ "rule": { "kind": "percentage", "basis_points": 1500 } }), [450, 100, 0]),
        (json!({ "rule": { "kind": "percentage", "basis_points": 10000 } }), [3000, 666, 1]),
        // Half a cent goes up.
        (json!({ "rule": { "kind": "percentage", "basis_points": 5000 }, "scope": { "kind": "skus", "skus": ["C"] } }), [0, 0, 1]),
        // Boots are below shoes.
        (
            json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "scope": { "kind": "categories", "category_ids": [Uuid::from_u128(SHOES)] } }),
            [300, 0, 0],
        ),
        // Exactly 818.11, 181.62 and 0.27: the missing cent goes where most was rounded away.
        (json!({ "rule": { "kind": "basket_amount", "amount_cents": 1000 }, "currency": "GBP" }), [818, 182, 0]),
        (json!({ "rule": { "kind": "basket_amount", "amount_cents": 5000 }, "currency": "GBP" }), [3000, 666, 1]),
        (
            json!({ "rule": { "kind": "basket_amount", "amount_cents": 500 }, "currency": "GBP", "scope": { "kind": "skus", "skus": ["B", "C"] } }),
            [0, 499, 1],
        ),
        (json!({ "rule": { "kind": "line_amount", "amount_cents": 700 }, "currency": "GBP" }), [700, 666, 1]),
        // 6 units are 2 groups of 3: the bag and a book.
        (json!({ "rule": { "kind": "buy_x_get_y", "buy": 2, "get": 1, "basis_points": 10000 } }), [0, 333, 1]),
        // 6 units are 3 groups of 2: the bag and the books, at half the price.
        (json!({ "rule": { "kind": "buy_x_get_y", "buy": 1, "get": 1, "basis_points": 5000 } }), [0, 333, 1]),
        // 3 units are one whole group of 2.
        (
            json!({ "rule": { "kind": "buy_x_get_y", "buy": 1, "get": 1, "basis_points": 5000 }, "scope": { "kind": "skus", "skus": ["A"] } }),
            [500, 0, 0],
        ),
        (json!({ "rule": { "kind": "buy_x_get_y", "buy": 3, "get": 4, "basis_points": 10000 } }), [0, 0, 0]),
        (json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "currency": "GBP", "minimum_basket_cents": 3667 }), [300, 67, 0]),
        (json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "currency": "GBP", "minimum_basket_cents": 3668 }), [0, 0, 0]),
        (json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "currency": "EUR" }), [0, 0, 0]),
        (json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "is_active": false }), [0, 0, 0]),
        (
            json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "starts_at": now(), "ends_at": now() + TimeDelta::seconds(1) }),
            [300, 67, 0],
        ),
        (json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "starts_at": now() + TimeDelta::seconds(1) }), [0, 0, 0]),
        (json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "ends_at": now() }), [0, 0, 0]),
    ];
    for (terms, expected) in table {
        assert_eq!(taken_off(&[promotion(1, terms.clone())]), expected, "{terms}");
    }
}

#[test]
fn later_promotions_take_from_what_earlier_ones_left() {
    let tenth = |priority| promotion(1, json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "priority": priority }));
    let ten_pounds = promotion(2, json!({ "rule": { "kind": "basket_amount", "amount_cents": 1000 }, "currency": "GBP", "priority": 5 }));
    // 300, 67 and 0 first; of the 2700, 599 and 1 that are left, exactly 818.18, 181.52 and 0.30.
    assert_eq!(taken_off(&[ten_pounds.clone(), tenth(4)]), [1118, 249, 0]);
    // 818, 182 and 0 first; then a tenth of 2182, 484 and 1.
    assert_eq!(taken_off(&[ten_pounds.clone(), tenth(6)]), [818 + 218, 182 + 48, 0]);
    // Of one priority: by id.
    assert_eq!(taken_off(&[ten_pounds, tenth(5)]), [1118, 249, 0]);
}

#[test]
fn an_exclusive_promotion_stands_alone() {
    let tenth = |id, priority, is_exclusive| {
        promotion(id, json!({ "rule": { "kind": "percentage", "basis_points": 1000 }, "priority": priority, "is_exclusive": is_exclusive }))
    };
    // It comes first, and nothing after it.
    assert_eq!(taken_off(&[tenth(1, 1, true), tenth(2, 2, false)]), [300, 67, 0]);
    // Something else was first: it does not come at all.
    let basket = Basket { coupons: vec!["ALONE".into()], ..basket() };
    let quote = priced(&basket, &[with_coupon(tenth(1, 2, true), "ALONE"), tenth(2, 1, false)]);
    assert_eq!(quote.discount_cents, 367);
    assert!(quote.discounts.iter().all(|discount| discount.promotion_id == Uuid::from_u128(2)));
    assert_eq!(quote.rejected_coupons, [RejectedCoupon { code: "ALONE".into(), reason: Reason::NotCombinable }]);
    // One that does not apply excludes nothing.
    let over = promotion(3, json!({ "rule": { "kind": "free_shipping" }, "priority": 0, "is_exclusive": true, "is_active": false }));
    assert_eq!(taken_off(&[over, tenth(2, 1, false)]), [300, 67, 0]);
}

#[test]
fn taxes_are_held_by_the_prices_or_added_and_are_of_what_is_left() {
    let tenth = promotion(1, json!({ "rule": { "kind": "percentage", "basis_points": 1000 } }));
    let taxes = |quote: &Quote| quote.lines.iter().map(|line| (line.tax_cents, line.total_cents)).collect::<Vec<_>>();
    // A sixth of 2700, 599 and 1, and of 495.
    let gross = priced(&to("Gross"), std::slice::from_ref(&tenth));
    assert_eq!(taxes(&gross), [(450, 2700), (100, 599), (0, 1)]);
    assert_eq!((gross.shipping_tax_cents, gross.tax_cents, gross.tax_included), (83, 633, true));
    assert_eq!(gross.total_cents, 2700 + 599 + 1 + 495);
    // A fifth of 2700, of 1 and of 495; books are not taxed.
    let net = priced(&to("Net"), &[tenth]);
    assert_eq!(taxes(&net), [(540, 3240), (0, 599), (0, 1)]);
    assert_eq!((net.shipping_tax_cents, net.tax_cents, net.tax_included), (99, 639, false));
    assert_eq!(net.total_cents, 2700 + 599 + 1 + 495 + 639);
    // A country without a row has no tax, and nowhere is neither taxed nor shipped to.
    assert_eq!((priced(&to("Utopia"), &[]).tax_cents, priced(&to("Utopia"), &[]).total_cents), (0, 3667 + 495));
    assert_eq!((priced(&basket(), &[]).tax_cents, priced(&basket(), &[]).total_cents), (0, 3667));
}

#[test]
fn free_shipping_takes_off_the_shipping_once() {
    let free = |id| promotion(id, json!({ "rule": { "kind": "free_shipping" }, "scope": { "kind": "skus", "skus": ["C"] } }));
    let quote = priced(&to("Net"), &[free(1), free(2)]);
    assert_eq!((quote.shipping_cents, quote.discount_cents, quote.shipping_tax_cents), (495, 495, 0));
    assert_eq!(quote.discounts.iter().map(|discount| (discount.promotion_id.as_u128(), &discount.sku)).collect::<Vec<_>>(), [(1, &None)]);
    let without = Basket { lines: vec![line("A", 1, 1, &[])], ..to("Net") };
    assert_eq!(priced(&without, &[free(1)]).discount_cents, 0);
    // It is not known yet where the basket goes: the promotion is there, and takes nothing off.
    assert_eq!(priced(&basket(), &[free(1)]).discounts.len(), 1);
    let express = Basket { shipping_method: ShippingMethod::Express, ..to("Net") };
    assert_eq!(price(&express, &[], &taxes(), &shipping(), now()), Err(NoShipping));
}

#[test]
fn each_coupon_that_brings_nothing_is_told_why() {
    let basket = Basket { coupons: ["NONE", "USED", "SOON", "TWICE-1", "TWICE-2", "LARGE"].map(str::to_owned).into(), ..basket() };
    let tenth = |id| promotion(id, json!({ "rule": { "kind": "percentage", "basis_points": 1000 } }));
    let soon = promotion(3, json!({ "rule": { "kind": "free_shipping" }, "starts_at": now() + TimeDelta::seconds(1) }));
    let large = promotion(4, json!({ "rule": { "kind": "free_shipping" }, "currency": "GBP", "minimum_basket_cents": 10000 }));
    let candidates = [
        Candidate { obstacle: Some(Reason::UsedUp), ..with_coupon(tenth(2), "USED") },
        with_coupon(soon, "SOON"),
        with_coupon(tenth(1), "TWICE-1"),
        with_coupon(tenth(1), "TWICE-2"),
        with_coupon(large, "LARGE"),
    ];
    let quote = priced(&basket, &candidates);
    assert_eq!((quote.discount_cents, quote.discounts[0].coupon.as_deref()), (367, Some("TWICE-1")));
    let rejected: Vec<(&str, Reason)> = quote.rejected_coupons.iter().map(|coupon| (coupon.code.as_str(), coupon.reason)).collect();
    let expected = [
        ("NONE", Reason::Unknown),
        ("USED", Reason::UsedUp),
        ("SOON", Reason::NotYet),
        ("TWICE-2", Reason::NotCombinable),
        ("LARGE", Reason::MinimumNotReached),
    ];
    assert_eq!(rejected, expected);
}

/// Small numbers, so that roundings, ties and exhausted lines are common.
fn random_basket(random: &mut StdRng) -> Basket {
    let lines = (0..random.random_range(0..6_usize)).map(|i| {
        let categories: Vec<u128> = (SHOES..=BOOKS).filter(|_| random.random_bool(0.5)).collect();
        line(&format!("S{i}"), random.random_range(1..6), random.random_range(0..300), &categories)
    });
    let lines = lines.collect();
    let destination = [None, Some("Gross"), Some("Net"), Some("Utopia")][random.random_range(0..4)];
    Basket { lines, ..destination.map_or_else(basket, to) }
}

fn random_promotion(random: &mut StdRng, id: u128) -> Candidate {
    let (basis_points, amount_cents) = (random.random_range(1..=10_000), random.random_range(1..500));
    let rule = match random.random_range(0..5) {
        0 => json!({ "kind": "percentage", "basis_points": basis_points }),
        1 => json!({ "kind": "basket_amount", "amount_cents": amount_cents }),
        2 => json!({ "kind": "line_amount", "amount_cents": amount_cents }),
        3 => {
            json!({ "kind": "buy_x_get_y", "buy": random.random_range(1..4), "get": random.random_range(1..3), "basis_points": basis_points })
        }
        _ => json!({ "kind": "free_shipping" }),
    };
    let scope = match random.random_range(0..3) {
        0 => json!({ "kind": "all" }),
        1 => json!({ "kind": "categories", "category_ids": [Uuid::from_u128(random.random_range(SHOES..=BOOKS))] }),
        _ => json!({ "kind": "skus", "skus": [format!("S{}", random.random_range(0..6)), format!("S{}", random.random_range(0..6))] }),
    };
    let minimum_basket_cents = if random.random_bool(0.3) { random.random_range(0..2000) } else { 0 };
    let terms = json!({ "rule": rule, "scope": scope, "currency": "GBP", "minimum_basket_cents": minimum_basket_cents,
        "priority": random.random_range(0..3), "is_exclusive": random.random_bool(0.15) });
    promotion(id, terms)
}

#[test]
fn whatever_is_priced_adds_up() {
    let mut random = StdRng::seed_from_u64(20);
    let (mut discounts, mut exclusive, mut stacked) = (0, 0, 0);
    for _ in 0..3_000 {
        let basket = random_basket(&mut random);
        let mut candidates: Vec<Candidate> = (1..random.random_range(1..7)).map(|id| random_promotion(&mut random, id)).collect();
        let quote = priced(&basket, &candidates);
        let case = format!("{basket:#?}\n{candidates:#?}\n{quote:#?}");

        let added_tax_cents = if quote.tax_included { 0 } else { quote.tax_cents };
        assert_eq!(quote.total_cents, quote.subtotal_cents - quote.discount_cents + quote.shipping_cents + added_tax_cents, "{case}");
        assert_eq!(quote.subtotal_cents, basket.lines.iter().map(|line| line.quantity * line.unit_price_cents).sum::<i64>(), "{case}");
        assert_eq!(quote.discount_cents, quote.discounts.iter().map(|discount| discount.amount_cents).sum::<i64>(), "{case}");
        assert_eq!(quote.tax_cents, quote.lines.iter().map(|line| line.tax_cents).sum::<i64>() + quote.shipping_tax_cents, "{case}");
        for line in &quote.lines {
            let left_cents = line.quantity * line.unit_price_cents - line.discount_cents;
            assert!(left_cents >= 0 && line.discount_cents >= 0 && line.tax_cents >= 0, "{case}");
            assert_eq!(line.total_cents, if quote.tax_included { left_cents } else { left_cents + line.tax_cents }, "{case}");
            let of_line = quote.discounts.iter().filter(|discount| discount.sku.as_ref() == Some(&line.sku));
            assert!(of_line.map(|discount| discount.amount_cents).sum::<i64>() <= line.discount_cents, "{case}");
        }
        let of_lines_cents: i64 = quote.lines.iter().map(|line| line.discount_cents).sum();
        let of_shipping_cents = quote.discount_cents - of_lines_cents;
        assert!(of_shipping_cents == 0 || of_shipping_cents == quote.shipping_cents, "{case}");

        let applied: BTreeSet<Uuid> = quote.discounts.iter().map(|discount| discount.promotion_id).collect();
        let is_exclusive =
            |id: &Uuid| candidates.iter().any(|candidate| candidate.promotion.id == *id && candidate.promotion.terms.is_exclusive);
        assert!(applied.len() <= 1 || !applied.iter().any(is_exclusive), "{case}");
        discounts += applied.len();
        exclusive += applied.iter().filter(|id| is_exclusive(id)).count();
        stacked += usize::from(applied.len() > 1);

        // Neither the order of the lines nor that of the promotions matters.
        let mut shuffled = basket.clone();
        shuffled.lines.shuffle(&mut random);
        candidates.shuffle(&mut random);
        assert_eq!(priced(&shuffled, &candidates), quote, "{case}");

        // One that does not apply, first of all and exclusive, changes nothing.
        let idle = [
            json!({ "currency": "EUR" }),
            json!({ "ends_at": now() }),
            json!({ "currency": "GBP", "minimum_basket_cents": 1_000_000 }),
            json!({ "scope": { "kind": "skus", "skus": ["none"] } }),
        ];
        let mut terms = idle[random.random_range(0..idle.len())].clone();
        terms["rule"] = json!({ "kind": "percentage", "basis_points": 10_000 });
        terms["priority"] = json!(0);
        terms["is_exclusive"] = json!(true);
        candidates.push(promotion(0, terms));
        assert_eq!(priced(&basket, &candidates), quote, "{case}");
    }
    // The cases were not all trivial.
    assert!(discounts > 3_000 && exclusive > 100 && stacked > 500, "{discounts} {exclusive} {stacked}");
}
