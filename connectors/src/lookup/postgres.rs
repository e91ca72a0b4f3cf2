//! PostgreSQL: the rows of a table or view by its key, one statement for all keys.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Row};
use tokio::runtime::Runtime;

use super::{Columns, Key, Lookup};
use crate::options::Options;
use crate::sink::postgres::{failed, quote};
use crate::{Error, Result, threads};

pub(super) const CONNECTOR: &str = "postgres";
/// Keys in one statement.
const KEYS_A_REQUEST: usize = 10_000;
/// SQLSTATEs of texts that are no value of a type: no row has such a key.
const NO_VALUE: [&str; 5] = ["22P02", "22003", "22007", "22008", "22021"];

struct Postgres {
    /// Quoted.
    table: String,
    key: Vec<String>,
    columns: SchemaRef,
    pool: PgPool,
    runtime: Runtime,
    /// Made when the types of the key are known.
    statement: Option<String>,
}

pub(super) fn open(options: &mut Options, columns: &Columns) -> Result<Box<dyn Lookup>> {
    let url = options.required("url")?;
    let table = quote(&options.required("table")?);
    let table = match options.optional("schema") {
        Some(schema) => format!("{}.{table}", quote(&schema)),
        None => table,
    };
    // The URL may hold a password: it stays out of messages.
    let connect = match url.starts_with("postgres://") || url.starts_with("postgresql://") {
        true => PgConnectOptions::from_str(&url).ok(),
        false => None,
    };
    let connect = connect
        .ok_or_else(|| options.error("option 'url' is not of the form postgres://user:password@host:port/database"))?
        .application_name("chimera lookup")
        .options([("timezone", "UTC"), ("datestyle", "ISO"), ("default_transaction_read_only", "on")]);
    let runtime = threads::runtime()?;
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5));
    let pool = runtime.block_on(async { pool.connect_lazy_with(connect) });
    Ok(Box::new(Postgres { table, key: columns.key.clone(), columns: columns.rest.clone(), pool, runtime, statement: None }))
}

/// Names and types of a relation's columns. The types have no lengths: a key is not cut to one.
const COLUMNS: &str = "SELECT attname::text, format_type(atttypid, -1) FROM pg_attribute \
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";

impl Postgres {
    fn statement(&mut self) -> Result<String> {
        if let Some(statement) = &self.statement {
            return Ok(statement.clone());
        }
        let found = sqlx::query_as(COLUMNS).bind(&self.table).fetch_all(&self.pool);
        let found: BTreeMap<String, String> = self.runtime.block_on(found).map_err(failed)?.into_iter().collect();
        if found.is_empty() {
            return Err(Error::config(CONNECTOR, format!("there is no table or view {}, or it may not be read", self.table)));
        }
        let declared = self.key.iter().chain(self.columns.fields().iter().map(|field| field.name()));
        if let Some(missing) = declared.into_iter().find(|name| !found.contains_key(*name)) {
            let names: Vec<&str> = found.keys().map(String::as_str).collect();
            let message = format!("{} has no column {}; it has {}", self.table, quote(missing), names.join(", "));
            return Err(Error::config(CONNECTOR, message));
        }
        let columns: Vec<String> = self.columns.fields().iter().map(|field| selected(field.name(), field.data_type())).collect();
        let arrays: Vec<String> = (1..=self.key.len()).map(|i| format!("${i}::text[]")).collect();
        let names: Vec<String> = (0..self.key.len()).map(|i| format!("k{i}")).collect();
        let matches = self.key.iter().enumerate().map(|(i, name)| format!("t.{} = keys.k{i}::{}", quote(name), found[name]));
        let statement = format!(
            "SELECT keys.n, (SELECT row_to_json(r)::text FROM (SELECT {}) AS r) FROM unnest({}) WITH ORDINALITY AS keys ({}, n) JOIN {} AS t ON {}",
            columns.join(", "),
            arrays.join(", "),
            names.join(", "),
            self.table,
            matches.collect::<Vec<_>>().join(" AND ")
        );
        self.statement = Some(statement.clone());
        Ok(statement)
    }

    /// Answers to `keys`, in their order.
    fn ask(&self, statement: &str, keys: &[Key]) -> Result<Vec<Option<Bytes>>> {
        let part = |column: usize| keys.iter().map(|key| key[column].clone()).collect::<Vec<_>>();
        let query = (0..self.key.len()).fold(sqlx::query(AssertSqlSafe(statement.to_owned())), |query, column| query.bind(part(column)));
        let rows: Vec<PgRow> = match self.runtime.block_on(query.fetch_all(&self.pool)) {
            Err(sqlx::Error::Database(refused)) if refused.code().is_some_and(|code| NO_VALUE.contains(&&*code)) => {
                let (first, second) = keys.split_at(keys.len() / 2);
                if first.is_empty() {
                    return Ok(vec![None]);
                }
                return Ok([self.ask(statement, first)?, self.ask(statement, second)?].concat());
            }
            rows => rows.map_err(failed)?,
        };
        let mut answers = vec![None; keys.len()];
        for row in rows {
            let (number, text): (i64, String) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
            let place = usize::try_from(number - 1).ok().filter(|place| *place < keys.len());
            let place = place.ok_or_else(|| Error::corrupt(CONNECTOR, "it numbered a row that was not asked for"))?;
            if answers[place].replace(Bytes::from(text)).is_some() {
                let message = format!(
                    "{} has several rows with the key ({}) = ({}), and a lookup table has one a key",
                    self.table,
                    self.key.join(", "),
                    keys[place].join(", ")
                );
                return Err(Error::corrupt(CONNECTOR, message));
            }
        }
        Ok(answers)
    }
}

/// A column as JSON that the table's type is read from.
fn selected(name: &str, data_type: &DataType) -> String {
    let name = quote(name);
    match data_type {
        DataType::Utf8 => format!("t.{name}::text AS {name}"),
        DataType::Binary => format!("translate(encode(t.{name}, 'base64'), E'\\n', '') AS {name}"),
        _ => format!("t.{name} AS {name}"),
    }
}

impl Lookup for Postgres {
    fn check(&mut self) -> Result<()> {
        self.statement().map(drop)
    }

    fn get(&mut self, keys: &[Key]) -> Result<Vec<Option<Bytes>>> {
        let statement = self.statement()?;
        let mut answers = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_A_REQUEST) {
            answers.extend(self.ask(&statement, keys)?);
        }
        Ok(answers)
    }
}
