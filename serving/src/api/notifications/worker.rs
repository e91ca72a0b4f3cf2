//! Who takes messages from the broker and sends them.
//!
//! A message is taken off its queue last of all, once what became of it is written down, and, if it failed, another queue has it. So whatever is killed,
//! it comes again; and [`deliveries`] knows then how far it was.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use uuid::Uuid;

use super::broker::{self, Publication};
use super::deliveries::{self, Claim, Status};
use super::webhooks::{self, Webhook};
use super::{Channel, Failure, Message, Notifications};
use crate::api::problem::Result;
use crate::api::state::App;

/// Messages of a channel that are sent at once.
const AT_ONCE: u16 = 16;
/// Shorter than a claim holds.
const SEND_AT_MOST: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Of a message that was put aside, and is given another chance.
pub(super) const REPLAYED: &str = "chimera-replayed";
/// Of a message that was put aside: why.
const CAUSE: &str = "chimera-cause";

/// Sends what comes by a channel, until the connection breaks.
pub async fn run(app: &App, channel: Channel) -> Result<()> {
    let Some(notifications) = &app.notifications else { return Ok(()) };
    let broker = &notifications.broker;
    let link = match broker.open().await {
        Err(broker::Error::Resting) => return Ok(()),
        link => link?,
    };
    link.basic_qos(AT_ONCE, BasicQosOptions::default()).await.map_err(broker::Error::from)?;
    let queue = broker.topology().queue(channel);
    let consume = link.basic_consume(queue.as_str().into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
    let mut deliveries = consume.await.map_err(broker::Error::from)?;
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery.map_err(broker::Error::from)?;
        // Of its own: a message that is being sent when the connection breaks, is sent, and that is written down.
        let app = app.clone();
        tokio::spawn(async move { settle(&app, channel, &delivery).await });
    }
    Ok(())
}

/// Takes the message off the queue once it is seen to.
async fn settle(app: &App, channel: Channel, delivery: &Delivery) {
    let Some(notifications) = &app.notifications else { return };
    let settled = match see_to(app, notifications, channel, delivery).await {
        Ok(()) => delivery.ack(BasicAckOptions::default()).await,
        Err(problem) => {
            tracing::warn!(channel = channel.name(), key = %delivery.routing_key, %problem, "a message goes back to its queue");
            tokio::time::sleep(Duration::from_secs(1)).await;
            delivery.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
        }
    };
    if let Err(error) = settled {
        tracing::debug!(channel = channel.name(), %error, "the connection broke before a message was taken off its queue: it comes again");
    }
}

/// # Errors
/// If it is not known what is to be done with it: it has to come again.
async fn see_to(app: &App, notifications: &Notifications, channel: Channel, delivery: &Delivery) -> Result<()> {
    let message: Message = match serde_json::from_slice(&delivery.data) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(channel = channel.name(), key = %delivery.routing_key, %error, "what came is no message, and is put aside");
            count(channel, "dead");
            return put_aside(notifications, delivery, &error.to_string()).await;
        }
    };
    match (channel, message.webhook_id) {
        (Channel::Email, _) => {
            let Some(email) = message.email.clone() else { return put_aside(notifications, delivery, "it has no address").await };
            let send = notifications.mailer.send(&message, &email, &app.auth.issuer);
            deliver(app, notifications, channel, &message, &email, delivery, send).await
        }
        (Channel::Webhook, None) => fan_out(app, notifications, &message).await,
        (Channel::Webhook, Some(webhook_id)) => {
            let webhook = until_there(|| webhooks::find(&app.databases.notifications, webhook_id)).await?;
            let url = webhook.as_ref().map(|webhook| webhook.url.clone()).unwrap_or_default();
            let send = call(app, notifications, webhook, &message);
            deliver(app, notifications, channel, &message, &url, delivery, send).await
        }
    }
}

/// Gives every webhook that wants to hear of it a message of its own, which fails or not by itself.
async fn fan_out(app: &App, notifications: &Notifications, message: &Message) -> Result<()> {
    let ids: Vec<Uuid> = until_there(|| webhooks::listening(&app.databases.notifications, &message.topic)).await?;
    let copies: Vec<_> = ids.into_iter().map(|id| message.to_webhook(id).by(Channel::Webhook)).collect();
    Ok(notifications.broker.publish(&copies).await?)
}

