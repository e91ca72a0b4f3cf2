//! `GET /api/v1/views/{name}/stream`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use chimera_connectors::sink::view::ViewUpdate;
use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::api::extract::{Params, Path};
use crate::api::freshness::AfterQuery;
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::sse;
use crate::api::state::App;

/// A stream that has to start again waits so long: changes are coming faster than it can send them.
const RESYNC_PAUSE: Duration = Duration::from_millis(250);

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// How many rows a snapshot has at most, 1 to 10000; 1000 if not given. Changes of other rows are sent too.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
}

/// The data of an event `snapshot`.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Snapshot {
    pub epoch: u64,
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<Value>,
    /// There are more rows than `limit`.
    pub truncated: bool,
}

/// The data of an event `changes`: what one step did to the view.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Changes<'a> {
    pub epoch: u64,
    /// Commit time of the newest change, milliseconds since 1970.
    pub committed_ms: i64,
    /// New and changed rows, whole; the primary key says which row each replaces.
    #[schema(value_type = Vec<Object>)]
    pub upserts: &'a [Value],
    /// Primary keys of rows that are gone.
    #[schema(value_type = Vec<Object>)]
    pub deletes: &'a [Value],
}

/// A live view as it changes: an event `snapshot`, then an event `changes` a step. A client that is too slow gets a new `snapshot`.
#[utoipa::path(get, path = "/api/v1/views/{name}/stream", tag = "views",
    params(("name" = String, Path, description = "such as `sales.by_minute`"), StreamQuery, AfterQuery),
    responses((status = 200, description = "events `snapshot` and `changes`", content_type = "text/event-stream", body = Snapshot),
        (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn stream_view(State(app): State<App>, Path(name): Path<String>, params: Params<StreamQuery>) -> Result<Response> {
    let limit = limit(params.query.limit, 1000, 10_000)?;
    app.view(&name)?;
    if params.after.position.is_some() {
        app.fresh(&[&name], &params.after).await?;
    }
    sse::respond(&app, events(app.clone(), name, limit))
}

enum Next {
    Snapshot,
    Updates { updates: Receiver<Arc<ViewUpdate>>, epoch: u64 },
}

fn events(app: App, name: String, limit: usize) -> impl Stream<Item = Result<Event, axum::Error>> + Send {
    futures::stream::unfold(Next::Snapshot, move |mut next| {
        let (app, name) = (app.clone(), name.clone());
        async move {
            loop {
                next = match next {
                    Next::Snapshot => {
                        let wanted = name.clone();
                        let subscription = match app.read_views(move |views| views.snapshot_and_subscribe(&wanted, limit)).await {
                            Ok(subscription) => subscription?,
                            Err(problem) => {
                                tracing::error!(view = name, ?problem, "a view cannot be streamed");
                                return None;
                            }
                        };
                        let epoch = subscription.applied.map_or(0, |applied| applied.epoch);
                        let snapshot = Snapshot { epoch, rows: subscription.rows, truncated: subscription.truncated };
                        let event = Event::default().event("snapshot").json_data(snapshot);
                        return Some((event, Next::Updates { updates: subscription.updates, epoch }));
                    }
                    Next::Updates { mut updates, epoch } => match updates.recv().await {
                        Ok(update) if update.resync => again().await,
                        Ok(update) if update.epoch <= epoch || (update.upserts.is_empty() && update.deletes.is_empty()) => {
                            Next::Updates { updates, epoch }
                        }
                        Ok(update) => {
                            let (upserts, deletes) = (&update.upserts, &update.deletes);
                            let changes = Changes { epoch: update.epoch, committed_ms: update.committed_ms, upserts, deletes };
                            let event = Event::default().event("changes").json_data(changes);
                            return Some((event, Next::Updates { updates, epoch: update.epoch }));
                        }
                        Err(RecvError::Lagged(_)) => again().await,
                        Err(RecvError::Closed) => return None,
                    },
                }
            }
        }
    })
}

async fn again() -> Next {
    tokio::time::sleep(RESYNC_PAUSE).await;
    Next::Snapshot
}
