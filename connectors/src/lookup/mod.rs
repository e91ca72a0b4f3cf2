//! Lookups: tables that scripts ask for rows by key, while they are kept elsewhere.
//!
//! | connector | a row is |
//! |---|---|
//! | `redis` | a value, or a hash, under a key |
//! | `postgres` | a row of a table or view |

mod cache;
mod postgres;
mod redis;
mod table;

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;

use crate::options::Options;
use crate::{Error, Result};

pub use table::{Answers, LookupTable, Patience};

/// A lookup table of a script, as declared by `CREATE TABLE … WITH (type = 'lookup', connector = '…', …)`.
#[derive(Clone, Debug)]
pub struct LookupSpec {
    pub table: String,
    pub schema: SchemaRef,
    /// Names of the columns that a row is asked for by, at least one.
    pub primary_key: Vec<String>,
    /// The `WITH` options, without those of every table (`connector`, `type`, `bad_data`).
    pub options: BTreeMap<String, String>,
    /// Whether a row that cannot be read is none; else it is an error.
    pub drop_bad: bool,
}

/// The texts of a key's columns.
pub(crate) type Key = Vec<String>;

/// Asks a store for rows. Calls may block: each lookup table has a thread of its own.
///
/// Contract: an answer is what the store holds at some moment of the call, for all keys of the call. Who is away is
/// [`Error::Unavailable`]: the call is made again, with growing delays, and so must not change anything.
pub(crate) trait Lookup: Send {
    /// Whether the store is there and has what the table declares.
    fn check(&mut self) -> Result<()>;

    /// The record of each key's columns beside the key, in the table's format; `None` where there is no row. No key comes twice.
    fn get(&mut self, keys: &[Key]) -> Result<Vec<Option<Bytes>>>;
}

/// What a connector is opened with: the columns beside the key, and the names and types of the key's.
pub(crate) struct Columns {
    pub key: Vec<String>,
    pub rest: SchemaRef,
}

type Open = fn(&mut Options, &Columns) -> Result<Box<dyn Lookup>>;

/// Every lookup connector.
const CONNECTORS: [(&str, Open); 2] = [(redis::CONNECTOR, redis::open), (postgres::CONNECTOR, postgres::open)];

fn connector(name: &str, table: &str) -> Result<(&'static str, Open)> {
    CONNECTORS.iter().find(|(known, _)| *known == name).copied().ok_or_else(|| {
        let names: Vec<&str> = CONNECTORS.iter().map(|(name, _)| *name).collect();
        Error::config("lookup", format!("table {table}: no lookup connector '{name}'; there are {}", names.join(", ")))
    })
}
