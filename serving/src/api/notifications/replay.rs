//! `POST /api/v1/notifications/replay`: another chance for what was put aside.

use std::collections::HashSet;

use axum::extract::State;
use lapin::options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::broker::{Error, Publication};
use super::worker::REPLAYED;
use crate::api::extract::{Body, Json, invalid};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

const MAX_IDS: usize = 100;
/// Looked at in one request.
const MAX_MESSAGES: u32 = 500;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Of messages whose status is `dead`; left out: all, 500 at a time.
    #[schema(min_items = 1, max_items = 100)]
    pub ids: Option<Vec<Uuid>>,
}

impl Body for Replay {
    const MAX_BYTES: usize = 16 * 1024;
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Replayed {
    /// Messages that are on their way again, with all their chances.
    pub replayed: u32,
    /// Messages that are still put aside, as far as was looked.
    pub left: u32,
}

/// Takes messages out of the queue of the dead and has them sent, as if they had not failed.
#[utoipa::path(post, path = "/api/v1/notifications/replay", tag = "notifications", request_body = Replay,
    responses((status = 200, body = Replayed), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, description = "the broker is away, or nothing is sent here", body = ProblemBody)))]
pub async fn replay_notifications(State(app): State<App>, Json(wanted): Json<Replay>) -> Result<axum::Json<Replayed>> {
    if wanted.ids.as_ref().is_some_and(|ids| !(1..=MAX_IDS).contains(&ids.len())) {
        return Err(invalid("ids", "1 to 100 ids are taken"));
    }
    let notifications = app.notifications.as_ref();
    let notifications = notifications.ok_or_else(|| Problem::new(&kinds::NOTIFICATIONS_OFF, "This server sends no messages."))?;
    let (broker, topology) = (&notifications.broker, notifications.broker.topology());
    let dead = topology.dead();
    let link = broker.open().await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = link.queue_declare(dead.as_str().into(), passive, FieldTable::default()).await.map_err(Error::from)?;
    let mut told = Replayed { replayed: 0, left: queue.message_count() };
    let mut wanted_ids: Option<HashSet<Uuid>> = wanted.ids.map(|ids| ids.into_iter().collect());
    for _ in 0..queue.message_count().min(MAX_MESSAGES) {
        if wanted_ids.as_ref().is_some_and(HashSet::is_empty) {
            break;
        }
        let Some(message) = link.basic_get(dead.as_str().into(), BasicGetOptions::default()).await.map_err(Error::from)? else { break };
        let id = message.properties.message_id().as_ref().and_then(|id| Uuid::parse_str(id.as_str()).ok());
        let is_wanted = wanted_ids.as_mut().is_none_or(|ids| id.is_some_and(|id| ids.remove(&id)));
        let (exchange, headers) = if is_wanted {
            (topology.exchange(), FieldTable::from(std::collections::BTreeMap::from([(REPLAYED.into(), AMQPValue::Boolean(true))])))
        } else {
            // To the end of the queue, rather than back: a queue may give up a message that comes back too often.
            (dead.as_str(), message.properties.headers().clone().unwrap_or_default())
        };
        // First it is there, then it is gone here: after a crash it is in both, and is sent once all the same.
        let copy = Publication { exchange, key: message.routing_key.as_str(), id, body: &message.data, headers };
        broker.send(vec![copy]).await?;
        message.ack(BasicAckOptions::default()).await.map_err(Error::from)?;
        if is_wanted {
            told.replayed += 1;
            told.left = told.left.saturating_sub(1);
        }
    }
    link.close(200, "done".into()).await.map_err(Error::from)?;
    Ok(axum::Json(told))
}
