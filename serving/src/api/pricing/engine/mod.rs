//! The arithmetic of prices: a basket, promotions, taxes, shipping and the time in, a quote out. Nothing else is known or asked here.
//!
//! - All amounts are whole cents. Each line is rounded by itself, half a cent up; an amount that goes over several lines is shared out so
//!   that the parts add up to it (see [`rounding`]).
//! - Promotions are applied by priority, then by id. Each takes from what those before it left, so no line falls below 0.
//! - An exclusive promotion applies only if none was applied before it, and none is after it.
//! - A minimum, and a bracket of shipping, look at the catalogue's prices before any discount.
//! - Tax is of what is left of a line, and of shipping, after discounts.

mod buy_x_get_y;
mod rounding;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::basket::{Basket, BasketLine};
use super::promotion::{Promotion, Rule, WHOLE};
use super::quote::{Discount, Quote, QuotedLine, Reason, RejectedCoupon};
use super::shipping::ShippingTable;
use super::tax::TaxTable;

/// A promotion that may apply: an automatic one, or one of which there is a coupon.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub promotion: Promotion,
    pub coupon: Option<String>,
    /// Why it cannot be used, whatever is in the basket: its limits.
    pub obstacle: Option<Reason>,
}

/// The table has no price for the basket's destination, method and currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoShipping;

/// What `basket` costs at `now`.
pub fn price(
    basket: &Basket,
    candidates: &[Candidate],
    taxes: &TaxTable,
    shipping: &ShippingTable,
    now: DateTime<Utc>,
) -> Result<Quote, NoShipping> {
    let mut ledger = Ledger::open(basket, shipping, now)?;
    let mut reasons: HashMap<&str, Reason> = HashMap::new();
    for candidate in in_stacking_order(candidates) {
        let outcome = ledger.apply(candidate);
        if let (Err(reason), Some(code)) = (outcome, &candidate.coupon) {
            reasons.insert(code, reason);
        }
    }
    let is_known = |code: &String| candidates.iter().any(|candidate| candidate.coupon.as_ref() == Some(code));
    let rejected = basket.coupons.iter().filter_map(|code| {
        let reason = if is_known(code) { *reasons.get(code.as_str())? } else { Reason::Unknown };
        Some(RejectedCoupon { code: code.clone(), reason })
    });
    let rejected_coupons = rejected.collect();
    Ok(Quote { rejected_coupons, ..ledger.close(taxes) })
}

/// Coupons of the same promotion stay in their order.
fn in_stacking_order(candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    sorted.sort_by_key(|candidate| (candidate.promotion.terms.priority, candidate.promotion.id));
    sorted
}

/// What is left of the basket's prices while promotions are applied.
struct Ledger<'a> {
    basket: &'a Basket,
    now: DateTime<Utc>,
    /// In the order of their SKUs: so the order in which a client names them changes nothing.
    lines: Vec<&'a BasketLine>,
    subtotal_cents: i64,
    /// Of each of `lines`.
    left_cents: Vec<i64>,
    shipping_cents: i64,
    shipping_left_cents: i64,
    discounts: Vec<Discount>,
    applied: Vec<Uuid>,
    /// An exclusive promotion was applied.
    is_closed: bool,
}

/// A line of those that a promotion is for.
#[derive(Clone, Copy, Debug)]
struct Matching {
    quantity: i64,
    unit_price_cents: i64,
    left_cents: i64,
}

impl<'a> Ledger<'a> {
    fn open(basket: &'a Basket, shipping: &ShippingTable, now: DateTime<Utc>) -> Result<Self, NoShipping> {
        let mut lines: Vec<&BasketLine> = basket.lines.iter().collect();
        lines.sort_by(|a, b| a.sku.cmp(&b.sku).then(a.unit_price_cents.cmp(&b.unit_price_cents)).then(a.quantity.cmp(&b.quantity)));
        let left_cents: Vec<i64> = lines.iter().map(|line| line.amount_cents()).collect();
        let subtotal_cents = left_cents.iter().sum();
        let shipping_cents = match &basket.destination {
            Some(destination) if !lines.is_empty() => {
                shipping.price_cents(&destination.country, basket.shipping_method, &basket.currency, subtotal_cents).ok_or(NoShipping)?
            }
            _ => 0,
        };
        Ok(Self {
            basket,
            now,
            lines,
            subtotal_cents,
            left_cents,
            shipping_cents,
            shipping_left_cents: shipping_cents,
            discounts: Vec::new(),
            applied: Vec::new(),
            is_closed: false,
        })
    }

