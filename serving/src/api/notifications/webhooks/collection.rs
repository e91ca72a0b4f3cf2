//! `GET` and `POST /api/v1/webhooks`.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use uuid::Uuid;

use super::webhook::{COLUMNS, Webhook, WebhookFields, sealed_as};
use crate::api::auth::secrets::Secret;
use crate::api::extract::Json;
use crate::api::notifications::private_too;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// So few that they are listed whole: each is called for every event that it wants to hear of.
const MAX_WEBHOOKS: i64 = 50;
/// The advisory lock under which they are counted.
const COUNT_LOCK: i64 = 1;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Webhooks {
    /// In the order in which they were made.
    pub webhooks: Vec<Webhook>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct NewWebhook {
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What it is told is signed with this. It is not shown again.
    #[schema(example = "chw_…")]
    pub secret: String,
}

/// All webhooks.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "notifications",
    responses((status = 200, body = Webhooks), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn list_webhooks(State(app): State<App>) -> Result<axum::Json<Webhooks>> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM webhooks ORDER BY id LIMIT $1"));
    let webhooks = sqlx::query_as(statement).bind(MAX_WEBHOOKS).fetch_all(&app.databases.notifications).await?;
    Ok(axum::Json(Webhooks { webhooks }))
}

/// Has a program told of orders: each event is a POST to its URL, with the header `chimera-signature: t=<seconds>,v1=<hex of HMAC-SHA-256 over
/// "<t>.<body>">`. One that is not taken (any answer but 2xx) comes again, under the same `id`.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "notifications", request_body = WebhookFields,
    responses((status = 201, body = NewWebhook), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, description = "there are 50", body = ProblemBody),
        (status = 422, description = "also: the address is not of the public internet", body = ProblemBody)))]
pub async fn create_webhook(State(app): State<App>, Json(wanted): Json<WebhookFields>) -> Result<Response> {
    wanted.check(private_too(&app))?;
    let (id, secret) = (Uuid::now_v7(), Secret::new("chw_")?.reveal());
    let sealed = app.auth.vault.seal(&sealed_as(id), secret.as_bytes()).map_err(Problem::internal)?;
    let mut transaction = begin(&app.databases.notifications).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(COUNT_LOCK).execute(&mut *transaction).await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM webhooks").fetch_one(&mut *transaction).await?;
    if known >= MAX_WEBHOOKS {
        return Err(Problem::new(&kinds::TOO_MANY_WEBHOOKS, format!("There are {MAX_WEBHOOKS} webhooks.")));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO webhooks (id, url, events, is_active, secret) VALUES ($1, $2, $3, $4, $5) RETURNING {COLUMNS}"
    ));
    let webhook: Webhook = sqlx::query_as(statement)
        .bind(id)
        .bind(&wanted.url)
        .bind(&wanted.events)
        .bind(wanted.is_active)
        .bind(sealed)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let location = HeaderValue::try_from(format!("/api/v1/webhooks/{id}")).map_err(Problem::internal)?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, headers, axum::Json(NewWebhook { webhook, secret })).into_response())
}