async fn call(app: &App, notifications: &Notifications, webhook: Option<Webhook>, message: &Message) -> Result<(), Failure> {
    let webhook = webhook.ok_or_else(|| Failure::Unwanted("the webhook was removed".to_owned()))?;
    if !webhook.is_active {
        return Err(Failure::Unwanted("the webhook is switched off".to_owned()));
    }
    notifications.webhooks.call(&app.auth.vault, &webhook, message).await
}

/// Sends it, unless that was done before, and writes down what came of it.
async fn deliver(
    app: &App,
    notifications: &Notifications,
    channel: Channel,
    message: &Message,
    recipient: &str,
    delivery: &Delivery,
    send: impl Future<Output = Result<(), Failure>>,
) -> Result<()> {
    let (pool, id) = (&app.databases.notifications, message.id);
    let topology = notifications.broker.topology();
    let attempt = match until_there(|| deliveries::claim(pool, message, channel, recipient, is_replayed(delivery))).await? {
        Claim::Ours(attempt) => attempt,
        Claim::Over => {
            count(channel, "repeated");
            return Ok(());
        }
        Claim::Elsewhere => return park(notifications, delivery, topology.retry(1), FieldTable::default()).await,
        Claim::Dead => return put_aside(notifications, delivery, "it was put aside before").await,
    };
    let sent = tokio::time::timeout(SEND_AT_MOST, send).await.unwrap_or_else(|_| Err(Failure::Temporary("it took too long".to_owned())));
    let failure = match sent {
        Ok(()) => {
            count(channel, "sent");
            return until_written(app, id, Status::Sent, None).await;
        }
        Err(failure) => failure,
    };
    let why = failure.to_string();
    match (failure, topology.retry(attempt)) {
        (Failure::Unwanted(_), _) => {
            count(channel, "dropped");
            until_written(app, id, Status::Dropped, Some(&why)).await
        }
        (Failure::Temporary(_), Some(queue)) => {
            tracing::info!(channel = channel.name(), message = %id, topic = message.topic, attempt, why, "a message is sent again later");
            count(channel, "failed");
            until_written(app, id, Status::Waiting, Some(&why)).await?;
            park(notifications, delivery, Some(queue), FieldTable::default()).await
        }
        (Failure::Temporary(_) | Failure::Permanent(_), _) => {
            tracing::error!(channel = channel.name(), message = %id, topic = message.topic, attempt, why, "a message cannot be sent, and is put aside");
            count(channel, "dead");
            until_written(app, id, Status::Dead, Some(&why)).await?;
            put_aside(notifications, delivery, &why).await
        }
    }
}

async fn until_written(app: &App, id: Uuid, status: Status, error: Option<&str>) -> Result<()> {
    until_there(|| deliveries::finish(&app.databases.notifications, id, status, error)).await
}

fn count(channel: Channel, outcome: &'static str) {
    metrics::counter!("chimera_notifications_total", "channel" => channel.name(), "outcome" => outcome).increment(1);
}

fn is_replayed(delivery: &Delivery) -> bool {
    delivery.properties.headers().as_ref().is_some_and(|headers| headers.inner().contains_key(REPLAYED))
}

async fn put_aside(notifications: &Notifications, delivery: &Delivery, cause: &str) -> Result<()> {
    let mut headers = FieldTable::default();
    headers.insert(CAUSE.into(), AMQPValue::LongString(cause.chars().take(500).collect::<String>().into()));
    park(notifications, delivery, Some(notifications.broker.topology().dead()), headers).await
}

/// Another copy of it, as it came, behind that exchange.
async fn park(notifications: &Notifications, delivery: &Delivery, exchange: Option<String>, headers: FieldTable) -> Result<()> {
    let exchange = exchange.unwrap_or_else(|| notifications.broker.topology().dead());
    let id = delivery.properties.message_id().as_ref().and_then(|id| Uuid::parse_str(id.as_str()).ok());
    let copy = Publication { exchange: &exchange, key: delivery.routing_key.as_str(), id, body: &delivery.data, headers };
    Ok(notifications.broker.send(vec![copy]).await?)
}

/// Asks the database again, later each time, while it is away: a message that waits for it loses none of its chances.
async fn until_there<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    let mut pause = Duration::from_millis(100);
    loop {
        match ask().await {
            Err(problem) if problem.status() == axum::http::StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(%problem, "messages wait for their database");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            done => return done,
        }
    }
}
