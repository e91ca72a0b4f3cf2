//! Recomputes every derived store from the source tables by plain SQL in PostgreSQL, and compares row by row.
//!
//! The engine has no part in it: the source tables (and the clicks, from the log) are copied into a scratch database, each pipeline's
//! `verify.sql` is run there, and its rows are held against what the store gives when it is read as serving nodes read it. A store that
//! keeps history is copied as well, and its SELECT replays it.

pub mod compare;
mod history;
mod scratch;
pub mod statements;
pub mod stores;
pub mod value;

use std::time::Instant;

use serde::Serialize;
use sqlx::PgConnection;

pub use compare::{Comparison, Difference, Outcome};
pub use history::check_history;
pub use scratch::{Click, Scratch};
pub use stores::{Dump, Readers, Store};

use super::databases;

/// The check itself could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] databases::Error),
    #[error("PostgreSQL refused {what}: {source}")]
    Query { what: String, source: sqlx::Error },
    #[error("Redis refused to give {store}: {source}")]
    Redis { store: String, source: redis::RedisError },
    #[error("the server did not give {what}: {message}")]
    Server { what: String, message: String },
    #[error("verify.sql of {store}: {source}")]
    Comparison { store: String, source: compare::Error },
    #[error("store {store} cannot be read: {message}")]
    Store { store: String, message: String },
}

impl Error {
    fn query(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let what = what.into();
        move |source| Error::Query { what, source }
    }
}

/// What was found out about a store.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub store: String,
    pub connector: String,
    pub seconds: f64,
    /// `None`: not compared, for the reason in `skipped`.
    pub outcome: Option<Outcome>,
    pub skipped: Option<String>,
}

impl Report {
    pub fn is_different(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| !outcome.is_equal())
    }

    pub fn skipped(store: &Store, why: impl Into<String>) -> Self {
        Self { store: store.name.clone(), connector: store.connector.clone(), seconds: 0.0, outcome: None, skipped: Some(why.into()) }
    }
}

/// Computes the rows that `store` should hold with `sql` in the scratch database, and compares them with what it holds.
pub async fn check(scratch: &mut PgConnection, readers: &mut Readers<'_>, store: &Store, sql: &str) -> Result<Report, Error> {
    let started = Instant::now();
    let (columns, rows) = scratch::select(scratch, &store.name, sql).await?;
    let wrong = |source| Error::Comparison { store: store.name.clone(), source };
    let mut comparison = Comparison::new(columns, &store.primary_key).map_err(wrong)?;
    for row in rows {
        comparison.expect(row).map_err(wrong)?;
    }
    stores::read(readers, store, &mut comparison).await?;
    Ok(Report {
        store: store.name.clone(),
        connector: store.connector.clone(),
        seconds: started.elapsed().as_secs_f64(),
        outcome: Some(comparison.finish()),
        skipped: None,
    })
}
