//! The copy of a cart in Redis: a hash of SKU → quantity, price and currency, for two hours after the last use. One field says of which cart
//! and version it is; who reads it asks the database whether that is the newest one.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{Pipeline, RedisResult};

use super::contents::{Contents, Line};
use crate::api::problem::{Problem, Result};

const KEPT_S: i64 = 2 * 60 * 60;
/// A cart does without Redis if it takes longer.
const WAIT: Duration = Duration::from_millis(250);
/// The field that is no SKU: a SKU has no control characters.
const OF: &str = "\u{1}of";

/// The copy, if there is one; it may be old.
pub async fn get(redis: &ConnectionManager, key: &str) -> Result<Option<Contents>> {
    let mut pipe = redis::pipe();
    pipe.hgetall(key).expire(key, KEPT_S).ignore();
    let (fields,): (HashMap<String, String>,) = in_time(pipe.query_async(&mut redis.clone())).await?;
    Ok(read(fields))
}

/// Copies what the database had. It may put an old copy in the place of a newer one: it is noticed by who reads it.
pub async fn put(redis: &ConnectionManager, key: &str, contents: &Contents) {
    let mut pipe = redis::pipe();
    write(pipe.atomic(), key, contents);
    send(redis, &pipe).await;
}

/// The same after a change, which is told to whoever listens.
pub async fn put_changed(redis: &ConnectionManager, key: &str, contents: &Contents) {
    let mut pipe = redis::pipe();
    write(pipe.atomic(), key, contents);
    pipe.publish(key, serde_json::json!({ "version": contents.version }).to_string()).ignore();
    send(redis, &pipe).await;
}

/// Removes the copy of a cart that is gone, and tells whoever listens. If Redis cannot be reached it goes by itself, and nobody reads it until then.
pub async fn remove(redis: &ConnectionManager, key: &str) {
    let mut pipe = redis::pipe();
    pipe.del(key).ignore().publish(key, serde_json::json!({ "version": 0 }).to_string()).ignore();
    send(redis, &pipe).await;
}

fn write(pipe: &mut Pipeline, key: &str, contents: &Contents) {
    let mut fields = vec![(OF.to_owned(), format!("{} {}", contents.id, contents.version))];
    fields
        .extend(contents.lines.iter().map(|line| (line.sku.clone(), format!("{} {} {}", line.quantity, line.price_cents, line.currency))));
    pipe.del(key).ignore().hset_multiple(key, &fields).ignore().expire(key, KEPT_S).ignore();
}

/// Not having a copy is no failure.
async fn send(redis: &ConnectionManager, pipe: &Pipeline) {
    if let Err(problem) = in_time(pipe.query_async::<()>(&mut redis.clone())).await {
        tracing::warn!(%problem, "Redis was not told of a cart");
    }
}

async fn in_time<T>(asked: impl Future<Output = RedisResult<T>>) -> Result<T> {
    let answer = tokio::time::timeout(WAIT, asked).await.map_err(|error| Problem::unavailable("The key-value store", error))?;
    Ok(answer?)
}

/// `None`: these are not the fields of a copy.
fn read(mut fields: HashMap<String, String>) -> Option<Contents> {
    let of = fields.remove(OF)?;
    let (id, version) = of.split_once(' ')?;
    let mut lines = fields.into_iter().map(|(sku, value)| line(sku, &value)).collect::<Option<Vec<_>>>()?;
    lines.sort_by(|a, b| a.sku.cmp(&b.sku));
    Some(Contents { id: id.parse().ok()?, version: version.parse().ok()?, lines })
}

fn line(sku: String, value: &str) -> Option<Line> {
    let mut parts = value.splitn(3, ' ');
    let (quantity, price_cents, currency) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Line { sku, quantity: quantity.parse().ok()?, price_cents: price_cents.parse().ok()?, currency: currency.to_owned() })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_no_copy_is_none() {
        let id = Uuid::now_v7();
        let fields = |fields: &[(&str, &str)]| fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let of = format!("{id} 7");
        let line = |sku: &str| Line { sku: sku.into(), quantity: 2, price_cents: 255, currency: "GBP".into() };
        let copied = read(fields(&[("b", "2 255 GBP"), (OF, &of), ("a", "2 255 GBP")]));
        assert_eq!(copied, Some(Contents { id, version: 7, lines: vec![line("a"), line("b")] }));
        assert_eq!(read(fields(&[])), None);
        assert_eq!(read(fields(&[("a", "2 255 GBP")])), None);
        assert_eq!(read(fields(&[(OF, &of), ("a", "2")])), None);
        assert_eq!(read(fields(&[(OF, "7"), ("a", "2 255 GBP")])), None);
    }
}
