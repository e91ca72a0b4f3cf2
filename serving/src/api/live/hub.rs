//! One connection to Redis that listens, for all who follow something in this process.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use parking_lot::Mutex;
use redis::RedisResult;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::api::problem::{Problem, Result};

/// A Redis that does not answer for so long is taken as gone.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How often a connection on which nothing comes is tried.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Before the connection is made anew.
const PAUSE: Duration = Duration::from_millis(250);
/// Channels of one SUBSCRIBE.
const AT_ONCE: usize = 500;

pub struct Hub {
    redis_url: String,
    channels: Mutex<HashMap<String, Channel>>,
    /// There is a new channel, or one that nobody wants any more.
    changed: Notify,
}

struct Channel {
    subscriptions: usize,
    news: watch::Sender<()>,
}

/// Dropping it ends it.
pub struct Subscription {
    hub: Arc<Hub>,
    channel: String,
    news: watch::Receiver<()>,
}

impl Hub {
    pub fn new(redis_url: &str) -> Self {
        Self { redis_url: redis_url.to_owned(), channels: Mutex::default(), changed: Notify::new() }
    }

    /// What is published from now on, and once more when Redis has confirmed: whoever subscribes first and looks then misses nothing.
    pub fn subscribe(self: &Arc<Self>, channel: String) -> Subscription {
        let mut channels = self.channels.lock();
        let known = channels.entry(channel.clone()).or_insert_with(|| Channel { subscriptions: 0, news: watch::Sender::new(()) });
        known.subscriptions += 1;
        let news = known.news.subscribe();
        drop(channels);
        self.changed.notify_one();
        Subscription { hub: self.clone(), channel, news }
    }

    /// Channels that somebody listens to.
    pub fn channels(&self) -> usize {
        self.channels.lock().len()
    }

    /// Listens, for ever.
    pub async fn run(self: Arc<Self>) {
        loop {
            // Not before somebody wants to know.
            while self.channels.lock().is_empty() {
                self.changed.notified().await;
            }
            let Err(problem) = self.listen().await;
            tracing::warn!(%problem, "whoever follows something hears nothing until Redis is back");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Until the connection is lost.
    async fn listen(&self) -> Result<Infallible> {
        let client = redis::Client::open(self.redis_url.as_str())?;
        let (mut sink, mut messages) = in_time(client.get_async_pubsub()).await?.split();
        let mut pings = tokio::time::interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = HashSet::new();
        loop {
            let wanted: HashSet<String> = self.channels.lock().keys().cloned().collect();
            let new: Vec<&String> = wanted.difference(&heard).collect();
            for some in new.chunks(AT_ONCE) {
                in_time(sink.subscribe(some)).await?;
                // What was told before this was in force.
                some.iter().for_each(|channel| self.tell(channel));
            }
            let old: Vec<&String> = heard.difference(&wanted).collect();
            for some in old.chunks(AT_ONCE) {
                in_time(sink.unsubscribe(some)).await?;
            }
            heard = wanted;
            loop {
                tokio::select! {
                    message = messages.next() => match message {
                        Some(message) => self.tell(message.get_channel_name()),
                        None => return Err(Problem::unavailable("The key-value store", "the connection that listens was closed")),
                    },
                    () = self.changed.notified() => break,
                    _ = pings.tick() => in_time(sink.ping::<redis::Value>()).await.map(drop)?,
                }
            }
        }
    }

    fn tell(&self, channel: &str) {
        if let Some(channel) = self.channels.lock().get(channel) {
            channel.news.send_replace(());
        }
    }
}

impl Subscription {
    /// Completes when there was something since the last call; several messages are one.
    pub async fn news(&mut self) {
        // The sender is there as long as the subscription is.
        if self.news.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut channels = self.hub.channels.lock();
        if let Some(channel) = channels.get_mut(&self.channel) {
            channel.subscriptions -= 1;
            if channel.subscriptions == 0 {
                channels.remove(&self.channel);
                self.hub.changed.notify_one();
            }
        }
    }
}

async fn in_time<T>(asked: impl Future<Output = RedisResult<T>>) -> Result<T> {
    let answer = tokio::time::timeout(ANSWERS_WITHIN, asked).await;
    Ok(answer.map_err(|late| Problem::unavailable("The key-value store", late))??)
}
