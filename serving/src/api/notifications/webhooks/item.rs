//! `GET`, `PUT` and `DELETE /api/v1/webhooks/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use super::webhook::{self, COLUMNS, Webhook, WebhookFields, not_found};
use crate::api::extract::{Json, Path};
use crate::api::notifications::private_too;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// One webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "notifications", params(("id" = Uuid, Path)),
    responses((status = 200, body = Webhook), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn get_webhook(State(app): State<App>, Path(id): Path<Uuid>) -> Result<axum::Json<Webhook>> {
    webhook::find(&app.databases.notifications, id).await?.map(axum::Json).ok_or_else(|| not_found(id))
}

/// Changes a webhook; its secret stays. Messages that wait to be sent go where it leads then.
#[utoipa::path(put, path = "/api/v1/webhooks/{id}", tag = "notifications", params(("id" = Uuid, Path)), request_body = WebhookFields,
    responses((status = 200, body = Webhook), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_webhook(State(app): State<App>, Path(id): Path<Uuid>, Json(wanted): Json<WebhookFields>) -> Result<axum::Json<Webhook>> {
    wanted.check(private_too(&app))?;
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE webhooks SET url = $2, events = $3, is_active = $4, updated_at = now() WHERE id = $1 RETURNING {COLUMNS}"
    ));
    let saved: Option<Webhook> = sqlx::query_as(statement)
        .bind(id)
        .bind(&wanted.url)
        .bind(&wanted.events)
        .bind(wanted.is_active)
        .fetch_optional(&app.databases.notifications)
        .await?;
    saved.map(axum::Json).ok_or_else(|| not_found(id))
}

/// Removes a webhook. Messages that wait to be sent there are dropped.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "notifications", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn delete_webhook(State(app): State<App>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let deleted = sqlx::query("DELETE FROM webhooks WHERE id = $1").bind(id).execute(&app.databases.notifications).await?;
    if deleted.rows_affected() == 0 { Err(not_found(id)) } else { Ok(StatusCode::NO_CONTENT) }
}
