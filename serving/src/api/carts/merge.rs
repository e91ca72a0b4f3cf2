//! `POST /api/v1/cart/merge`, and the same at log-in.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::change;
use super::get::answer;
use super::owner::Owner;
use super::shown::{Cart, shown};
use crate::api::access::Caller;
use crate::api::extract::{Body, Json, invalid};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// A log-in waits for its cart no longer.
const WAIT: Duration = Duration::from_secs(2);

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartMerge {
    /// Of the cart that one had before logging in.
    #[schema(max_length = 100)]
    pub guest_token: String,
}

impl Body for CartMerge {
    const MAX_BYTES: usize = 1024;
}

/// Takes the cart along that one had as a guest: its articles go into one's own, and it is gone. Doing it twice is as good as once.
#[utoipa::path(post, path = "/api/v1/cart/merge", tag = "cart", request_body = CartMerge,
    responses((status = 200, body = Cart), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 413,
        body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn merge_cart(State(app): State<App>, caller: Caller, Json(given): Json<CartMerge>) -> Result<Response> {
    let user_id = caller.user_id()?;
    let guest = Owner::of_token(&given.guest_token).ok_or_else(|| invalid("guest_token", "this is not the token of a guest's cart"))?;
    let contents = change::merge(&app, user_id, guest).await?;
    Ok(answer(shown(&app, contents).await?))
}

/// At log-in: takes the cart along whose token came in the header. A log-in never fails for it; the guest's cart is still there then, for
/// POST /api/v1/cart/merge.
pub async fn take_along(app: &App, headers: &HeaderMap, user_id: Uuid) {
    let Ok(guest @ Owner::Guest(_)) = Owner::of_guest(headers) else { return };
    match tokio::time::timeout(WAIT, change::merge(app, user_id, guest)).await {
        Ok(Ok(_)) => {}
        Ok(Err(problem)) => tracing::warn!(%problem, "a guest's cart was not merged at log-in"),
        Err(_) => tracing::warn!("a guest's cart was not merged at log-in: it took too long"),
    }
}
