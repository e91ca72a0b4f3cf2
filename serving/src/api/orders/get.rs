//! `GET /api/v1/orders` and `GET /api/v1/orders/{id}`.

use std::cmp::Reverse;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::shown::{Order, Viewer};
use super::status::Status;
use crate::api::access::Caller;
use crate::api::extract::{NoQuery, Params, Path, text_error};
use crate::api::freshness::{After, AfterQuery};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::shards::Shard;

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
#[derive(Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
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
    let orders = list(&app, &params.after, Viewer::of(&caller), params.query).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(orders)).into_response())
}

/// A page of those that this one may see: of one customer from their database, of all from every one, merged.
pub async fn list(app: &App, after: &After, viewer: Viewer, query: OrderQuery) -> Result<Orders> {
    let limit = limit(query.limit, 20, 100)?;
    if let Some(fault) = query.customer_id.as_deref().and_then(|id| text_error(id, 64)) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`customer_id`: {fault}.")));
    }
    let own = viewer.customer_id();
    if own.is_some() && query.customer_id.is_some() && own != query.customer_id {
        return Err(Problem::new(&kinds::FORBIDDEN, "You see your own orders; leave `customer_id` out."));
    }
    let customer_id = own.or(query.customer_id);
    let shards = &app.databases.shards;
    let asked: Vec<&Shard> = customer_id.as_deref().map_or_else(|| shards.all().iter().collect(), |id| vec![shards.of_customer(id)]);
    let pages = asked.iter().map(|shard| page(app, after, shard, customer_id.as_deref(), query.status, query.before, limit + 1));
    let mut orders = try_join_all(pages).await?.concat();
    orders.sort_by_key(|order| Reverse(order.id));
    let more = orders.len() > limit;
    orders.truncate(limit);
    let next = orders.last().filter(|_| more).map(|order| order.id);
    Ok(Orders { orders, next })
}

/// The newest of a database, at most `limit`.
async fn page(
    app: &App,
    after: &After,
    shard: &Shard,
    customer_id: Option<&str>,
    status: Option<Status>,
    before: Option<Uuid>,
    limit: usize,
) -> Result<Vec<OrderSummary>> {
    let reader = app.orders_reader(shard, after).await;
    // Ids made here are in the order of time.
    Ok(sqlx::query_as(
        "SELECT id, number, status::text AS status, customer_id, placed_at, currency, total_cents,
             (SELECT coalesce(sum(quantity), 0)::bigint FROM order_items WHERE order_id = orders.id) AS units
         FROM orders WHERE kind = 'order' AND ($1::text IS NULL OR customer_id = $1) AND ($2::text IS NULL OR status = $2)
         AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(customer_id)
    .bind(status.map(Status::name))
    .bind(before)
    .bind(limit as i64)
    .fetch_all(&reader)
    .await?)
}

/// An order of one's own; for the shop's people, any.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = Uuid, Path), AfterQuery),
    responses((status = 200, body = Order), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_order(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, params: Params<NoQuery>) -> Result<Response> {
    let reader = app.orders_reader(app.databases.shards.of(id), &params.after).await;
    let order = Viewer::of(&caller).find(&reader, id).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(order)).into_response())
}