    /// Takes off what a promotion gives, or says why it gives nothing.
    fn apply(&mut self, candidate: &Candidate) -> Result<(), Reason> {
        if let Some(obstacle) = candidate.obstacle {
            return Err(obstacle);
        }
        let Promotion { id, terms, .. } = &candidate.promotion;
        if !terms.is_active || terms.ends_at.is_some_and(|end| end <= self.now) {
            return Err(Reason::Over);
        }
        if terms.starts_at.is_some_and(|start| start > self.now) {
            return Err(Reason::NotYet);
        }
        if terms.currency.as_ref().is_some_and(|currency| *currency != self.basket.currency) {
            return Err(Reason::OtherCurrency);
        }
        if self.subtotal_cents < terms.minimum_basket_cents {
            return Err(Reason::MinimumNotReached);
        }
        let places: Vec<usize> = (0..self.lines.len()).filter(|&place| terms.scope.includes(self.lines[place])).collect();
        if places.is_empty() {
            return Err(Reason::NothingMatches);
        }
        if self.is_closed || self.applied.contains(id) || (terms.is_exclusive && !self.applied.is_empty()) {
            return Err(Reason::NotCombinable);
        }
        let discount = |amount_cents, sku| Discount {
            promotion_id: *id,
            name: terms.name.clone(),
            coupon: candidate.coupon.clone(),
            amount_cents,
            sku,
        };
        if let Rule::FreeShipping {} = terms.rule {
            // Where the basket goes is not known yet: it will apply, and takes off nothing so far.
            if self.shipping_left_cents == 0 && self.basket.destination.is_some() {
                return Err(Reason::NothingMatches);
            }
            self.discounts.push(discount(self.shipping_left_cents, None));
            self.shipping_left_cents = 0;
        } else {
            let cuts = cuts(&terms.rule, &places.iter().map(|&place| self.matching(place)).collect::<Vec<_>>());
            let total_cents: i64 = cuts.iter().sum();
            if total_cents == 0 {
                return Err(Reason::NothingMatches);
            }
            let is_of_basket = matches!(terms.rule, Rule::BasketAmount { .. });
            if is_of_basket {
                self.discounts.push(discount(total_cents, None));
            }
            for (place, cut_cents) in places.into_iter().zip(cuts).filter(|(_, cut_cents)| *cut_cents > 0) {
                self.left_cents[place] -= cut_cents;
                if !is_of_basket {
                    self.discounts.push(discount(cut_cents, Some(self.lines[place].sku.clone())));
                }
            }
        }
        self.applied.push(*id);
        self.is_closed = terms.is_exclusive;
        Ok(())
    }

    fn matching(&self, place: usize) -> Matching {
        let line = self.lines[place];
        Matching { quantity: line.quantity, unit_price_cents: line.unit_price_cents, left_cents: self.left_cents[place] }
    }

    /// Adds the taxes, and sums everything up.
    fn close(self, taxes: &TaxTable) -> Quote {
        let state = self.basket.destination.as_ref().and_then(|destination| destination.state_province.as_deref());
        let country = self.basket.destination.as_ref().and_then(|destination| taxes.country(&destination.country));
        let tax_included = country.is_some_and(|country| country.prices_include_tax);
        let tax_cents = |amount_cents: i64, category_ids: &[Uuid]| {
            let rate = country.map_or(0, |country| country.basis_points(state, category_ids));
            let whole = if tax_included { WHOLE + rate } else { WHOLE };
            rounding::part(amount_cents, rate.into(), whole.into())
        };
        let lines: Vec<QuotedLine> = self
            .lines
            .iter()
            .zip(&self.left_cents)
            .map(|(line, &left_cents)| {
                let tax_cents = tax_cents(left_cents, &line.category_ids);
                QuotedLine {
                    sku: line.sku.clone(),
                    name: line.name.clone(),
                    product_id: line.product_id,
                    quantity: line.quantity,
                    unit_price_cents: line.unit_price_cents,
                    discount_cents: line.amount_cents() - left_cents,
                    tax_cents,
                    total_cents: if tax_included { left_cents } else { left_cents + tax_cents },
                }
            })
            .collect();
        let shipping_tax_cents = tax_cents(self.shipping_left_cents, &[]);
        let tax_cents = lines.iter().map(|line| line.tax_cents).sum::<i64>() + shipping_tax_cents;
        let left_cents = self.left_cents.iter().sum::<i64>() + self.shipping_left_cents;
        Quote {
            currency: self.basket.currency.clone(),
            lines,
            subtotal_cents: self.subtotal_cents,
            discount_cents: self.discounts.iter().map(|discount| discount.amount_cents).sum(),
            discounts: self.discounts,
            shipping_cents: self.shipping_cents,
            shipping_tax_cents,
            tax_cents,
            tax_included,
            total_cents: if tax_included { left_cents } else { left_cents + tax_cents },
            rejected_coupons: Vec::new(),
        }
    }
}

/// What is taken off each of `lines`, which is never more than is left of it.
fn cuts(rule: &Rule, lines: &[Matching]) -> Vec<i64> {
    match *rule {
        Rule::Percentage { basis_points } => {
            lines.iter().map(|line| rounding::part(line.left_cents, basis_points.into(), WHOLE.into())).collect()
        }
        Rule::LineAmount { amount_cents } => lines.iter().map(|line| amount_cents.min(line.left_cents)).collect(),
        Rule::BasketAmount { amount_cents } => {
            let left_cents: Vec<i64> = lines.iter().map(|line| line.left_cents).collect();
            rounding::share_out(amount_cents.min(left_cents.iter().sum()), &left_cents)
        }
        Rule::BuyXGetY { buy, get, basis_points } => buy_x_get_y::cuts(lines, buy.into(), get.into(), basis_points),
        Rule::FreeShipping {} => vec![0; lines.len()],
    }
}
