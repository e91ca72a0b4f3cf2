//! The changelog of orders, told in Redis.
//!
//! One consumer a database of orders, beside the change capture. Where it is in the topic is kept in the log, after Redis has taken what was before: a
//! message may be told twice, and none is left out, however often this ends in the middle. Whoever does not listen just then looks when they
//! come back.

use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::log::{Entry, Log, TopicConfig};
use redis::aio::ConnectionManager;
use serde::Deserialize;
use uuid::Uuid;

use super::order_channel;
use crate::api::problem::{Problem, Result};

/// Change capture makes it with one.
const PARTITION: u32 = 0;
/// By which the log knows how far this is.
const GROUP: &str = "live.orders";
const AT_ONCE: usize = 1000;
const WAIT: Duration = Duration::from_secs(5);
const REDIS_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Tells what comes of each of these databases, for ever.
pub async fn run(databases: Vec<String>, log: Arc<dyn Log>, redis: ConnectionManager) {
    let all = databases.into_iter().map(|database| run_one(format!("{database}.public.orders"), &*log, &redis));
    futures::future::join_all(all).await;
}

async fn run_one(topic: String, log: &dyn Log, redis: &ConnectionManager) {
    loop {
        if let Err(problem) = follow(&topic, log, redis).await {
            tracing::warn!(%problem, topic, "changes of orders are told later");
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }
}

async fn follow(topic: &str, log: &dyn Log, redis: &ConnectionManager) -> Result<()> {
    let mut next = begin(topic, log).await?;
    loop {
        let entries = log.read(topic, PARTITION, next, AT_ONCE, WAIT).await?;
        let Some(last) = entries.last() else { continue };
        next = last.offset + 1;
        tell(redis, &entries).await?;
        log.commit(GROUP, topic, PARTITION, next).await?;
    }
}

/// Where to go on. The first time that is the end: nobody can have listened before.
async fn begin(topic: &str, log: &dyn Log) -> Result<u64> {
    log.create_topic(topic, TopicConfig::default()).await?;
    if let Some(next) = log.committed(GROUP, topic, PARTITION).await? {
        return Ok(next);
    }
    let end = log.end_offset(topic, PARTITION).await?;
    log.commit(GROUP, topic, PARTITION, end).await?;
    Ok(end)
}

async fn tell(redis: &ConnectionManager, entries: &[Entry]) -> Result<()> {
    let mut pipe = redis::pipe();
    let orders: Vec<Order> = entries.iter().filter_map(changed).collect();
    for order in &orders {
        pipe.publish(order_channel(order.id), serde_json::json!({ "status": order.status }).to_string()).ignore();
    }
    if orders.is_empty() {
        return Ok(());
    }
    let mut redis = redis.clone();
    let told = tokio::time::timeout(REDIS_ANSWERS_WITHIN, pipe.query_async::<()>(&mut redis)).await;
    Ok(told.map_err(|late| Problem::unavailable("The key-value store", late))??)
}

/// The part of a Debezium envelope that matters here.
#[derive(Deserialize)]
struct Envelope {
    op: String,
    after: Option<Order>,
}

#[derive(Deserialize)]
struct Order {
    id: Uuid,
    kind: String,
    status: String,
}

/// The order, if it is one that was made or changed: neither a copy of what was there before (`r`), nor a cancellation's row.
fn changed(entry: &Entry) -> Option<Order> {
    let value = entry.record.value.as_ref()?;
    let envelope: Envelope =
        serde_json::from_slice(value).inspect_err(|error| tracing::warn!(%error, offset = entry.offset, "an envelope is none")).ok()?;
    envelope.after.filter(|order| matches!(envelope.op.as_str(), "c" | "u") && order.kind == "order")
}

#[cfg(test)]
mod tests {
    use chimera_connectors::log::Record;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn orders_that_were_made_or_changed_are_told_of() {
        let of = |value: Value| {
            let record = Record::new(None, Some(value.to_string().into()), 0);
            changed(&Entry { offset: 0, record }).map(|order| order.status)
        };
        let row = |kind: &str| json!({ "id": Uuid::nil(), "kind": kind, "status": "paid", "number": "W-1" });
        assert_eq!(of(json!({ "op": "u", "before": row("order"), "after": row("order") })).as_deref(), Some("paid"));
        assert_eq!(of(json!({ "op": "c", "before": null, "after": row("order") })).as_deref(), Some("paid"));
        assert_eq!(of(json!({ "op": "r", "before": null, "after": row("order") })), None);
        assert_eq!(of(json!({ "op": "d", "before": row("order"), "after": null })), None);
        assert_eq!(of(json!({ "op": "c", "before": null, "after": row("cancellation") })), None);
        assert_eq!(of(json!("x")), None);
        assert!(changed(&Entry { offset: 0, record: Record::new(None, None, 0) }).is_none());
    }
}
