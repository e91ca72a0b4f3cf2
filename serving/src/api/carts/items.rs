//! `/api/v1/cart/items`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::get::answer;
use super::owner::Owner;
use super::shown::{Cart, shown};
use super::{change, lines};
use crate::api::extract::{Body, Faults, Json, Path, text_error};
use crate::api::orders::idempotency::Key;
use crate::api::orders::request::MAX_QUANTITY;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

const MAX_SKU_CHARS: usize = 100;
const PRICES_HELP: &str = "Prices come from the catalogue and are never taken from a request.";

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCartItem {
    #[schema(min_length = 1, max_length = 100, example = "85123A")]
    pub sku: String,
    #[schema(minimum = 1, maximum = 10000)]
    pub quantity: i64,
}

impl Body for NewCartItem {
    const MAX_BYTES: usize = 2048;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some(PRICES_HELP);
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartItemQuantity {
    #[schema(minimum = 1, maximum = 10000)]
    pub quantity: i64,
}

impl Body for CartItemQuantity {
    const MAX_BYTES: usize = 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some(PRICES_HELP);
}

/// Within its bounds, if `faults` finds nothing.
fn checked(quantity: i64, mut faults: Faults) -> Result<i32> {
    let is_good = (1..=MAX_QUANTITY).contains(&quantity);
    faults.unless(is_good, "quantity", "a quantity goes from 1 to 10000; DELETE takes an article out");
    faults.check()?;
    Ok(i32::try_from(quantity).unwrap_or(i32::MAX))
}

/// What can be no SKU is in no cart.
fn check_path(sku: &str) -> Result<()> {
    if text_error(sku, MAX_SKU_CHARS).is_some() { Err(lines::not_in_cart(sku)) } else { Ok(()) }
}

/// Puts units of an article into one's cart, beside those that are there. A guest's first one makes the cart, and brings its token.
#[utoipa::path(post, path = "/api/v1/cart/items", tag = "cart", request_body = NewCartItem,
    params(("chimera-cart" = Option<String>, Header, description = "of a guest"),
        ("idempotency-key" = Option<String>, Header, description = "the same when this addition is sent again: within a day it is made once")),
    responses((status = 200, body = Cart), (status = 400, body = ProblemBody), (status = 409, description = "the cart is full",
        body = ProblemBody), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn add_item(State(app): State<App>, owner: Owner, headers: HeaderMap, Json(item): Json<NewCartItem>) -> Result<Response> {
    let key = if headers.contains_key("idempotency-key") { Some(Key::from_headers(&headers)?) } else { None };
    Ok(answer(add(&app, owner, &item, key.as_ref()).await?))
}

/// Puts units in, once a key; the cart then.
pub async fn add(app: &App, owner: Owner, item: &NewCartItem, key: Option<&Key>) -> Result<Cart> {
    let mut faults = Faults::default();
    faults.text("sku", &item.sku, MAX_SKU_CHARS);
    let quantity = checked(item.quantity, faults)?;
    let (contents, guest_token) = change::add(app, owner, &item.sku, quantity, key).await?;
    Ok(Cart { guest_token, ..shown(app, Some(contents)).await? })
}

/// So many units of an article that is in one's cart.
#[utoipa::path(put, path = "/api/v1/cart/items/{sku}", tag = "cart", request_body = CartItemQuantity,
    params(("sku" = String, Path), ("chimera-cart" = Option<String>, Header, description = "of a guest")),
    responses((status = 200, body = Cart), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503,
        body = ProblemBody)))]
pub async fn set_item(
    State(app): State<App>,
    owner: Owner,
    Path(sku): Path<String>,
    Json(wanted): Json<CartItemQuantity>,
) -> Result<Response> {
    Ok(answer(set(&app, owner, &sku, wanted.quantity).await?))
}

/// So many units from now on of an article that is there; the cart then.
pub async fn set(app: &App, owner: Owner, sku: &str, quantity: i64) -> Result<Cart> {
    check_path(sku)?;
    let quantity = checked(quantity, Faults::default())?;
    shown(app, Some(change::set(app, owner, sku, quantity).await?)).await
}

/// Takes an article out of one's cart.
#[utoipa::path(delete, path = "/api/v1/cart/items/{sku}", tag = "cart",
    params(("sku" = String, Path), ("chimera-cart" = Option<String>, Header, description = "of a guest")),
    responses((status = 200, body = Cart), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503,
        body = ProblemBody)))]
pub async fn remove_item(State(app): State<App>, owner: Owner, Path(sku): Path<String>) -> Result<Response> {
    Ok(answer(remove(&app, owner, &sku).await?))
}

/// Takes an article out; the cart then.
pub async fn remove(app: &App, owner: Owner, sku: &str) -> Result<Cart> {
    check_path(sku)?;
    shown(app, Some(change::remove(app, owner, sku).await?)).await
}
