//! The key pairs that sign access tokens. The newest signs; older ones are published until nothing that they signed is good any more.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use parking_lot::RwLock;
use serde::Serialize;
use sqlx::PgPool;
use tokio::time::Instant;

use super::vault::Vault;
use crate::api::problem::{Problem, Result};
use crate::shop::databases::begin;

/// A key signs for so long.
const ROTATE_DAYS: i32 = 30;
/// A new key is published for so long before it signs, so that whoever keeps a copy of the published keys knows it by then.
const KNOWN_AFTER_MINUTES: i32 = 10;
/// How often the database is asked for keys that another node made.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// An unknown key is asked for no more often than this, whoever sends what.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// The lock under which a key is made: any number that no other lock has.
const LOCK: i64 = 0x6b65_7973;

/// A key pair.
pub struct Key {
    pub id: String,
    pub encoding: EncodingKey,
    pub decoding: DecodingKey,
    public: Vec<u8>,
}

/// The keys that are good now; the signing one, and all that are published.
#[derive(Clone)]
struct Keys {
    signing: Arc<Key>,
    all: Vec<Arc<Key>>,
    asked: Instant,
}

pub struct KeyRing {
    pool: PgPool,
    vault: Arc<Vault>,
    keys: RwLock<Keys>,
}

/// A set of keys as RFC 7517 has it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

/// An Ed25519 key (RFC 8037).
#[derive(Serialize, utoipa::ToSchema)]
pub struct Jwk {
    #[schema(example = "OKP")]
    pub kty: &'static str,
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: &'static str,
    pub kid: String,
    pub x: String,
}

impl KeyRing {
    /// Reads the keys, and makes the first one.
    pub async fn open(pool: PgPool, vault: Arc<Vault>) -> Result<Self> {
        let keys = load(&pool, &vault).await?;
        Ok(Self { pool, vault, keys: RwLock::new(keys) })
    }

    /// Reads the keys anew, after the newest one was replaced if its time has come.
    pub async fn refresh(&self) -> Result<()> {
        let keys = load(&self.pool, &self.vault).await?;
        *self.keys.write() = keys;
        Ok(())
    }

    /// Keeps the keys fresh for ever.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(problem) = self.refresh().await {
                tracing::warn!(%problem, "the signing keys were not read; going on with those that are known");
            }
        }
    }

    pub fn signing(&self) -> Arc<Key> {
        self.keys.read().signing.clone()
    }

    /// The key of this name; one that is not known here may have been made on another node.
    pub async fn find(&self, id: &str) -> Result<Option<Arc<Key>>> {
        let find = |keys: &Keys| keys.all.iter().find(|key| key.id == id).cloned();
        if let Some(found) = find(&self.keys.read()) {
            return Ok(Some(found));
        }
        {
            let mut keys = self.keys.write();
            if keys.asked.elapsed() < ASK_AGAIN {
                return Ok(find(&keys));
            }
            keys.asked = Instant::now();
        }
        self.refresh().await?;
        Ok(find(&self.keys.read()))
    }

    /// The public halves, for whoever checks tokens.
    pub fn published(&self) -> JwkSet {
        let jwk = |key: &Arc<Key>| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            usage: "sig",
            kid: key.id.clone(),
            x: BASE64_URL_SAFE_NO_PAD.encode(&key.public),
        };
        JwkSet { keys: self.keys.read().all.iter().map(jwk).collect() }
    }
}

async fn load(pool: &PgPool, vault: &Vault) -> Result<Keys> {
    let mut transaction = begin(pool).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let is_due: bool =
        sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM signing_keys WHERE created_at > now() - make_interval(days => $1))")
            .bind(ROTATE_DAYS)
            .fetch_one(&mut *transaction)
            .await?;
    if is_due {
        let pair = Ed25519KeyPair::generate().map_err(Problem::internal)?;
        let public = pair.public_key().as_ref().to_vec();
        let id = BASE64_URL_SAFE_NO_PAD.encode(&blake3::hash(&public).as_bytes()[..12]);
        // Without the public half, which stands beside it: the form of PKCS#8 that every reader takes.
        let secret = pair.to_pkcs8v1().map_err(Problem::internal)?;
        let sealed = vault.seal(&purpose(&id), secret.as_ref()).map_err(Problem::internal)?;
        sqlx::query("INSERT INTO signing_keys (key_id, sealed, public) VALUES ($1, $2, $3)")
            .bind(&id)
            .bind(sealed)
            .bind(public)
            .execute(&mut *transaction)
            .await?;
        // What the removed ones signed ran out long ago.
        sqlx::query("DELETE FROM signing_keys WHERE created_at < now() - make_interval(days => $1)")
            .bind(2 * ROTATE_DAYS)
            .execute(&mut *transaction)
            .await?;
        tracing::info!(key = id, "a key that signs access tokens was made");
    }
    let rows: Vec<(String, Vec<u8>, Vec<u8>, bool)> = sqlx::query_as(
        "SELECT key_id, sealed, public, created_at < now() - make_interval(mins => $1) FROM signing_keys ORDER BY created_at DESC, key_id",
    )
    .bind(KNOWN_AFTER_MINUTES)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let (mut all, mut signing) = (vec![], None);
    for (id, sealed, public, is_known) in rows {
        let secret = vault.open(&purpose(&id), &sealed).map_err(|_| {
            Problem::internal("a signing key in the database `auth` is sealed with another key file; bring that file back, or empty the table `signing_keys`: everyone has to log in again")
        })?;
        let (encoding, decoding) = (EncodingKey::from_ed_der(&secret), DecodingKey::from_ed_der(&public));
        let key = Arc::new(Key { id, encoding, decoding, public });
        if is_known && signing.is_none() {
            signing = Some(key.clone());
        }
        all.push(key);
    }
    // The first key of all has nobody who knows an older one.
    let signing = signing.or_else(|| all.last().cloned()).ok_or_else(|| Problem::internal("there is no signing key"))?;
    Ok(Keys { signing, all, asked: Instant::now() })
}

fn purpose(id: &str) -> String {
    format!("signing key {id}")
}
