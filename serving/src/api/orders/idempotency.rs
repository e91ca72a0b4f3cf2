//! One answer a key: what makes sending an order twice safe.

use axum::http::HeaderMap;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use crate::api::problem::{Problem, Result, kinds};

/// How long an answer is remembered.
const KEPT_FOR: &str = "7 days";

/// The value of a good `Idempotency-Key` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn from_headers(headers: &HeaderMap) -> Result<Self> {
        let mut values = headers.get_all("idempotency-key").iter();
        let value =
            values.next().ok_or_else(|| Problem::new(&kinds::IDEMPOTENCY_KEY_NEEDED, "The request has no `Idempotency-Key` header."))?;
        let bad = |why: &str| Problem::new(&kinds::IDEMPOTENCY_KEY_NEEDED, format!("The `Idempotency-Key` {why}."));
        if values.next().is_some() {
            return Err(bad("is given twice"));
        }
        let key = value.to_str().map_err(|_| bad("has characters other than visible ASCII"))?;
        // Shells and HTTP libraries quote it or do not (the IETF draft makes it a quoted string): it is the same key.
        let key = key.trim().trim_matches('"');
        match key.len() {
            0 => Err(bad("is empty")),
            1..=200 => Ok(Self(key.to_owned())),
            _ => Err(bad("is longer than 200 characters")),
        }
    }

    /// One that does not meet the same key of somebody else.
    pub fn of(&self, owner: &str) -> Self {
        let hash = blake3::derive_key("chimera orders owned idempotency key", format!("{owner}\0{}", self.0).as_bytes());
        Self(blake3::Hash::from_bytes(hash).to_hex().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the advisory lock that one request at a time holds for this key.
    fn lock(&self) -> i64 {
        let hash = blake3::derive_key("chimera orders idempotency key lock", self.0.as_bytes());
        i64::from_le_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
    }
}

/// What became of claiming a key.
pub enum Claim {
    /// The key is ours until the transaction ends.
    Ours,
    /// The request was answered before, with this.
    Answered(Value),
}

/// Claims `key` for the transaction of `connection`; a transaction that is rolled back gives it free again, so that only orders that
/// were placed
/// are remembered.
///
/// # Errors
/// `order-in-flight` while another transaction holds the key, `idempotency-key-reused` when it was used for another request.
pub async fn claim(connection: &mut PgConnection, key: &Key, request_hash: &[u8; 32]) -> Result<Claim> {
    // Inserting a key that an open transaction has inserted would wait for that transaction: ask first, without waiting.
    let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(key.lock()).fetch_one(&mut *connection).await?;
    if !free {
        return Err(Problem::new(&kinds::ORDER_IN_FLIGHT, "Another request with this Idempotency-Key is in progress.").retry_after(1));
    }
    let claimed = sqlx::query("INSERT INTO idempotency_keys (key, request_hash) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
        .bind(key.as_str())
        .bind(request_hash.as_slice())
        .execute(&mut *connection)
        .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Claim::Ours);
    }
    let (hash, response): (Vec<u8>, Option<Value>) = sqlx::query_as("SELECT request_hash, response FROM idempotency_keys WHERE key = $1")
        .bind(key.as_str())
        .fetch_one(&mut *connection)
        .await?;
    if hash != request_hash {
        return Err(Problem::new(
            &kinds::IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key was used for an order with other lines or another customer.",
        ));
    }
    response.map(Claim::Answered).ok_or_else(|| Problem::internal("an idempotency key was committed without its answer"))
}

/// Remembers the answer, in the transaction that claimed the key.
pub async fn answer(connection: &mut PgConnection, key: &Key, status: u16, response: &Value) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE idempotency_keys SET status = $2, response = $3 WHERE key = $1")
        .bind(key.as_str())
        .bind(i32::from(status))
        .bind(response)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Forgets answers that are older than a week; returns how many.
pub async fn forget_old(orders: &PgPool) -> Result<u64, sqlx::Error> {
    let sql = "DELETE FROM idempotency_keys WHERE created_at < now() - $1::interval";
    sqlx::query(sql).bind(KEPT_FOR).execute(orders).await.map(|done| done.rows_affected())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn keys_are_bounded() {
        let key = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", HeaderValue::from_bytes(value).expect("a header value"));
            Key::from_headers(&headers)
        };
        assert_eq!(key(b"\"a-1\"").expect("a key").as_str(), "a-1");
        for bad in [&b""[..], b"  ", "clé".as_bytes(), "x".repeat(201).as_bytes()] {
            assert!(key(bad).is_err(), "{bad:?}");
        }
        assert!(Key::from_headers(&HeaderMap::new()).is_err());
    }
}
