//! Strict reading of a table's `WITH (…)` options.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use arrow::datatypes::{DataType, Field};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::sink::SinkSpec;
use crate::{Error, Result};

/// Takes the options out one by one; what is left over at the end is an error that names the known ones.
pub(crate) struct Options {
    connector: &'static str,
    table: String,
    left: BTreeMap<String, String>,
    known: Vec<&'static str>,
}

impl Options {
    pub(crate) fn new(connector: &'static str, spec: &SinkSpec) -> Self {
        Self::of_table(connector, format!("{}.{}", spec.pipeline, spec.table), &spec.options)
    }

    pub(crate) fn of_table(connector: &'static str, table: String, options: &BTreeMap<String, String>) -> Self {
        Self { connector, table, left: options.clone(), known: Vec::new() }
    }

    /// A configuration error that names the table.
    pub(crate) fn error(&self, message: impl Display) -> Error {
        Error::config(self.connector, format!("table {}: {message}", self.table))
    }

    pub(crate) fn optional(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        self.left.remove(name)
    }

    pub(crate) fn required(&mut self, name: &'static str) -> Result<String> {
        match self.optional(name) {
            Some(value) if !value.trim().is_empty() => Ok(value),
            Some(_) => Err(self.error(format!("option '{name}' is empty"))),
            None => Err(self.error(format!("option '{name}' is missing"))),
        }
    }

    pub(crate) fn parsed<T: FromStr>(&mut self, name: &'static str, what: &str) -> Result<Option<T>> {
        match self.optional(name) {
            None => Ok(None),
            Some(text) => match text.trim().parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(self.error(format!("option '{name}' = '{text}' is not {what}"))),
            },
        }
    }

    /// A comma-separated list; empty when the option is not given.
    pub(crate) fn list(&mut self, name: &'static str) -> Vec<String> {
        let text = self.optional(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// The option `headers`: `Authorization: Bearer …, X-Shop: 7`.
    pub(crate) fn headers(&mut self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for header in self.list("headers") {
            let parsed = header
                .split_once(':')
                .and_then(|(name, value)| Some((name.trim().parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?)));
            let (name, value) = parsed.ok_or_else(|| self.error("option 'headers' must be of the form 'Name: value, Name: value'"))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// A name that becomes a folder, a keyspace or an identifier: letters, digits, `_`, `-` and `.`, not starting with a dot.
    pub(crate) fn name(&mut self, name: &'static str) -> Result<String> {
        let value = self.required(name)?;
        let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) && !value.starts_with('.') && value.len() <= 63;
        if plain {
            return Ok(value);
        }
        Err(self
            .error(format!("option '{name}' = '{value}' may hold up to 63 letters, digits, '_', '-' and '.', and may not start with '.'")))
    }

    /// Refuses whatever was not asked for.
    pub(crate) fn finish(self) -> Result<()> {
        let Some(unknown) = self.left.keys().next() else { return Ok(()) };
        let known = if self.known.is_empty() { "none".to_owned() } else { format!("'{}'", self.known.join("', '")) };
        Err(self.error(format!("unknown option '{unknown}'; known options are: {known}")))
    }
}

/// The column's position and field, or an error that lists the columns that there are.
pub(crate) fn column<'a>(options: &Options, spec: &'a SinkSpec, option: &str, name: &str) -> Result<(usize, &'a Field)> {
    spec.schema.column_with_name(name).ok_or_else(|| {
        let columns: Vec<&str> = spec.schema.fields().iter().map(|field| field.name().as_str()).collect();
        options.error(format!(
            "option '{option}' names column '{name}', which the table does not have; its columns are {}",
            columns.join(", ")
        ))
    })
}

/// Positions of the primary key's columns; refuses a table without one.
pub(crate) fn primary_key(options: &Options, spec: &SinkSpec) -> Result<Vec<usize>> {
    if spec.primary_key.is_empty() {
        return Err(options.error("it has no PRIMARY KEY; upserts and deletes go by it"));
    }
    spec.primary_key.iter().map(|name| Ok(column(options, spec, "PRIMARY KEY", name)?.0)).collect()
}

/// Whether values of the type are whole numbers.
pub(crate) fn is_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
}
