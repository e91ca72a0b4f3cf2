//! `POST /api/v1/orders`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::idempotency::Key;
use super::place::place;
use super::request::{NewOrder, PlacedOrder};
use crate::api::extract::Json;
use crate::api::freshness::POSITION;
use crate::api::problem::{Problem, ProblemBody, Result};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct OrderResponse {
    #[serde(flatten)]
    pub order: PlacedOrder,
    /// Pass it as `after` to reads that have to include this order.
    #[schema(example = "orders:24023128")]
    pub position: String,
}

/// Places an order that is paid elsewhere, for programs of the shop's: the prices are the catalogue's, the stock is taken in the same
/// transaction, all lines or none. Shoppers buy with POST /api/v1/checkout.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder,
    params(("idempotency-key" = String, Header, description = "new for every order, the same when that order is sent again")),
    responses((status = 201, description = "placed; with `idempotency-replayed: true` if it was placed before", body = OrderResponse),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, description = "out of stock, or in flight", body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503,
        body = ProblemBody)))]
pub async fn create_order(State(app): State<App>, headers: HeaderMap, Json(order): Json<NewOrder>) -> Result<Response> {
    let key = Key::from_headers(&headers)?;
    let wanted = order.check()?;
    let outcome = place(&app, &key, &wanted).await?;
    if !outcome.replayed {
        metrics::counter!("chimera_orders_placed_total").increment(1);
    }
    let position = outcome.position.to_string();
    let mut response = HeaderMap::new();
    response.insert(POSITION, HeaderValue::from_str(&position).map_err(Problem::internal)?);
    response.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if outcome.replayed {
        response.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    Ok((StatusCode::CREATED, response, axum::Json(OrderResponse { order: outcome.order, position })).into_response())
}
