//! Exchanges and queues. All are durable, and the queues are quorum queues, which a cluster of RabbitMQ keeps on several machines.
//!
//! ```text
//! exchange notifications (topic) ──email.#────► queue notifications.email    ──► worker
//!        ▲                       ──webhook.#──► queue notifications.webhook  ──► worker
//!        │ when its time is over                                                 │ not now        │ not at all
//!        └───────────────── queue notifications.retry.<time> ◄───────────────────┘                ▼
//!                                                                            queue notifications.dead
//! ```
//!
//! The queues beside the way stand behind fan-out exchanges of their own names: so a message keeps the key that it came by.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel as Link, ExchangeKind};

use super::Channel;

/// A message that was in somebody's hands so often when they died, does them no good.
const MOST_DELIVERIES: i32 = 100;

#[derive(Clone, Debug)]
pub struct Topology {
    /// What all names begin with.
    pub name: String,
    /// How long a message waits after its first failure, after its second …; after one more than these it is dead. Not empty.
    pub retries: Vec<Duration>,
}

impl Default for Topology {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let retries = vec![Duration::from_secs(5), Duration::from_secs(30), minutes(5), minutes(30), minutes(120), minutes(360)];
        Self { name: "notifications".to_owned(), retries }
    }
}

impl Topology {
    pub fn exchange(&self) -> &str {
        &self.name
    }

    pub fn queue(&self, channel: Channel) -> String {
        format!("{}.{}", self.name, channel.name())
    }

    pub fn dead(&self) -> String {
        format!("{}.dead", self.name)
    }

    /// Where a message waits that has failed so often; `None`: it has had all its chances. The time is in the name: other times are other queues, and
    /// what waits in the old ones still comes out of them.
    pub fn retry(&self, failures: usize) -> Option<String> {
        self.retries.get(failures.checked_sub(1)?).map(|delay| self.retry_queue(*delay))
    }

    fn retry_queue(&self, delay: Duration) -> String {
        format!("{}.retry.{}ms", self.name, delay.as_millis())
    }

    /// Makes what is missing.
    pub(super) async fn declare(&self, link: &Link) -> lapin::Result<()> {
        exchange(link, self.exchange(), ExchangeKind::Topic).await?;
        beside(link, &self.dead(), vec![]).await?;
        for delay in &self.retries {
            let millis = i32::try_from(delay.as_millis()).unwrap_or(i32::MAX);
            let time = ("x-message-ttl", AMQPValue::LongInt(millis));
            beside(link, &self.retry_queue(*delay), [vec![time], then(self.exchange())].concat()).await?;
        }
        for channel in Channel::ALL {
            let limit = ("x-delivery-limit", AMQPValue::LongInt(MOST_DELIVERIES));
            queue(link, &self.queue(channel), [vec![limit], then(&self.dead())].concat()).await?;
            bind(link, &self.queue(channel), self.exchange(), &format!("{}.#", channel.name())).await?;
        }
        Ok(())
    }
}

type Arguments = Vec<(&'static str, AMQPValue)>;

/// What leaves the queue by itself goes on there, and leaves only once it has arrived.
fn then(exchange: &str) -> Arguments {
    let text = |text: &str| AMQPValue::LongString(text.as_bytes().into());
    vec![
        ("x-dead-letter-exchange", text(exchange)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]
}

async fn beside(link: &Link, name: &str, arguments: Arguments) -> lapin::Result<()> {
    exchange(link, name, ExchangeKind::Fanout).await?;
    queue(link, name, arguments).await?;
    bind(link, name, name, "").await
}

async fn exchange(link: &Link, name: &str, kind: ExchangeKind) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    link.exchange_declare(name.into(), kind, options, FieldTable::default()).await
}

async fn queue(link: &Link, name: &str, arguments: Arguments) -> lapin::Result<()> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), AMQPValue::LongString(b"quorum".as_slice().into()));
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    link.queue_declare(name.into(), QueueDeclareOptions::durable(), table).await.map(drop)
}

async fn bind(link: &Link, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
    link.queue_bind(queue.into(), exchange.into(), key.into(), QueueBindOptions::default(), FieldTable::default()).await
}
