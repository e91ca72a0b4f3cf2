//! `GET /api/v1/stores/stream`.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use futures::StreamExt;
use tokio_stream::wrappers::IntervalStream;

use super::list::StoresResponse;
use crate::api::problem::{ProblemBody, Result};
use crate::api::sse;
use crate::api::state::App;

/// The stores' states, as an event `stores` each second.
#[utoipa::path(get, path = "/api/v1/stores/stream", tag = "operations",
    responses((status = 200, description = "events `stores`, each with the body of /api/v1/stores",
        content_type = "text/event-stream", body = StoresResponse),
        (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn stream_stores(State(app): State<App>) -> Result<Response> {
    let ticks = IntervalStream::new(tokio::time::interval(Duration::from_secs(1)));
    let state = app.clone();
    sse::respond(&app, ticks.map(move |_| Event::default().event("stores").json_data(StoresResponse { stores: state.stores.stores() })))
}
