//! `POST /api/v1/checkout`.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::get::{CheckoutResponse, answer};
use super::request::{Details, NewCheckout};
use super::reserve::{New, reserve};
use super::saga::{self, Checkout};
use crate::api::auth::account;
use crate::api::carts;
use crate::api::carts::owner::Owner;
use crate::api::extract::{Json, invalid};
use crate::api::orders::idempotency::Key;
use crate::api::pricing::{self, Destination};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::api::users::address::{self, AddressType, PostalAddress};
use crate::shop::shards::order_id;

/// How long an answer is waited for; then the shopper is told that it goes on. Shorter than a request may take.
const ANSWER_AFTER: Duration = Duration::from_secs(12);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Buys what is in the cart: holds the articles, has the money set aside, writes the order, takes the money, empties the cart. All of it, or
/// nothing.
///
/// Sent again with the same key it is the same purchase: its answer comes again, or is waited for.
#[utoipa::path(post, path = "/api/v1/checkout", tag = "checkout", request_body = NewCheckout,
    params(("idempotency-key" = String, Header, description = "new for every purchase, the same when that purchase is sent again"),
        ("chimera-cart" = Option<String>, Header, description = "of a guest: the token of the cart")),
    responses((status = 201, description = "paid; with `idempotency-replayed: true` if it was before", body = CheckoutResponse),
        (status = 202, description = "not decided yet: look at `location` again", body = CheckoutResponse),
        (status = 400, body = ProblemBody), (status = 402, description = "the payment was declined", body = ProblemBody),
        (status = 409, description = "out of stock, a price or a coupon has changed, or the cart is empty", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn create_checkout(
    State(app): State<App>,
    owner: Owner,
    headers: HeaderMap,
    Json(wanted): Json<NewCheckout>,
) -> Result<Response> {
    let key = Key::from_headers(&headers)?;
    let (checkout, replayed) = buy(&app, owner, &key, &wanted).await?;
    let mut response = answer(&app, checkout, StatusCode::CREATED, StatusCode::ACCEPTED).await?;
    if replayed {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Buys what is in a cart, once a key, and waits a while for what comes of it. Besides the purchase, whether it was begun before.
pub async fn buy(app: &App, owner: Owner, key: &Key, wanted: &NewCheckout) -> Result<(Checkout, bool)> {
    let scope = owner.scope().ok_or_else(empty_cart)?;
    let user_id = if let Owner::User(id) = owner { Some(id) } else { None };
    wanted.check(user_id.is_none())?;
    let request_hash = wanted.hash()?;
    let known = match saga::find_by_key(app, &scope, key.as_str()).await? {
        Some(known) => known,
        None => {
            let (cart_id, details) = detail(app, &owner, user_id, wanted).await?;
            let id = order_id(user_id.map(|user_id| user_id.to_string()).as_deref());
            let payment_token = &wanted.payment_token;
            let new = New { id, scope: &scope, key, request_hash, user_id, cart_id, details: &details, payment_token };
            if let Some(begun) = reserve(app, &new).await? {
                return Ok((see_through(app, id, begun.go_on(app.clone())).await?, false));
            }
            saga::find_by_key(app, &scope, key.as_str()).await?.ok_or_else(|| Problem::internal("a checkout is gone"))?
        }
    };
    let id = same(&known, &request_hash)?;
    Ok((see_through(app, id, saga::advance(app.clone(), id)).await?, true))
}

/// Waits for the end of a purchase for a while. What was begun goes on if the shopper goes away.
async fn see_through(app: &App, id: Uuid, work: impl Future<Output = Result<Option<Checkout>>> + Send + 'static) -> Result<Checkout> {
    let until = tokio::time::Instant::now() + ANSWER_AFTER;
    let mut failed = None;
    match tokio::time::timeout_at(until, tokio::spawn(work)).await {
        Ok(Ok(Ok(Some(checkout)))) if checkout.is_decided() => return Ok(checkout),
        Ok(Ok(Err(problem))) => {
            tracing::warn!(checkout = %id, %problem, "a checkout does not go on; it is tried again");
            failed = Some(problem);
        }
        _ => {}
    }
    loop {
        let Some(checkout) = saga::find(app, id).await? else {
            return Err(failed.unwrap_or_else(|| Problem::internal("a checkout is gone")));
        };
        if checkout.is_decided() || tokio::time::Instant::now() + LOOK_EVERY > until {
            return Ok(checkout);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn same(known: &Checkout, request_hash: &[u8; 32]) -> Result<Uuid> {
    if known.request_hash == request_hash {
        return Ok(known.id);
    }
    Err(Problem::new(
        &kinds::IDEMPOTENCY_KEY_REUSED,
        "This Idempotency-Key was used for a purchase with another address, coupon or payment.",
    ))
}

fn empty_cart() -> Problem {
    Problem::new(&kinds::CART_EMPTY, "There is nothing in the cart.")
}

/// What is bought, at today's prices, and where it goes.
async fn detail(app: &App, owner: &Owner, user_id: Option<Uuid>, wanted: &NewCheckout) -> Result<(Uuid, Details)> {
    let cart = carts::contents(app, owner).await?.filter(|cart| !cart.lines.is_empty()).ok_or_else(empty_cart)?;
    let shipping = shipping(app, user_id, wanted).await?;
    let email = match (&wanted.email, user_id) {
        (Some(email), _) => Some(email.trim().to_owned()),
        (None, Some(user_id)) => Some(account::shown(&app.auth.pool, user_id).await?.email),
        (None, None) => None,
    };
    let destination = Destination {
        country: shipping.country.clone(),
        state_province: shipping.state_province.clone(),
        postal_code: Some(shipping.postal_code.clone()),
    };
    let lines: Vec<(String, i64)> = cart.lines.iter().map(|line| (line.sku.clone(), i64::from(line.quantity))).collect();
    let basket = pricing::basket(app, user_id, &lines, wanted.coupons.clone(), Some(destination), wanted.shipping_method).await?;
    let quote = pricing::quote(app, &basket).await?;
    if let Some(rejected) = quote.rejected_coupons.first() {
        let detail = format!("The coupon `{}` is not taken. Buy without it, or look at `rejected_coupons`.", rejected.code.escape_debug());
        return Err(Problem::new(&kinds::COUPON_REJECTED, detail).with("rejected_coupons", &quote.rejected_coupons));
    }
    if let Some(shown) = wanted.total_cents.filter(|shown| *shown != quote.total_cents) {
        let detail = format!("It costs {} cents now, not {shown}. Nothing was bought.", quote.total_cents);
        return Err(Problem::new(&kinds::PRICE_CHANGED, detail).with("quote", &quote));
    }
    let billing = wanted.billing_address.clone().unwrap_or_else(|| shipping.clone());
    Ok((cart.id, Details { email, shipping, billing, quote }))
}

async fn shipping(app: &App, user_id: Option<Uuid>, wanted: &NewCheckout) -> Result<PostalAddress> {
    if let Some(address) = &wanted.shipping_address {
        return Ok(address.clone());
    }
    let known = match user_id {
        Some(user_id) => address::list(&app.databases.users, user_id).await?,
        None => vec![],
    };
    let chosen = match wanted.shipping_address_id {
        Some(id) => known.into_iter().find(|address| address.id == id),
        None => known.into_iter().find(|address| address.is_default && address.address_type == AddressType::Shipping),
    };
    let path = if wanted.shipping_address_id.is_some() { "shipping_address_id" } else { "shipping_address" };
    chosen.map(PostalAddress::from).ok_or_else(|| invalid(path, "you have no such address; send one, or add it to your addresses"))
}
