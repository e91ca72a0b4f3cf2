//! Three weeks of orders, in which some things sell better than others and some go together.

use chrono::{DateTime, Duration, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rust_decimal::Decimal;

use super::{Item, SEED};
use crate::shop::orders::{Line, Order};

const ORDERS: usize = 3_000;
const DAYS: i64 = 21;
const CUSTOMERS: u32 = 900;
/// Of 100 orders so many are cancellations of an earlier one.
const CANCELLATIONS: usize = 3;

const COUNTRIES: [(&str, u32); 8] =
    [("United Kingdom", 70), ("Germany", 8), ("France", 7), ("EIRE", 5), ("Spain", 3), ("Netherlands", 3), ("Belgium", 2), ("Sweden", 2)];

/// How shoppers choose: by what sells well, and by what goes with what they have.
pub(super) struct Taste {
    /// Positions of items by how well they sell, the best first.
    ranking: Vec<usize>,
    makers: Vec<Vec<usize>>,
    departments: Vec<Vec<usize>>,
    department_of: Vec<usize>,
    maker_of: Vec<usize>,
}

impl Taste {
    pub(super) fn new(items: &[Item]) -> Self {
        let mut random = StdRng::seed_from_u64(SEED ^ 0x7a57e);
        let mut ranking: Vec<usize> = (0..items.len()).collect();
        for at in (1..ranking.len()).rev() {
            ranking.swap(at, random.random_range(0..=at));
        }
        let mut names: Vec<&str> = Vec::new();
        let (mut makers, mut departments, mut department_of) = (Vec::new(), Vec::new(), Vec::new());
        for at in &ranking {
            let name = items[*at].product.category.as_deref().unwrap_or("");
            if !names.contains(&name) {
                names.push(name);
            }
        }
        makers.resize(items.iter().map(|item| item.maker + 1).max().unwrap_or(0), Vec::new());
        departments.resize(names.len(), Vec::new());
        department_of.resize(items.len(), 0);
        // In the order of the ranking, so that the well-selling come first in each.
        for at in &ranking {
            let department = names.iter().position(|name| items[*at].product.category.as_deref() == Some(*name)).unwrap_or(0);
            makers[items[*at].maker].push(*at);
            departments[department].push(*at);
            department_of[*at] = department;
        }
        Self { ranking, makers, departments, department_of, maker_of: items.iter().map(|item| item.maker).collect() }
    }

    /// Something to begin with: the better it sells, the likelier.
    pub(super) fn first(&self, random: &mut impl Rng) -> usize {
        self.ranking[skewed(self.ranking.len(), random)]
    }

    /// Something that goes with `item`: by the same maker, of the same department, or anything.
    pub(super) fn next(&self, item: usize, random: &mut impl Rng) -> usize {
        let from = match random.random_range(0..10) {
            0..5 => &self.makers[self.maker_of[item]],
            5..8 => &self.departments[self.department_of[item]],
            _ => &self.ranking,
        };
        from[skewed(from.len(), random)]
    }
}

/// A position below `length`, small ones likelier.
fn skewed(length: usize, random: &mut impl Rng) -> usize {
    let unit: f64 = random.random();
    ((unit.powf(2.2) * length as f64) as usize).min(length.saturating_sub(1))
}

/// The orders of the last weeks before `now`, oldest first.
pub fn orders(items: &[Item], now: DateTime<Utc>) -> Vec<Order> {
    let taste = Taste::new(items);
    let mut random = StdRng::seed_from_u64(SEED ^ 0x0de5);
    let mut orders: Vec<Order> = Vec::with_capacity(ORDERS);
    for number in 0..ORDERS {
        let placed_at = now - age(number, &mut random);
        if number % 100 >= 100 - CANCELLATIONS {
            let earlier = random.random_range(0..number);
            if !orders[earlier].is_cancellation {
                orders.push(cancellation(&orders[earlier], number, placed_at));
                continue;
            }
        }
        orders.push(order(items, &taste, number, placed_at, &mut random));
    }
    orders
}

/// How long ago order `number` was placed: evenly over the days, more of them by day than by night.
fn age(number: usize, random: &mut impl Rng) -> Duration {
    let step_s = (DAYS * 24 * 3_600) as f64 / ORDERS as f64;
    let from_now = (ORDERS - number) as f64 * step_s + random.random_range(0.0..step_s * 0.9);
    Duration::milliseconds((from_now * 1_000.0) as i64 - (step_s * 900.0) as i64).max(Duration::seconds(5))
}

fn order(items: &[Item], taste: &Taste, number: usize, placed_at: DateTime<Utc>, random: &mut StdRng) -> Order {
    let mut chosen = vec![taste.first(random)];
    // Small baskets are the commonest.
    let more = (random.random::<f64>().powi(2) * 6.0) as usize;
    for _ in 0..more {
        let next = taste.next(chosen[chosen.len() - 1], random);
        if !chosen.contains(&next) {
            chosen.push(next);
        }
    }
    let lines = chosen
        .into_iter()
        .map(|at| Line {
            sku: items[at].product.sku.clone(),
            quantity: if random.random_bool(0.8) { 1 } else { random.random_range(2..=6) },
            unit_price: Decimal::new(i64::from(items[at].product.price_cents), 2),
        })
        .collect();
    let (country, _) = COUNTRIES.choose_weighted(random, |(_, weight)| *weight).copied().unwrap_or(COUNTRIES[0]);
    let customer_id = random.random_bool(0.8).then(|| format!("C{:05}", random.random_range(0..CUSTOMERS)));
    Order { number: order_number(number), is_cancellation: false, customer_id, country: country.to_owned(), placed_at, lines }
}

fn cancellation(of: &Order, number: usize, placed_at: DateTime<Utc>) -> Order {
    let lines = of.lines.iter().map(|line| Line { quantity: -line.quantity, ..line.clone() }).collect();
    Order { number: order_number(number), is_cancellation: true, placed_at, lines, ..of.clone() }
}

fn order_number(number: usize) -> String {
    format!("SAMPLE-{:06}", number + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::shop::sample::items;

    #[test]
    fn orders_are_the_same_every_time_lie_in_the_past_and_in_order() {
        let (items, now) = (items(), Utc::now());
        let orders = orders(&items, now);
        assert_eq!(orders.len(), ORDERS);
        assert_eq!(orders, super::orders(&items, now));
        assert!(orders.iter().all(|order| order.placed_at < now && !order.lines.is_empty()));
        assert!(orders.windows(2).all(|pair| pair[0].placed_at <= pair[1].placed_at));
        assert!(orders[0].placed_at > now - Duration::days(DAYS + 1));
        assert!(orders.iter().any(|order| order.is_cancellation));
    }

    #[test]
    fn some_things_sell_better_and_some_go_together() {
        let items = items();
        let orders = orders(&items, Utc::now());
        let mut sold: HashMap<&str, u32> = HashMap::new();
        let mut pairs: HashMap<(&str, &str), u32> = HashMap::new();
        for order in orders.iter().filter(|order| !order.is_cancellation) {
            for line in &order.lines {
                *sold.entry(&line.sku).or_default() += 1;
                for other in &order.lines {
                    *pairs.entry((&line.sku, &other.sku)).or_default() += u32::from(line.sku < other.sku);
                }
            }
        }
        assert!(sold.values().max() > Some(&50), "a best seller");
        assert!(pairs.values().filter(|count| **count >= 4).count() > 50, "things that go together");
        assert!(sold.len() > 400, "most things are sold at all");
    }
}
