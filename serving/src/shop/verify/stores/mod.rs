//! Reads stores whole, as they are kept.

mod postgres;
mod redis;

use async_trait::async_trait;
use chimera_sql::Table;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

use super::{Comparison, Error};
use crate::shop::databases::Server;

/// A store, as its pipeline declares it.
#[derive(Clone, Debug)]
pub struct Store {
    /// `pipeline.table`.
    pub name: String,
    pub connector: String,
    pub primary_key: Vec<String>,
    pub options: BTreeMap<String, String>,
}

impl Store {
    pub fn new(pipeline: &str, table: &Table) -> Self {
        Self {
            name: format!("{pipeline}.{}", table.name),
            connector: table.options.get("connector").cloned().unwrap_or_default(),
            primary_key: table.primary_key.clone(),
            options: table.options.clone(),
        }
    }

    pub(super) fn option(&self, name: &str) -> Result<&str, Error> {
        let missing = || Error::Store { store: self.name.clone(), message: format!("it is declared without option '{name}'") };
        self.options.get(name).map(String::as_str).ok_or_else(missing)
    }
}

/// Gives all rows of a store that lives inside the server's process.
#[async_trait]
pub trait Dump: Send + Sync {
    async fn rows(&self, store: &Store) -> Result<Vec<Map<String, Json>>, String>;
}

/// Where stores are read from.
pub struct Readers<'a> {
    pub server: &'a Server,
    pub redis: ::redis::aio::MultiplexedConnection,
    pub dump: &'a dyn Dump,
}

/// Holds every row of `store` against the comparison.
pub async fn read(readers: &mut Readers<'_>, store: &Store, comparison: &mut Comparison) -> Result<(), Error> {
    match store.connector.as_str() {
        "redis" => redis::read(&mut readers.redis, store, comparison).await,
        "postgres" => postgres::read(readers.server, store, comparison).await,
        _ => {
            let rows = readers.dump.rows(store).await;
            let rows = rows.map_err(|message| Error::Server { what: format!("store {}", store.name), message })?;
            rows.iter().for_each(|row| comparison.found(row));
            Ok(())
        }
    }
}
