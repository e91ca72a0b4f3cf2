//! Redis: JSON documents and sorted sets by key, with the mark in the same transaction.

mod config;
mod reader;
mod sink;

pub use reader::Reader;
pub use sink::open;
pub(crate) use sink::open_at;

pub(crate) const CONNECTOR: &str = "redis";

use std::time::Duration;

use redis::IntoConnectionInfo;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::{Error, Result};

/// Connects to `redis://…` when first used, and again whenever the connection breaks.
pub(crate) fn connect(url: &str, response_timeout: Duration) -> Result<ConnectionManager> {
    connect_with(url, response_timeout)
}

/// The same with settings beside the URL.
pub(crate) fn connect_with(url: impl IntoConnectionInfo, response_timeout: Duration) -> Result<ConnectionManager> {
    // The URL may hold a password: it stays out of messages.
    let client = redis::Client::open(url).map_err(|error| Error::config(CONNECTOR, format!("the Redis URL cannot be used: {error}")))?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(5)))
        .set_response_timeout(Some(response_timeout))
        .set_number_of_retries(2);
    ConnectionManager::new_lazy_with_config(client, config).map_err(failed)
}

pub(crate) fn failed(error: redis::RedisError) -> Error {
    Error::unavailable(CONNECTOR, error)
}
