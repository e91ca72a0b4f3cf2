//! The numbers by which a year is known, from the file and from the database, to be compared.

use std::collections::HashSet;
use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::shop::orders::Order;
use crate::shop::shards::Shards;

/// Totals of a set of invoices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub lines: i64,
    pub orders: i64,
    pub skus: i64,
    pub customers: i64,
    /// Lines of cancellations, not their number.
    pub cancellation_lines: i64,
    /// Sum of quantity × unit price.
    pub revenue: Decimal,
}

impl Totals {
    /// Counted from the invoices themselves.
    pub fn of(invoices: &[Order]) -> Self {
        let lines = || invoices.iter().flat_map(|invoice| &invoice.lines);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            lines: count(lines().count()),
            orders: count(invoices.len()),
            skus: count(lines().map(|line| &line.sku).collect::<HashSet<_>>().len()),
            customers: count(invoices.iter().filter_map(|invoice| invoice.customer_id.as_ref()).collect::<HashSet<_>>().len()),
            cancellation_lines: count(invoices.iter().filter(|invoice| invoice.is_cancellation).map(|invoice| invoice.lines.len()).sum()),
            revenue: lines().map(|line| line.unit_price * Decimal::from(line.quantity)).sum::<Decimal>().normalize(),
        }
    }

    /// Counted by PostgreSQL over what it holds of these invoices; orders of others do not count.
    pub async fn stored(shards: &Shards, invoices: &[Order]) -> Result<Self, sqlx::Error> {
        let numbers: Vec<&str> = invoices.iter().map(|invoice| invoice.number.as_str()).collect();
        let mut totals = Self::default();
        let mut all_skus = HashSet::new();
        for shard in shards.all() {
            let (lines, orders, skus, customers, cancellation_lines, revenue): (i64, i64, Vec<String>, i64, i64, Option<Decimal>) =
                sqlx::query_as(
                    "WITH chosen AS MATERIALIZED (SELECT id, kind, customer_id FROM orders WHERE number = ANY ($1))
                 SELECT count(i.order_id), (SELECT count(*) FROM chosen), coalesce(array_agg(DISTINCT i.sku::text), '{}'),
                        (SELECT count(DISTINCT customer_id) FROM chosen),
                        count(i.order_id) FILTER (WHERE c.kind = 'cancellation'), sum(i.quantity * i.unit_price)
                   FROM chosen c JOIN order_items i ON i.order_id = c.id",
                )
                .bind(&numbers)
                .fetch_one(&shard.pool)
                .await?;
            all_skus.extend(skus);
            totals.lines += lines;
            totals.orders += orders;
            // Nobody is a customer of two databases.
            totals.customers += customers;
            totals.cancellation_lines += cancellation_lines;
            totals.revenue += revenue.unwrap_or_default();
        }
        totals.skus = i64::try_from(all_skus.len()).unwrap_or(i64::MAX);
        totals.revenue = totals.revenue.normalize();
        Ok(totals)
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lines, {} invoices, {} stock codes, {} customers, {} cancellation lines, {} in value",
            self.lines, self.orders, self.skus, self.customers, self.cancellation_lines, self.revenue
        )
    }
}
