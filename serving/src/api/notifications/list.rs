//! `GET /api/v1/notifications`: what was sent, and what was not.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Channel;
use super::deliveries::{COLUMNS, Delivery, Status};
use crate::api::extract::{Query, text_error};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    status: Option<Status>,
    channel: Option<Channel>,
    /// Such as `order.shipped`.
    #[param(max_length = 100)]
    topic: Option<String>,
    /// An address or a URL, whole.
    #[param(max_length = 2048)]
    recipient: Option<String>,
    /// The `next` of the page before.
    before: Option<Uuid>,
    /// 1 to 200; 50 if not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Deliveries {
    /// Newest first.
    pub notifications: Vec<Delivery>,
    /// For `before`; `null`: there are no more.
    pub next: Option<Uuid>,
}

/// Messages that were sent, or were not, to whom and why; what they said is not kept.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", params(DeliveriesQuery),
    responses((status = 200, body = Deliveries), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub async fn list_notifications(State(app): State<App>, Query(query): Query<DeliveriesQuery>) -> Result<axum::Json<Deliveries>> {
    let limit = limit(query.limit, 50, 200)?;
    for (name, text, max) in [("topic", &query.topic, 100), ("recipient", &query.recipient, 2048)] {
        if let Some(fault) = text.as_deref().and_then(|text| text_error(text, max)) {
            return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`{name}`: {fault}.")));
        }
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM deliveries
         WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR channel = $2) AND ($3::text IS NULL OR topic = $3)
           AND ($4::text IS NULL OR lower(recipient) = lower($4))
           AND ($5::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM deliveries WHERE id = $5))
         ORDER BY created_at DESC, id DESC LIMIT $6"
    ));
    let mut notifications: Vec<Delivery> = sqlx::query_as(statement)
        .bind(query.status.map(Status::name))
        .bind(query.channel.map(Channel::name))
        .bind(query.topic)
        .bind(query.recipient)
        .bind(query.before)
        .bind(limit as i64 + 1)
        .fetch_all(&app.databases.notifications)
        .await?;
    let has_more = notifications.len() > limit;
    notifications.truncate(limit);
    let next = notifications.last().filter(|_| has_more).map(|delivery| delivery.id);
    Ok(axum::Json(Deliveries { notifications, next }))
}
