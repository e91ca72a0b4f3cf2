//! The clicks of the last two days, in the shape of the topic `clickstream`.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use uuid::Uuid;

use super::history::Taste;
use super::{Item, SEED};
use crate::shop::stable_id;

const SESSIONS: u32 = 2_500;
const HOURS: f64 = 48.0;

/// An event of a shopper.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Click {
    pub event_id: Uuid,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub session_id: String,
    pub customer_id: Option<String>,
    pub sku: Option<String>,
    pub query: Option<String>,
    pub occurred_at: String,
    pub received_at: String,
    #[serde(skip)]
    pub at: DateTime<Utc>,
}

/// The clicks of the two days before `now`, oldest first.
pub fn clicks(items: &[Item], now: DateTime<Utc>) -> Vec<Click> {
    let taste = Taste::new(items);
    let mut random = StdRng::seed_from_u64(SEED ^ 0xc11c);
    let mut clicks = Vec::new();
    for session in 0..SESSIONS {
        // More of them lately.
        let hours_ago = HOURS * random.random::<f64>().powf(1.5);
        let mut at = now - Duration::seconds((hours_ago * 3_600.0) as i64 + 600);
        let session_id = format!("sample-{session:05}");
        let customer_id = random.random_bool(0.5).then(|| format!("C{:05}", random.random_range(0..900)));
        let mut item = taste.first(&mut random);
        let mut add = |at: &mut DateTime<Utc>, kind: &'static str, sku: Option<&str>, query: Option<String>, random: &mut StdRng| {
            *at += Duration::milliseconds(random.random_range(800..45_000));
            let when = at.to_rfc3339_opts(SecondsFormat::Millis, true);
            clicks.push(Click {
                event_id: stable_id("sample click", &clicks.len().to_string()),
                kind,
                session_id: session_id.clone(),
                customer_id: customer_id.clone(),
                sku: sku.map(str::to_owned),
                query,
                received_at: when.clone(),
                occurred_at: when,
                at: (*at).min(now),
            });
        };
        if random.random_bool(0.6) {
            let words = format!("{} {}", items[item].look.colour_name(), items[item].look.category.name());
            add(&mut at, "search", None, Some(words), &mut random);
        }
        for _ in 0..random.random_range(1..=6) {
            let sku = items[item].product.sku.as_str();
            if random.random_bool(0.4) {
                add(&mut at, "click", Some(sku), None, &mut random);
            }
            add(&mut at, "view", Some(sku), None, &mut random);
            if random.random_bool(0.15) {
                add(&mut at, "add_to_cart", Some(sku), None, &mut random);
            }
            item = taste.next(item, &mut random);
        }
    }
    clicks.sort_by_key(|click| click.at);
    clicks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::sample::items;

    #[test]
    fn clicks_are_past_and_of_every_kind() {
        let now = Utc::now();
        let clicks = clicks(&items(), now);
        assert!(clicks.len() > 8_000, "{}", clicks.len());
        assert!(clicks.iter().all(|click| click.at <= now && (click.sku.is_some() != click.query.is_some())));
        for kind in ["search", "click", "view", "add_to_cart"] {
            assert!(clicks.iter().any(|click| click.kind == kind), "{kind}");
        }
    }
}
