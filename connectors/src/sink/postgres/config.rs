//! Options of the PostgreSQL sink.

use super::CONNECTOR;
use super::table::Table;
use crate::Result;
use crate::options::{Options, primary_key};
use crate::sink::SinkSpec;

#[derive(Clone, Debug)]
pub(crate) struct PostgresConfig {
    /// Made if it is missing.
    pub(crate) database: String,
    /// Made if it is missing.
    pub(crate) table: Table,
}

impl PostgresConfig {
    pub(crate) fn new(spec: &SinkSpec) -> Result<Self> {
        let mut options = Options::new(CONNECTOR, spec);
        let key = primary_key(&options, spec)?;
        let database = options.name("database")?;
        let name = options.name("table")?;
        let table = Table::new(&options, spec, name, key)?;
        options.finish()?;
        Ok(Self { database, table })
    }
}
