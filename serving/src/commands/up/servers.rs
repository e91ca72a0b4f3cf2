//! PostgreSQL, Redis and RabbitMQ: those that were named, or private ones in the data folder.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use chimera_local::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis, RedisOptions};
use futures::future::{BoxFuture, FutureExt, Shared};

use super::{server_error, ui};
use crate::commands::Settings;
use crate::shop::databases::hide_password;

type Starting = Shared<BoxFuture<'static, Result<Arc<RabbitMq>, Arc<anyhow::Error>>>>;

/// The servers that this instance works with. Private ones outlive the process if it is killed.
pub struct Servers {
    pub database_url: String,
    pub redis_url: String,
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    /// Takes its time, in which all else starts. `None`: another was named, or none is wanted.
    rabbitmq: Option<Starting>,
}

impl Servers {
    pub async fn start(settings: &Settings, with_rabbitmq: bool) -> anyhow::Result<Self> {
        let step = ui::Step::new("PostgreSQL");
        let (database_url, postgres) = match &settings.database_url {
            Some(url) => {
                step.done(format!("at {}", hide_password(url)));
                (url.clone(), None)
            }
            None => {
                let options = PostgresOptions::new(settings.data_dir.join("postgres"));
                let postgres = blocking(move || Postgres::start(&options)).await?;
                step.done(format!("{} on port {}", private(postgres.adopted()), postgres.port()));
                (postgres.url("postgres"), Some(postgres))
            }
        };
        let step = ui::Step::new("Redis");
        let (redis_url, redis) = match &settings.redis_url {
            Some(url) => {
                step.done(format!("at {}", hide_password(url)));
                (url.clone(), None)
            }
            None => {
                let options = RedisOptions::new(settings.data_dir.join("redis"));
                let started = blocking(move || Redis::start(&options)).await;
                let redis = match (started, &postgres) {
                    (Ok(redis), _) => redis,
                    (Err(error), postgres) => {
                        // Nothing of a start that failed stays behind.
                        postgres.as_ref().map(Postgres::stop).transpose().ok();
                        return Err(error);
                    }
                };
                step.done(format!("{} on port {}", private(redis.adopted()), redis.port()));
                (redis.url(), Some(redis))
            }
        };
        let rabbitmq = (with_rabbitmq && settings.rabbitmq_url.is_none()).then(|| {
            let options = RabbitMqOptions::new(settings.data_dir.join("rabbitmq"));
            let starting = tokio::spawn(blocking(move || RabbitMq::start(&options)));
            async { starting.await.context("a thread broke off").flatten().map(Arc::new).map_err(Arc::new) }.boxed().shared()
        });
        Ok(Self { database_url, redis_url, postgres, redis, rabbitmq })
    }

    /// Stops the private ones; what they hold stays in their folders.
    pub async fn stop(self) -> anyhow::Result<()> {
        // One that is only just starting is stopped once it has.
        let rabbitmq = match self.rabbitmq {
            Some(rabbitmq) => rabbitmq.await.ok(),
            None => None,
        };
        let rabbitmq = blocking(move || rabbitmq.map_or(Ok(()), |rabbitmq| rabbitmq.stop()));
        let others = blocking(move || {
            let redis = self.redis.as_ref().map_or(Ok(()), Redis::stop);
            self.postgres.as_ref().map_or(Ok(()), Postgres::stop).and(redis)
        });
        let (rabbitmq, others) = tokio::join!(rabbitmq, others);
        others.and(rabbitmq)
    }

    /// Where RabbitMQ is, once it is there; and the same in words.
    pub async fn rabbitmq_url(&self, settings: &Settings) -> anyhow::Result<(String, String)> {
        if let Some(url) = &settings.rabbitmq_url {
            return Ok((url.clone(), format!("at {}", hide_password(url))));
        }
        let rabbitmq = self.rabbitmq.clone().context("none was started")?.await;
        let rabbitmq = rabbitmq.map_err(|error| anyhow::anyhow!("{error:#}"))?;
        Ok((rabbitmq.url(), format!("{} on port {}", private(rabbitmq.adopted()), rabbitmq.port())))
    }
}

fn private(adopted: bool) -> &'static str {
    if adopted { "private, taken over from an instance that was killed," } else { "private," }
}

/// Stops private servers that still run in a data folder; returns their names. Call it under the folder's lock only.
pub fn stop_leftovers(data_dir: &Path) -> anyhow::Result<Vec<&'static str>> {
    let mut stopped = Vec::new();
    // A server is running, or was killed, only where its process id is written down; starting it again takes over, or clears up.
    if data_dir.join("rabbitmq/rabbitmq.pid").exists() {
        RabbitMq::stop_in(&data_dir.join("rabbitmq")).map_err(server_error)?;
        stopped.push("RabbitMQ");
    }
    if data_dir.join("redis/redis.pid").exists() {
        let redis = Redis::start(&RedisOptions::new(data_dir.join("redis"))).map_err(server_error)?;
        redis.stop().map_err(server_error)?;
        stopped.push("Redis");
    }
    if data_dir.join("postgres/data/postmaster.pid").exists() {
        let postgres = Postgres::start(&PostgresOptions::new(data_dir.join("postgres"))).map_err(server_error)?;
        postgres.stop().map_err(server_error)?;
        stopped.push("PostgreSQL");
    }
    Ok(stopped)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> chimera_local::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("a thread broke off")?.map_err(server_error)
}
