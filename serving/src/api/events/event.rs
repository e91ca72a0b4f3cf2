//! One event: what a client sends, what is checked, and what stands in the log.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::extract::text_error;

/// Clients' clocks are wrong and phones are offline: an event may be this old,
const OLDEST: TimeDelta = TimeDelta::days(30);
/// or this far in the future.
const NEWEST: TimeDelta = TimeDelta::minutes(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    View,
    Click,
    AddToCart,
    Search,
    Purchase,
    /// Somebody was shown a variant of an experiment. The server knows, and nobody else says so.
    #[serde(skip_deserializing)]
    Exposure,
}

/// Something that a shopper did.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Made by the client, the same for one visit.
    #[schema(min_length = 1, max_length = 64)]
    pub session_id: String,
    /// Needed by all kinds but `search`.
    #[schema(max_length = 100)]
    pub sku: Option<String>,
    /// Needed by `search`.
    #[schema(max_length = 200)]
    pub query: Option<String>,
    /// Of who has logged in it is their account's id, whatever is said here.
    #[schema(max_length = 64)]
    pub customer_id: Option<String>,
    /// RFC 3339; now, if not given. At most 30 days ago, at most 5 minutes ahead.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The same when the event is sent again; made by the server if not given.
    pub event_id: Option<Uuid>,
}

/// An event as it stands in the topic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    pub event_id: Uuid,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub session_id: String,
    pub customer_id: Option<String>,
    pub sku: Option<String>,
    pub query: Option<String>,
    pub occurred_at: String,
    pub received_at: String,
    /// Of an exposure alone: the experiment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// what was shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// and until when an order counts for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ends_at: Option<String>,
}

impl Event {
    /// Somebody was shown a variant. `subject` is the id of a session or of a customer; `customer_id`, if it is known, says whose orders count.
    pub fn exposure(
        event_id: Uuid,
        subject: &str,
        customer_id: Option<String>,
        (experiment, variant): (&str, &str),
        exposed_at: DateTime<Utc>,
        window_ends_at: DateTime<Utc>,
    ) -> Self {
        Self {
            event_id,
            kind: Kind::Exposure,
            session_id: subject.to_owned(),
            customer_id,
            sku: None,
            query: None,
            occurred_at: text(exposed_at),
            received_at: text(exposed_at),
            experiment: Some(experiment.to_owned()),
            variant: Some(variant.to_owned()),
            window_ends_at: Some(text(window_ends_at)),
        }
    }
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl NewEvent {
    /// The event for the log, or what is wrong with it: a field and a sentence each.
    pub fn check(self, received_at: DateTime<Utc>) -> Result<Event, Vec<(&'static str, String)>> {
        let mut errors = Vec::new();
        let mut bounded = |field: &'static str, text: Option<&str>, max: usize| {
            if let Some(message) = text.and_then(|text| text_error(text, max)) {
                errors.push((field, message));
            }
        };
        bounded("session_id", Some(&self.session_id), 64);
        bounded("sku", self.sku.as_deref(), 100);
        bounded("query", self.query.as_deref(), 200);
        bounded("customer_id", self.customer_id.as_deref(), 64);
        match (self.kind, &self.sku, &self.query) {
            (Kind::Search, _, None) => errors.push(("query", "a search has a query".into())),
            (Kind::View | Kind::Click | Kind::AddToCart | Kind::Purchase, None, _) => {
                errors.push(("sku", "this kind of event has a SKU".into()))
            }
            _ => {}
        }
        let occurred_at = self.occurred_at.unwrap_or(received_at);
        if occurred_at < received_at - OLDEST {
            errors.push(("occurred_at", format!("this is more than {} days ago", OLDEST.num_days())));
        } else if occurred_at > received_at + NEWEST {
            errors.push(("occurred_at", format!("this is more than {} minutes in the future", NEWEST.num_minutes())));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Event {
            event_id: self.event_id.unwrap_or_else(Uuid::now_v7),
            kind: self.kind,
            session_id: self.session_id,
            customer_id: self.customer_id,
            sku: self.sku,
            query: self.query,
            occurred_at: text(occurred_at),
            received_at: text(received_at),
            experiment: None,
            variant: None,
            window_ends_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: serde_json::Value) -> Result<Event, Vec<&'static str>> {
        let now = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let event: NewEvent = serde_json::from_value(json).expect("an event");
        event.check(now).map_err(|errors| errors.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn a_good_event_gets_its_id_and_times() {
        let event = check(serde_json::json!({"type": "view", "session_id": "s", "sku": "A"})).expect("a good event");
        assert_eq!(event.occurred_at, "2023-11-14T22:13:20.000000Z");
        assert_eq!(event.received_at, event.occurred_at);
        let zoned =
            check(serde_json::json!({"type": "search", "session_id": "s", "query": "mug", "occurred_at": "2023-11-14T23:00:00+01:00"}));
        assert_eq!(zoned.expect("a good event").occurred_at, "2023-11-14T22:00:00.000000Z");
    }

    #[test]
    fn bad_events_are_told_every_field() {
        let long = "x".repeat(300);
        assert_eq!(check(serde_json::json!({"type": "view", "session_id": ""})).expect_err("bad"), ["session_id", "sku"]);
        assert_eq!(
            check(serde_json::json!({"type": "search", "session_id": long, "sku": long})).expect_err("bad"),
            ["session_id", "sku", "query"]
        );
        let at = |at: &str| {
            check(serde_json::json!({"type": "view", "session_id": "s", "sku": "A", "occurred_at": at})).map_err(|fields| fields[0])
        };
        assert_eq!(at("2023-11-14T22:18:21Z").expect_err("the future"), "occurred_at");
        assert!(at("2023-11-14T22:18:20Z").is_ok());
        assert_eq!(at("2023-10-15T22:13:19Z").expect_err("the past"), "occurred_at");
        assert!(at("2023-10-15T22:13:20Z").is_ok());
        assert_eq!(at("9999-12-31T23:59:59Z").expect_err("the far future"), "occurred_at");
    }
}
