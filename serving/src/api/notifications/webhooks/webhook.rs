//! A webhook, as it is kept.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use super::target;
use crate::api::extract::{Body, Faults};
use crate::api::orders::outbox::Topic;
use crate::api::problem::{Problem, Result, kinds};

/// Somebody who wants to hear of orders.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Webhook {
    pub id: Uuid,
    #[schema(example = "https://erp.example.com/hooks/orders")]
    pub url: String,
    #[schema(example = json!(["order.confirmation", "order.cancelled"]))]
    pub events: Vec<String>,
    /// One that is switched off is not called, and does not hear of it later.
    pub is_active: bool,
    #[serde(skip)]
    pub secret: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`Webhook`].
pub const COLUMNS: &str = "id, url, events, is_active, secret, created_at, updated_at";

/// A webhook as it shall be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookFields {
    /// Of the public internet, by https, unless the server was told otherwise (`--private-webhooks`).
    #[schema(min_length = 1, max_length = 2048, example = "https://erp.example.com/hooks/orders")]
    pub url: String,
    /// `order.confirmation`, `order.shipped`, `order.delivered`, `order.cancelled`, `order.return_received`, `order.return_refused`,
    /// `order.refunded`.
    #[schema(min_items = 1, max_items = 7, example = json!(["order.confirmation", "order.cancelled"]))]
    pub events: Vec<String>,
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub is_active: bool,
}

fn yes() -> bool {
    true
}

impl Body for WebhookFields {
    const MAX_BYTES: usize = 16 * 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("The secret is made by the server.");
}

impl WebhookFields {
    pub fn check(&self, private_too: bool) -> Result<()> {
        let mut faults = Faults::default();
        if let Some(fault) = target::fault(&self.url, private_too) {
            faults.add("url", fault);
        }
        faults.unless((1..=Topic::ALL.len()).contains(&self.events.len()), "events", "1 to 7 events are taken");
        for (i, event) in self.events.iter().enumerate().take(Topic::ALL.len()) {
            let is_known = Topic::ALL.iter().any(|topic| topic.name() == event);
            faults.unless(is_known, &format!("events[{i}]"), "there is no such event");
            faults.unless(!self.events[..i].contains(event), &format!("events[{i}]"), "this is named twice");
        }
        faults.check()
    }
}

/// What the secret of a webhook is sealed as: of another one it cannot be opened.
pub fn sealed_as(id: Uuid) -> String {
    format!("webhook {id}")
}

pub fn not_found(id: Uuid) -> Problem {
    Problem::new(&kinds::WEBHOOK_NOT_FOUND, format!("There is no webhook {id}."))
}

pub async fn find(pool: &PgPool, id: Uuid) -> Result<Option<Webhook>> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM webhooks WHERE id = $1"));
    Ok(sqlx::query_as(statement).bind(id).fetch_optional(pool).await?)
}

/// Who wants to hear of an event now.
pub async fn listening(pool: &PgPool, event: &str) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar("SELECT id FROM webhooks WHERE is_active AND $1 = ANY(events) ORDER BY id");
    Ok(ids.bind(event).fetch_all(pool).await?)
}
