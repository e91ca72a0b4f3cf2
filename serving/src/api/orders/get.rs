//! `GET /api/v1/orders` and `GET /api/v1/orders/{id}`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use super::shown::{Order, Viewer};
use super::status::Status;
use crate::api::access::Caller;
use crate::api::extract::{NoQuery, Params, Path, text_error};
use crate::api::freshness::AfterQuery;
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// Only those of this status.
    pub status: Option<Status>,
    /// For the shop's people: only this customer's.
    #[param(max_length = 64)]
    pub customer_id: Option<String>,
    /// `next` of the page before.
    pub before: Option<Uuid>,
    /// 20 if not given.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// An order in a list.
#[derive(Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct OrderSummary {
    pub id: Uuid,
    pub number: String,
    pub status: Status,
    pub customer_id: Option<String>,
    pub placed_at: DateTime<Utc>,
    pub currency: String,
    pub total_cents: Option<i64>,
    /// Of all lines.
    pub units: i64,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Orders {
    /// Newest first.
    pub orders: Vec<OrderSummary>,
    /// Pass it as `before` for the next page; `null`: this was the last one.
    pub next: Option<Uuid>,
}

/// One's orders; for merchandisers, programs of the shop's and administrators everybody's.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrderQuery, AfterQuery),
    responses((status = 200, body = Orders), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody)))]
pub async fn list_orders(State(app): State<App>, caller: Caller, params: Params<OrderQuery>) -> Result<Response> {
    let reader = app.reader("orders", |databases| &databases.orders, &params.after).await;
    let orders = list(&reader, Viewer::of(&caller), params.query).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(orders)).into_response())
}

/// A page of those that this one may see.
pub async fn list(orders: &PgPool, viewer: Viewer, query: OrderQuery) -> Result<Orders> {
    let limit = limit(query.limit, 20, 100)?;
    if let Some(fault) = query.customer_id.as_deref().and_then(|id| text_error(id, 64)) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`customer_id`: {fault}.")));
    }
    let own = viewer.customer_id();
    if own.is_some() && query.customer_id.is_some() && own != query.customer_id {
        return Err(Problem::new(&kinds::FORBIDDEN, "You see your own orders; leave `customer_id` out."));
    }
    // Ids made here are in the order of time.
    let mut orders: Vec<OrderSummary> = sqlx::query_as(
        "SELECT id, number, status::text AS status, customer_id, placed_at, currency, total_cents,
             (SELECT coalesce(sum(quantity), 0)::bigint FROM order_items WHERE order_id = orders.id) AS units
         FROM orders WHERE kind = 'order' AND ($1::text IS NULL OR customer_id = $1) AND ($2::text IS NULL OR status = $2)
         AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(own.or(query.customer_id))
    .bind(query.status.map(Status::name))
    .bind(query.before)
    .bind(limit as i64 + 1)
    .fetch_all(orders)
    .await?;
    let more = orders.len() > limit;
    orders.truncate(limit);
    let next = orders.last().filter(|_| more).map(|order| order.id);
    Ok(Orders { orders, next })
}

/// An order of one's own; for the shop's people, any.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = Uuid, Path), AfterQuery),
    responses((status = 200, body = Order), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_order(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, params: Params<NoQuery>) -> Result<Response> {
    let reader = app.reader("orders", |databases| &databases.orders, &params.after).await;
    let order = Viewer::of(&caller).find(&reader, id).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(order)).into_response())
}
