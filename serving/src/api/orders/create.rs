//! `POST /api/v1/orders`.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use uuid::Uuid;

use super::idempotency::Key;
use super::place::place;
use super::request::{NewOrder, PlacedOrder};
use super::shown::Viewer;
use crate::api::access::Caller;
use crate::api::extract::Json;
use crate::api::freshness::POSITION;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct OrderResponse {
    #[serde(flatten)]
    pub order: PlacedOrder,
    /// Pass it as `after` to reads that have to include this order.
    #[schema(example = "orders:24023128")]
    pub position: String,
}

/// Places an order: the prices are the catalogue's, the stock is taken in the same transaction, all lines or none.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder,
    params(("idempotency-key" = String, Header, description = "new for every order, the same when that order is sent again")),
    responses((status = 201, description = "placed; with `idempotency-replayed: true` if it was placed before", body = OrderResponse),
        (status = 400, body = ProblemBody), (status = 403, description = "in the name of somebody else's account", body = ProblemBody),
        (status = 409, description = "out of stock, or in flight", body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503,
        body = ProblemBody)))]
pub async fn create_order(
    State(app): State<App>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    Json(order): Json<NewOrder>,
) -> Result<Response> {
    let key = Key::from_headers(&headers)?;
    let wanted = order.check()?;
    check_name(caller.as_deref(), wanted.customer_id.as_deref())?;
    let outcome = place(&app.databases.orders, &app.databases.catalog, &key, &wanted).await?;
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

/// An account's orders are placed by its owner, or by the shop's people. Other names, such as a till's customer numbers, are nobody's account.
fn check_name(caller: Option<&Caller>, customer_id: Option<&str>) -> Result<()> {
    let Some(account) = customer_id.and_then(|id| Uuid::parse_str(id.trim()).ok()) else { return Ok(()) };
    match caller.map(Viewer::of) {
        Some(Viewer::Staff(_)) => Ok(()),
        Some(Viewer::Shopper(own)) if own == account => Ok(()),
        _ => Err(Problem::new(&kinds::FORBIDDEN, "`customer_id` is somebody's account: its owner orders in its name, after logging in.")),
    }
}
