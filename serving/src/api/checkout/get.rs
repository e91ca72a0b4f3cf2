//! `GET /api/v1/checkout/{id}`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::saga::{self, Checkout};
use crate::api::carts::owner::Owner;
use crate::api::extract::Path;
use crate::api::freshness::POSITION;
use crate::api::orders::place::position;
use crate::api::orders::shown::{self, Order};
use crate::api::pricing::Quote;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// How far a purchase is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CheckoutResponse {
    pub id: Uuid,
    pub status: Progress,
    pub quote: Quote,
    /// Until then the articles are held for it.
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    /// Once it is paid.
    pub order: Option<Order>,
    /// Pass it as `after` to reads that have to include the order.
    #[schema(example = "orders:24023128")]
    pub position: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// Ask again: the provider has not decided, or something was away for a moment.
    Pending,
    Completed,
}

/// How far a purchase of one's own is. One that came to nothing is answered with the problem that it met.
#[utoipa::path(get, path = "/api/v1/checkout/{id}", tag = "checkout",
    params(("id" = Uuid, Path), ("chimera-cart" = Option<String>, Header, description = "of a guest")),
    responses((status = 200, body = CheckoutResponse), (status = 402, description = "the payment was declined", body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn get_checkout(State(app): State<App>, owner: Owner, Path(id): Path<Uuid>) -> Result<Response> {
    let checkout = saga::find(&app, id).await?.filter(|checkout| checkout.is_of(&owner));
    let checkout = checkout.ok_or_else(|| Problem::new(&kinds::CHECKOUT_NOT_FOUND, format!("You have no purchase {id}.")))?;
    answer(&app, checkout, StatusCode::OK, StatusCode::OK).await
}

/// The order, if there is one by now; the problem, if it came to nothing.
pub(super) async fn answer(app: &App, checkout: Checkout, completed: StatusCode, pending: StatusCode) -> Result<Response> {
    if let Some(problem) = &checkout.problem {
        return Err(Problem::from_saved(problem).with("checkout_id", checkout.id));
    }
    let mut headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    let is_paid = checkout.is_paid();
    let (order, position) = if is_paid {
        let shard = app.databases.shards.of(checkout.id);
        let position = position(shard).await?.to_string();
        headers.insert(POSITION, HeaderValue::from_str(&position).map_err(Problem::internal)?);
        (shown::find(&shard.pool, checkout.id).await?, Some(position))
    } else {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        (None, None)
    };
    let location = HeaderValue::try_from(format!("/api/v1/checkout/{}", checkout.id)).map_err(Problem::internal)?;
    headers.insert(header::LOCATION, location);
    let body = CheckoutResponse {
        id: checkout.id,
        status: if is_paid { Progress::Completed } else { Progress::Pending },
        quote: checkout.details.0.quote,
        expires_at: checkout.expires_at,
        created_at: checkout.created_at,
        order,
        position,
    };
    Ok((if is_paid { completed } else { pending }, headers, axum::Json(body)).into_response())
}
