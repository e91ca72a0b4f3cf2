//! Latencies and failures of requests, by what was asked.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::Serialize;

use super::{Error, Report};

/// Latencies of one kind of request.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    pub request: &'static str,
    pub count: u64,
    pub errors: u64,
    pub per_s: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

#[derive(Default)]
struct Inner {
    kinds: BTreeMap<&'static str, (Histogram32, u64)>,
    orders: u64,
    sold_out: u64,
    messages: Vec<String>,
}

/// Microseconds, three digits, up to a minute.
struct Histogram32(Histogram<u32>);

impl Default for Histogram32 {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are right"))
    }
}

/// So many error messages are kept.
const MESSAGES: usize = 10;

/// Filled by all shoppers at once.
#[derive(Default)]
pub struct Measures(Mutex<Inner>);

impl Measures {
    /// A request of a kind took `took`, and failed or not.
    pub fn record(&self, kind: &'static str, took: Duration, error: Option<&Error>) {
        let mut inner = self.0.lock();
        let (histogram, errors) = inner.kinds.entry(kind).or_default();
        histogram.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        if let Some(error) = error {
            *errors += 1;
            let message = format!("{kind}: {error}");
            if inner.messages.len() < MESSAGES && !inner.messages.contains(&message) {
                inner.messages.push(message);
            }
        }
    }

    pub fn ordered(&self, placed: bool) {
        let mut inner = self.0.lock();
        if placed {
            inner.orders += 1;
        } else {
            inner.sold_out += 1;
        }
    }

    pub fn report(&self, took: Duration, late: u64) -> Report {
        let inner = self.0.lock();
        let seconds = took.as_secs_f64().max(1e-9);
        let ms = |histogram: &Histogram32, quantile: f64| histogram.0.value_at_quantile(quantile) as f64 / 1e3;
        let requests: Vec<Measure> = inner
            .kinds
            .iter()
            .map(|(request, (histogram, errors))| Measure {
                request,
                count: histogram.0.len(),
                errors: *errors,
                per_s: histogram.0.len() as f64 / seconds,
                p50_ms: ms(histogram, 0.5),
                p90_ms: ms(histogram, 0.9),
                p99_ms: ms(histogram, 0.99),
                max_ms: histogram.0.max() as f64 / 1e3,
            })
            .collect();
        Report {
            seconds,
            orders: inner.orders,
            orders_per_s: inner.orders as f64 / seconds,
            sold_out: inner.sold_out,
            late,
            errors: requests.iter().map(|measure| measure.errors).sum(),
            error_messages: inner.messages.clone(),
            requests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_failures_are_counted_by_kind() {
        let measures = Measures::default();
        for ms in 1..=100 {
            measures.record("search", Duration::from_millis(ms), None);
        }
        measures.record("order", Duration::from_millis(5), Some(&Error::EmptyShop));
        measures.ordered(true);
        let report = measures.report(Duration::from_secs(10), 3);
        let search = report.requests.iter().find(|measure| measure.request == "search").expect("recorded");
        assert_eq!((search.count, search.errors, search.per_s), (100, 0, 10.0));
        assert!((search.p50_ms - 50.0).abs() < 0.1 && (search.p99_ms - 99.0).abs() < 0.1, "{search:?}");
        assert_eq!((report.errors, report.orders, report.late, report.error_messages.len()), (1, 1, 3, 1));
    }
}
