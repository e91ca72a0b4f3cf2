//! The queries, and the programs that keep their results.

use arrow::datatypes::{DataType, Schema};

/// The declarations of the tables that queries read.
pub const TABLES: &str = include_str!("queries/tables.sql");

pub struct Query {
    pub name: &'static str,
    pub sql: &'static str,
    /// The same question as DataFusion knows it, where the dialect's words for windows of time differ.
    batch: Option<&'static str>,
    /// Reads rows of uniform keys, not the events.
    pub is_uniform: bool,
}

macro_rules! query {
    ($name:literal) => {
        Query { name: $name, sql: include_str!(concat!("queries/", $name, ".sql")), batch: None, is_uniform: false }
    };
    ($name:literal, uniform) => {
        Query { is_uniform: true, ..query!($name) }
    };
    ($name:literal, batch) => {
        Query { batch: Some(include_str!(concat!("queries/batch/", $name, ".sql"))), ..query!($name) }
    };
}

pub const QUERIES: [Query; 27] = [
    query!("q0"),
    query!("q1"),
    query!("q2"),
    query!("q3"),
    query!("q4"),
    query!("q5", batch),
    query!("q6"),
    query!("q7", batch),
    query!("q8", batch),
    query!("q9"),
    query!("q10"),
    query!("q11", batch),
    query!("q12", batch),
    query!("q13"),
    query!("q14"),
    query!("q15"),
    query!("q16"),
    query!("q17"),
    query!("q18"),
    query!("q19"),
    query!("q20"),
    query!("q21"),
    query!("q22"),
    query!("hop", batch),
    query!("group", uniform),
    query!("join", uniform),
    query!("dedup", uniform),
];

impl Query {
    /// The query for DataFusion.
    pub fn batch(&self) -> &'static str {
        self.batch.unwrap_or(self.sql)
    }

    /// A program that keeps the query's result, whose columns are those of `schema`, in a sink named `result`. A sink has a key: here
    /// it is a constant, since most of these results have none.
    pub fn program(&self, schema: &Schema) -> String {
        let fields = schema.fields().iter().enumerate();
        let columns: Vec<String> = fields.map(|(place, field)| format!("c{place} {}", sql_type(field.data_type()))).collect();
        format!(
            "{TABLES}\nCREATE TABLE result (key BIGINT PRIMARY KEY, {}) WITH (type = 'sink');\nINSERT INTO result SELECT 0, * FROM (\n{}) AS q;\n",
            columns.join(", "),
            self.sql
        )
    }
}

fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => "INT".into(),
        DataType::Int64 | DataType::UInt64 => "BIGINT".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Decimal128(digits, scale) => format!("DECIMAL({digits}, {scale})"),
        DataType::Timestamp(..) => "TIMESTAMP".into(),
        _ => "TEXT".into(),
    }
}

/// The rows of `side_input`: what each of 10,000 numbers is called.
pub fn side_input() -> Result<arrow::array::RecordBatch, arrow::error::ArrowError> {
    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use std::sync::Arc;
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
    let values: ArrayRef = Arc::new(StringArray::from_iter_values((0..10_000).map(|key| format!("side {key}"))));
    arrow::array::RecordBatch::try_from_iter_with_nullable([("key", keys, true), ("value", values, true)])
}
