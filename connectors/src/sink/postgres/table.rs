//! The table as PostgreSQL is to have it.

use arrow::datatypes::DataType;

use crate::Result;
use crate::options::Options;
use crate::sink::SinkSpec;

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// Positions in `columns`.
    pub(crate) key: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) sql_type: String,
}

impl Table {
    pub(crate) fn new(options: &Options, spec: &SinkSpec, name: String, key: Vec<usize>) -> Result<Self> {
        let mut columns = Vec::with_capacity(spec.schema.fields().len());
        for field in spec.schema.fields() {
            let sql_type = sql_type(field.data_type()).ok_or_else(|| {
                options.error(format!("column '{}' has the type {}, which has no PostgreSQL type here", field.name(), field.data_type()))
            })?;
            if field.name().len() > 63 {
                return Err(options.error(format!("column '{}' has a name of more than 63 bytes", field.name())));
            }
            columns.push(Column { name: field.name().clone(), sql_type });
        }
        Ok(Self { name, columns, key })
    }

    pub(crate) fn create(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let not_null = if self.key.contains(&position) { " NOT NULL" } else { "" };
                format!("{} {}{not_null}", quote(&column.name), column.sql_type)
            })
            .collect();
        format!("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))", quote(&self.name), columns.join(", "), self.key_names())
    }

    pub(crate) fn key_names(&self) -> String {
        let names: Vec<String> = self.key.iter().map(|&position| quote(&self.columns[position].name)).collect();
        names.join(", ")
    }

    /// One statement for any number of rows: an array of texts a column.
    pub(crate) fn upsert(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quote(&column.name)).collect();
        let values: Vec<String> = self.columns.iter().enumerate().map(|(i, column)| format!("c{i}::{}", column.sql_type)).collect();
        let arrays: Vec<String> = (1..=self.columns.len()).map(|i| format!("${i}::text[]")).collect();
        let aliases: Vec<String> = (0..self.columns.len()).map(|i| format!("c{i}")).collect();
        let set: Vec<String> = (0..self.columns.len())
            .filter(|position| !self.key.contains(position))
            .map(|position| format!("{0} = EXCLUDED.{0}", names[position]))
            .collect();
        let action = if set.is_empty() { "DO NOTHING".to_owned() } else { format!("DO UPDATE SET {}", set.join(", ")) };
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM UNNEST({}) AS rows ({}) ON CONFLICT ({}) {action}",
            quote(&self.name),
            names.join(", "),
            values.join(", "),
            arrays.join(", "),
            aliases.join(", "),
            self.key_names(),
        )
    }

    pub(crate) fn delete(&self) -> String {
        let arrays: Vec<String> = (1..=self.key.len()).map(|i| format!("${i}::text[]")).collect();
        let aliases: Vec<String> = (0..self.key.len()).map(|i| format!("c{i}")).collect();
        let matches: Vec<String> = self
            .key
            .iter()
            .enumerate()
            .map(|(i, &position)| format!("target.{} = c{i}::{}", quote(&self.columns[position].name), self.columns[position].sql_type))
            .collect();
        format!(
            "DELETE FROM {} AS target USING UNNEST({}) AS rows ({}) WHERE {}",
            quote(&self.name),
            arrays.join(", "),
            aliases.join(", "),
            matches.join(" AND "),
        )
    }
}

/// An identifier, whatever it holds.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sql_type(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 | DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float32 => "REAL".to_owned(),
        DataType::Float64 => "DOUBLE PRECISION".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 => "TEXT".to_owned(),
        DataType::Decimal128(precision, scale) => format!("NUMERIC({precision},{scale})"),
        DataType::Timestamp(..) => "TIMESTAMPTZ".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Binary => "BYTEA".to_owned(),
        DataType::List(item) => match item.data_type() {
            DataType::List(_) => return None,
            item => format!("{}[]", sql_type(item)?),
        },
        _ => return None,
    })
}
