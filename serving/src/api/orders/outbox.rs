//! What buyers, by e-mail, and programs, by webhook, are told of an order: written in the transaction of what it tells of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::notifications::Channel;
use crate::api::outbox;
use crate::api::problem::Result;
use crate::api::state::App;
use crate::shop::shards::Shard;

/// What a message is about: also the last part of the key that it is routed by, the name of its template, and the event that webhooks name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// It is paid for.
    Confirmation,
    /// All or some of it is on its way.
    Shipped,
    /// All of it has arrived.
    Delivered,
    Cancelled,
    /// Articles came back.
    ReturnReceived,
    ReturnRefused,
    /// Money was given back.
    Refunded,
}

impl Topic {
    pub const ALL: [Self; 7] =
        [Self::Confirmation, Self::Shipped, Self::Delivered, Self::Cancelled, Self::ReturnReceived, Self::ReturnRefused, Self::Refunded];

    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmation => "order.confirmation",
            Self::Shipped => "order.shipped",
            Self::Delivered => "order.delivered",
            Self::Cancelled => "order.cancelled",
            Self::ReturnReceived => "order.return_received",
            Self::ReturnRefused => "order.return_refused",
            Self::Refunded => "order.refunded",
        }
    }
}

/// An order as messages tell of it: neither who bought it nor where it goes.
#[derive(Serialize, sqlx::FromRow)]
struct Order {
    id: Uuid,
    number: String,
    currency: String,
    placed_at: DateTime<Utc>,
    subtotal_cents: Option<i64>,
    discount_cents: Option<i64>,
    shipping_cents: Option<i64>,
    tax_cents: Option<i64>,
    total_cents: Option<i64>,
    #[sqlx(json)]
    items: Vec<Line>,
    #[serde(skip)]
    email: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    line_no: i32,
    sku: String,
    name: String,
    quantity: i32,
    paid_cents: Option<i64>,
}

/// Tells of an order as it is now, and `more`: an object, whose members stand beside `order`.
pub async fn tell(connection: &mut PgConnection, order_id: Uuid, topic: Topic, more: Value) -> Result<()> {
    let order: Order = sqlx::query_as(
        "SELECT id, number, currency, placed_at, subtotal_cents, discount_cents, shipping_cents, tax_cents, total_cents, email,
             (SELECT coalesce(json_agg(json_build_object('line_no', line_no, 'sku', sku, 'name', coalesce(name, sku), 'quantity', quantity,
                  'paid_cents', paid_cents) ORDER BY line_no), '[]') FROM order_items WHERE order_id = id) AS items
         FROM orders LEFT JOIN order_contacts ON order_id = id WHERE id = $1",
    )
    .bind(order_id)
    .fetch_one(&mut *connection)
    .await?;
    let email = order.email.clone();
    let mut data = json!({ "order": order });
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    outbox::write(connection, topic.name(), email.as_deref(), data).await
}

pub async fn relay(app: &App, shard: &Shard) -> Result<()> {
    outbox::relay(app.notifications.as_ref(), &shard.pool, &[Channel::Email, Channel::Webhook]).await
}
