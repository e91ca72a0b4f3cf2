//! `POST /api/v1/events`.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chimera_connectors::Frontier;
use chimera_connectors::log::{Append, Record};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::CLICKSTREAM;
use super::event::{Event, NewEvent};
use crate::api::access::Caller;
use crate::api::extract::{Body, Json};
use crate::api::freshness::POSITION;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

const MAX_EVENTS: usize = 1000;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvents {
    // Read one by one, so that every bad one can be named.
    #[schema(value_type = Vec<NewEvent>, min_items = 1, max_items = 1000)]
    events: Vec<Value>,
}

impl Body for NewEvents {
    const MAX_BYTES: usize = 1024 * 1024;
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct EventsResponse {
    pub accepted: usize,
    /// Pass it as `after` to reads that have to include these events.
    #[schema(example = "clickstream:17")]
    pub position: String,
}

/// Takes a batch of events. When the answer is 202 all of them are on disk; when it is an error none is kept.
#[utoipa::path(post, path = "/api/v1/events", tag = "events", request_body = NewEvents,
    responses((status = 202, body = EventsResponse), (status = 400, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 422, description = "`errors` names each bad event by its index", body = ProblemBody), (status = 503,
        body = ProblemBody)))]
pub async fn create_events(State(app): State<App>, caller: Option<Extension<Caller>>, Json(batch): Json<NewEvents>) -> Result<Response> {
    let mut events = check(batch.events)?;
    // What they say of it themselves counts for nothing: nobody is another customer.
    if let Some(shopper_id) = caller.and_then(|Extension(caller)| caller.shopper_id()) {
        let customer_id = shopper_id.to_string();
        events.iter_mut().for_each(|event| event.customer_id = Some(customer_id.clone()));
    }
    let timestamp_ms = Utc::now().timestamp_millis();
    let records = events.iter().map(|event| append(event, timestamp_ms)).collect::<Result<Vec<_>>>()?;
    let positions = app.log.append(records).await?;
    let mut position = Frontier::default();
    for at in &positions {
        position.advance(CLICKSTREAM, at.offset + 1);
    }
    for event in &events {
        if let Some(sku) = &event.sku {
            app.sessions.looked_at(&event.session_id, sku);
        }
    }
    metrics::counter!("chimera_events_accepted_total").increment(events.len() as u64);
    let position = position.to_string();
    let response = EventsResponse { accepted: events.len(), position: position.clone() };
    Ok((StatusCode::ACCEPTED, [(POSITION, position)], axum::Json(response)).into_response())
}

/// An event as a record of the log.
pub(in crate::api) fn append(event: &Event, timestamp_ms: i64) -> Result<Append> {
    let value = serde_json::to_vec(event)?;
    let key = Bytes::copy_from_slice(event.session_id.as_bytes());
    Ok(Append { topic: CLICKSTREAM.into(), partition: None, record: Record::new(Some(key), Some(value.into()), timestamp_ms) })
}

fn check(events: Vec<Value>) -> Result<Vec<Event>> {
    let count = events.len();
    if !(1..=MAX_EVENTS).contains(&count) {
        return Err(Problem::new(&kinds::INVALID_BODY, format!("A batch has 1 to {MAX_EVENTS} events, this one has {count}."))
            .with("max_events", MAX_EVENTS));
    }
    let received_at = Utc::now();
    let mut good = Vec::with_capacity(count);
    let mut errors = Vec::new();
    for (index, event) in events.into_iter().enumerate() {
        match serde_json::from_value::<NewEvent>(event) {
            Err(error) => errors.push(json!({"index": index, "message": error.to_string()})),
            Ok(event) => match event.check(received_at) {
                Ok(event) => good.push(event),
                Err(fields) => {
                    errors.extend(fields.into_iter().map(|(field, message)| json!({"index": index, "field": field, "message": message})))
                }
            },
        }
    }
    if errors.is_empty() {
        return Ok(good);
    }
    let bad = count - good.len();
    Err(Problem::new(
        &kinds::INVALID_BODY,
        format!("{bad} of {count} events cannot be taken; none was kept. `errors` says what is wrong with which."),
    )
    .with("errors", errors))
}
