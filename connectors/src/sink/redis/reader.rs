//! Typed reads for serving nodes.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use serde::de::DeserializeOwned;

use super::{CONNECTOR, connect, failed};
use crate::sink::Applied;
use crate::{Error, Result};

/// Reads of more keys than this are split.
const KEYS_A_READ: usize = 1_000;

/// Reads what Redis sinks wrote. Cheap to clone: clones share one connection.
#[derive(Clone)]
pub struct Reader {
    connection: ConnectionManager,
}

impl Reader {
    /// Connects to `redis://…` when first used.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self { connection: connect(url, Duration::from_secs(2))? })
    }

    /// The document under `key`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let text: Option<Vec<u8>> = self.connection.clone().get(key).await.map_err(failed)?;
        text.map(|text| parse(key, &text)).transpose()
    }

    /// The documents under `keys`, each in the place of its key.
    pub async fn get_many<T: DeserializeOwned>(&self, keys: &[String]) -> Result<Vec<Option<T>>> {
        let mut documents = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_A_READ) {
            let texts: Vec<Option<Vec<u8>>> = self.connection.clone().mget(keys).await.map_err(failed)?;
            for (key, text) in keys.iter().zip(texts) {
                documents.push(text.map(|text| parse(key, &text)).transpose()?);
            }
        }
        Ok(documents)
    }

    /// Members of the sorted set under `key` with their scores, highest first, at most `limit`.
    pub async fn top(&self, key: &str, limit: usize) -> Result<Vec<(String, f64)>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let last = isize::try_from(limit - 1).unwrap_or(isize::MAX);
        self.connection.clone().zrevrange_withscores(key, 0, last).await.map_err(failed)
    }

    /// Every key that begins with `prefix`, in no order. Reads the whole key space: for checks, not for serving.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let mut connection = self.connection.clone();
        let pattern = format!("{}*", super::sink::escape(prefix));
        let (mut cursor, mut found) = (0u64, BTreeSet::new());
        loop {
            let scan = redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(KEYS_A_READ).take();
            let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await.map_err(failed)?;
            found.extend(keys);
            cursor = next;
            if cursor == 0 {
                return Ok(found.into_iter().collect());
            }
        }
    }

    /// How far the store `pipeline.table` is.
    pub async fn applied(&self, store: &str) -> Result<Option<Applied>> {
        let mark: Option<String> = self.connection.clone().get(super::sink::mark_key(store)).await.map_err(failed)?;
        mark.map(|mark| Applied::decode(CONNECTOR, &mark)).transpose()
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<()> {
        let _: String = redis::cmd("PING").query_async(&mut self.connection.clone()).await.map_err(failed)?;
        Ok(())
    }
}

fn parse<T: DeserializeOwned>(key: &str, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text)
        .map_err(|error| Error::corrupt(CONNECTOR, format!("the document under `{key}` is not what was expected: {error}")))
}
