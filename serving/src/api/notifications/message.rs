//! What travels through the broker.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The way by which a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Channel {
    Email,
    Webhook,
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::Email, Self::Webhook];

    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    /// What of a message of the outbox goes this way, if it does. Programs are not told the address.
    pub fn copy(self, message: &Message) -> Option<Routed> {
        let message = match self {
            Self::Email => message.email.is_some().then(|| message.clone())?,
            Self::Webhook => Message { email: None, ..message.clone() },
        };
        Some(message.by(self))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Message {
    /// The same each time that it comes.
    pub id: Uuid,
    /// Such as `order.shipped`.
    pub topic: String,
    pub email: Option<String>,
    pub data: Value,
    /// When what it tells of happened.
    pub created_at: DateTime<Utc>,
    /// Whom it goes to. `None` of one that goes by webhook: to all that want to hear of it, each by a message of its own.
    #[sqlx(default)]
    pub webhook_id: Option<Uuid>,
}

impl Message {
    pub fn by(self, channel: Channel) -> Routed {
        Routed { key: format!("{}.{}", channel.name(), self.topic), message: self }
    }

    /// The copy for one webhook, under an id that is always the same.
    pub fn to_webhook(&self, webhook_id: Uuid) -> Self {
        Self { id: Uuid::new_v5(&self.id, webhook_id.as_bytes()), webhook_id: Some(webhook_id), ..self.clone() }
    }
}

/// A message, and the key that it is routed by: `email.order.shipped`.
#[derive(Clone, Debug)]
pub struct Routed {
    pub key: String,
    pub message: Message,
}
