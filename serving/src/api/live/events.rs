//! `GET /api/v1/orders/{id}/events` and `GET /api/v1/cart/events`.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use futures::{Stream, StreamExt};
use serde::Serialize;
use uuid::Uuid;

use super::{follow, standing};
use crate::api::access::Caller;
use crate::api::carts::Owner;
use crate::api::carts::shown::Cart;
use crate::api::extract::Path;
use crate::api::orders::shown::{Order, Viewer};
use crate::api::problem::{ProblemBody, Result};
use crate::api::rate_limit::Sender;
use crate::api::sse;
use crate::api::state::App;

/// An order of one's own as it changes: an event `order` now, and one whenever it is another. The stream ends with the session.
#[utoipa::path(get, path = "/api/v1/orders/{id}/events", tag = "orders", params(("id" = Uuid, Path)),
    responses((status = 200, description = "events `order`", content_type = "text/event-stream", body = Order), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn order_events(
    State(app): State<App>,
    caller: Caller,
    Extension(sender): Extension<Sender>,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let place = app.places.take(sender.who(&app.limits.rates, Some(&caller)))?;
    let states = follow::order(&app, Viewer::of(&caller), id).await?;
    sse::respond_in(&app, place, events("order", states, app.clone(), Some(caller)))
}

/// One's cart as it changes, also on another device: an event `cart` now, and one whenever it is another. The stream ends with the session.
#[utoipa::path(get, path = "/api/v1/cart/events", tag = "cart", params(("chimera-cart" = Option<String>, Header, description = "of a guest")),
    responses((status = 200, description = "events `cart`", content_type = "text/event-stream", body = Cart), (status = 400, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn cart_events(
    State(app): State<App>,
    caller: Option<Extension<Caller>>,
    Extension(sender): Extension<Sender>,
    owner: Owner,
) -> Result<Response> {
    let caller = caller.map(|Extension(caller)| caller);
    let place = app.places.take(sender.who(&app.limits.rates, caller.as_ref()))?;
    let states = follow::cart(&app, owner).await?;
    sse::respond_in(&app, place, events("cart", states, app.clone(), caller))
}

/// Each state under this name; what ends them as an event `problem`.
fn events<T: Serialize>(
    name: &'static str,
    states: impl Stream<Item = Result<T>> + Send + 'static,
    app: App,
    caller: Option<Caller>,
) -> impl Stream<Item = Result<Event, axum::Error>> + Send {
    let over = async move { standing::revoked(&app, caller.as_ref()).await };
    states.take_until(over).map(move |state| match state {
        Ok(state) => Event::default().event(name).json_data(state),
        Err(problem) => {
            problem.log();
            Event::default().event("problem").json_data(problem.body())
        }
    })
}
