//! A transaction that changes the catalogue.

use std::ops::{Deref, DerefMut};

use axum::http::{HeaderMap, HeaderValue, header};
use chimera_connectors::Frontier;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::api::access::Caller;
use crate::api::freshness::POSITION;
use crate::api::problem::{Problem, Result};
use crate::api::state::App;
use crate::shop::databases::begin;

/// Knows who writes, for the history of prices, and ends with the position of what was written. Dropped, it changes nothing.
pub struct Write {
    transaction: Transaction<'static, Postgres>,
    catalog: PgPool,
}

impl Write {
    pub async fn begin(app: &App, caller: &Caller) -> Result<Self> {
        let catalog = app.databases.catalog.clone();
        let mut transaction = begin(&catalog).await?;
        let changed_by = caller.user_id.map(|user_id| user_id.to_string()).unwrap_or_default();
        // An import keeps locks for as long as it takes; a request's own limit bounds the wait for it.
        sqlx::query("SELECT set_config('chimera.changed_by', $1, true), set_config('lock_timeout', '0', true)")
            .bind(changed_by)
            .execute(&mut *transaction)
            .await?;
        Ok(Self { transaction, catalog })
    }

    /// The headers of the answer: the position that a read has to include to show what was written.
    pub async fn commit(self) -> Result<HeaderMap> {
        self.transaction.commit().await?;
        position(&self.catalog).await
    }

    pub async fn roll_back(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}

/// Everything committed so far lies before it.
pub(super) async fn position(catalog: &PgPool) -> Result<HeaderMap> {
    let position: i64 = sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetch_one(catalog).await?;
    let token = Frontier::single("catalog", position.cast_unsigned()).to_string();
    Ok(HeaderMap::from_iter([
        (POSITION, HeaderValue::try_from(token).map_err(Problem::internal)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]))
}

impl Deref for Write {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}
