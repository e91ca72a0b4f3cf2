//! Stores that are keys under a prefix: JSON documents, or sorted sets.

use std::collections::BTreeSet;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde_json::{Map, Value as Json, json};

use super::Store;
use crate::shop::verify::{Comparison, Error};

/// Keys a round trip.
const BATCH: usize = 1_000;

pub async fn read(redis: &mut MultiplexedConnection, store: &Store, comparison: &mut Comparison) -> Result<(), Error> {
    let failed = |source| Error::Redis { store: store.name.clone(), source };
    let prefix = store.option("target.key_prefix")?;
    let keys: Vec<String> = keys(redis, prefix).await.map_err(failed)?.into_iter().collect();
    if store.options.get("target").is_some_and(|target| target == "sorted_set") {
        let (key, member, score) =
            (store.option("target.key_column")?, store.option("target.member_column")?, store.option("target.score_column")?);
        for keys in keys.chunks(BATCH) {
            let mut pipeline = redis::pipe();
            for key in keys {
                pipeline.zrange_withscores(key, 0, -1);
            }
            let sets: Vec<Vec<(String, f64)>> = pipeline.query_async(redis).await.map_err(failed)?;
            for (full, members) in keys.iter().zip(sets) {
                for (name, value) in members {
                    let row = [(key, json!(full[prefix.len()..])), (member, json!(name)), (score, json!(value))];
                    comparison.found(&row.map(|(column, value)| (column.to_owned(), value)).into_iter().collect());
                }
            }
        }
        return Ok(());
    }
    for keys in keys.chunks(BATCH) {
        let documents: Vec<Option<String>> = redis.mget(keys).await.map_err(failed)?;
        for (key, document) in keys.iter().zip(documents) {
            // A key that went since it was listed is a change of this moment, not a difference.
            let Some(document) = document else { continue };
            match serde_json::from_str::<Json>(&document) {
                Ok(Json::Object(row)) => comparison.found(&row),
                _ => comparison.found(&Map::from_iter([("document under".to_owned(), json!(key))])),
            }
        }
    }
    Ok(())
}

/// All keys under a prefix, once each: SCAN may name one twice.
async fn keys(redis: &mut MultiplexedConnection, prefix: &str) -> Result<BTreeSet<String>, redis::RedisError> {
    let pattern: String = prefix.chars().flat_map(|c| if "*?[]^\\".contains(c) { vec!['\\', c] } else { vec![c] }).chain(['*']).collect();
    let mut keys = BTreeSet::new();
    let mut cursor = 0u64;
    loop {
        let (next, found): (u64, Vec<String>) =
            redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(BATCH).query_async(redis).await?;
        keys.extend(found);
        if next == 0 {
            return Ok(keys);
        }
        cursor = next;
    }
}
