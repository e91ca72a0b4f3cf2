//! What the routes about accounts work with.

use std::sync::Arc;

use redis::aio::ConnectionManager;
use sqlx::PgPool;

use super::key_ring::KeyRing;
use super::passwords::Passwords;
use super::vault::Vault;
use crate::api::problem::{Problem, Result};

/// Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    /// The database `auth`.
    pub pool: PgPool,
    pub redis: ConnectionManager,
    pub keys: Arc<KeyRing>,
    pub vault: Arc<Vault>,
    pub passwords: Arc<Passwords>,
    /// The public address of this server, by which tokens name who gave them.
    pub issuer: Arc<str>,
}

impl Auth {
    /// `seal`: the key of the installation; what is sealed with it can be read with it only.
    pub async fn open(pool: PgPool, redis: ConnectionManager, seal: &[u8; Vault::KEY_BYTES], issuer: &str) -> Result<Self> {
        let vault = Arc::new(Vault::new(seal).map_err(Problem::internal)?);
        let keys = Arc::new(KeyRing::open(pool.clone(), vault.clone()).await?);
        Ok(Self { pool, redis, keys, vault, passwords: Arc::new(Passwords::new()?), issuer: issuer.into() })
    }
}
