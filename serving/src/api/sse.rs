//! Server-sent events, bounded in number and ended when the server stops.

use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};

use super::places::Place;
use super::problem::Result;
use super::state::App;

/// Answers with `events`, until they or the client or the server end. An event that cannot be written ends them.
pub fn respond<S>(app: &App, events: S) -> Result<Response>
where
    S: Stream<Item = Result<Event, axum::Error>> + Send + 'static,
{
    respond_in(app, app.places.take(None)?, events)
}

/// The same in a place that was taken before.
pub fn respond_in<S>(app: &App, place: Place, events: S) -> Result<Response>
where
    S: Stream<Item = Result<Event, axum::Error>> + Send + 'static,
{
    let stopping = app.stopping.clone();
    let events = events.take_until(stopping.cancelled_owned()).map(move |event| {
        let _held = &place;
        event.inspect_err(|error| tracing::error!(%error, "an event of a stream cannot be written"))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
