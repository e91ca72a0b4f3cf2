//! `GET /api/v1/cart` and `DELETE /api/v1/cart`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::change;
use super::owner::Owner;
use super::shown::{Cart, cart, shown};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// One's cart, with today's prices and stock.
#[utoipa::path(get, path = "/api/v1/cart", tag = "cart",
    params(("chimera-cart" = Option<String>, Header, description = "of a guest: the token that came with the first article")),
    responses((status = 200, body = Cart), (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_cart(State(app): State<App>, owner: Owner) -> Result<Response> {
    Ok(answer(cart(&app, &owner).await?))
}

/// Empties one's cart.
#[utoipa::path(delete, path = "/api/v1/cart", tag = "cart", params(("chimera-cart" = Option<String>, Header, description = "of a guest")),
    responses((status = 200, body = Cart), (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn clear_cart(State(app): State<App>, owner: Owner) -> Result<Response> {
    Ok(answer(shown(&app, change::clear(&app, owner).await?).await?))
}

pub(super) fn answer(cart: Cart) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(cart)).into_response()
}
