//! Latencies, failures and wrong answers, by what was asked.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::Serialize;

use super::Report;

/// Latencies of one kind of request.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    pub request: &'static str,
    pub count: u64,
    pub errors: u64,
    pub wrong: u64,
    pub per_s: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// What became of journeys.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Came {
    pub journeys: u64,
    pub orders: u64,
    /// Of these, with a discount by the coupon that shoppers bring.
    pub with_coupon: u64,
    /// Shoppers who found what they wanted sold out,
    pub sold_out: u64,
    /// whose card was declined, as it should be,
    pub declined: u64,
    /// and who were told of a new price, and did not buy.
    pub repriced: u64,
    pub cancelled: u64,
    pub returned: u64,
}

#[derive(Default)]
struct Inner {
    kinds: BTreeMap<&'static str, Kind>,
    came: Came,
    messages: Vec<String>,
}

#[derive(Default)]
struct Kind {
    latencies: Latencies,
    errors: u64,
    wrong: u64,
}

/// Microseconds, three digits, up to a minute.
struct Latencies(Histogram<u32>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are right"))
    }
}

impl Inner {
    fn say(&mut self, message: String) {
        if self.messages.len() < MESSAGES && !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }
}

/// So many messages are kept.
const MESSAGES: usize = 10;

/// Filled by all shoppers at once.
#[derive(Default)]
pub struct Measures(Mutex<Inner>);

impl Measures {
    /// A request of a kind took `took`, and failed or not.
    pub fn record(&self, kind: &'static str, took: Duration, error: Option<&chimera_client::Error>) {
        let mut inner = self.0.lock();
        let of_kind = inner.kinds.entry(kind).or_default();
        of_kind.latencies.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        if let Some(error) = error {
            of_kind.errors += 1;
            inner.say(format!("{kind}: {error}"));
        }
    }

    /// An answer to a request of a kind cannot be true.
    pub fn wrong(&self, kind: &'static str, why: &str) {
        let mut inner = self.0.lock();
        inner.kinds.entry(kind).or_default().wrong += 1;
        inner.say(format!("{kind}: {why}"));
    }

    pub fn came(&self, count: impl FnOnce(&mut Came)) {
        count(&mut self.0.lock().came);
    }

    pub fn report(&self, took: Duration, late: u64) -> Report {
        let inner = self.0.lock();
        let seconds = took.as_secs_f64().max(1e-9);
        let requests: Vec<Measure> = inner
            .kinds
            .iter()
            .map(|(request, Kind { latencies: Latencies(latencies), errors, wrong })| {
                let ms = |quantile: f64| latencies.value_at_quantile(quantile) as f64 / 1e3;
                Measure {
                    request,
                    count: latencies.len(),
                    errors: *errors,
                    wrong: *wrong,
                    per_s: latencies.len() as f64 / seconds,
                    p50_ms: ms(0.5),
                    p90_ms: ms(0.9),
                    p99_ms: ms(0.99),
                    max_ms: latencies.max() as f64 / 1e3,
                }
            })
            .collect();
        Report {
            seconds,
            orders_per_s: inner.came.orders as f64 / seconds,
            came: inner.came,
            late,
            errors: requests.iter().map(|measure| measure.errors).sum(),
            wrong: requests.iter().map(|measure| measure.wrong).sum(),
            error_messages: inner.messages.clone(),
            requests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_failures_and_wrong_answers_are_counted_by_kind() {
        let measures = Measures::default();
        for ms in 1..=100 {
            measures.record("search", Duration::from_millis(ms), None);
        }
        measures.record("order", Duration::from_millis(5), Some(&chimera_client::Error::Address("nowhere".to_owned())));
        measures.wrong("order", "it costs less than nothing");
        measures.came(|came| came.orders += 1);
        let report = measures.report(Duration::from_secs(10), 3);
        let search = report.requests.iter().find(|measure| measure.request == "search").expect("recorded");
        assert_eq!((search.count, search.errors, search.per_s), (100, 0, 10.0));
        assert!((search.p50_ms - 50.0).abs() < 0.1 && (search.p99_ms - 99.0).abs() < 0.1, "{search:?}");
        assert_eq!((report.errors, report.wrong, report.came.orders, report.late, report.error_messages.len()), (1, 1, 1, 3, 2));
    }
}
