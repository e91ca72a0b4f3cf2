//! Tables without keys, of few different values, many nulls and equal rows, that change at random: here and in PostgreSQL.

use crate::data::{Random, Row, Value, batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chimera_sql::Delta;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an expression yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Text,
    Bool,
    Decimal,
    Time,
    /// Quarters: their sums are exact.
    Double,
    /// Computed by division: in PostgreSQL a NUMERIC, here a DOUBLE. It may be shown, but not be computed with.
    Ratio,
    Ints,
    Texts,
}

impl Kind {
    /// As a sink declares it.
    pub fn sql(self) -> &'static str {
        match self {
            Kind::Int => "BIGINT",
            Kind::Text => "TEXT",
            Kind::Bool => "BOOLEAN",
            Kind::Decimal => "DECIMAL(38, 6)",
            Kind::Time => "TIMESTAMP",
            Kind::Double | Kind::Ratio => "DOUBLE PRECISION",
            Kind::Ints => "BIGINT[]",
            Kind::Texts => "TEXT[]",
        }
    }

    /// As a table declares it.
    fn column(self) -> (&'static str, DataType) {
        match self {
            Kind::Int => ("INT", DataType::Int32),
            Kind::Decimal => ("DECIMAL(8, 2)", DataType::Decimal128(8, 2)),
            Kind::Text => ("TEXT", DataType::Utf8),
            Kind::Bool => ("BOOLEAN", DataType::Boolean),
            Kind::Time => ("TIMESTAMP", DataType::Timestamp(TimeUnit::Nanosecond, None)),
            Kind::Double | Kind::Ratio => ("DOUBLE PRECISION", DataType::Float64),
            Kind::Ints | Kind::Texts => panic!("no table has lists"),
        }
    }
}

pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
    /// It has about so many rows.
    rows: u64,
}

pub const TABLES: [Table; 3] = [
    Table {
        name: "t",
        columns: &[
            ("id", Kind::Int),
            ("a", Kind::Int),
            ("b", Kind::Int),
            ("s", Kind::Text),
            ("d", Kind::Decimal),
            ("at", Kind::Time),
            ("f", Kind::Bool),
            ("x", Kind::Double),
        ],
        rows: 16,
    },
    Table {
        name: "u",
        columns: &[("a", Kind::Int), ("c", Kind::Int), ("s", Kind::Text), ("d", Kind::Decimal), ("at", Kind::Time)],
        rows: 12,
    },
    Table { name: "v", columns: &[("k", Kind::Int), ("s", Kind::Text), ("f", Kind::Bool)], rows: 6 },
];

pub const TEXTS: [&str; 8] = ["", "a", "b", "ab", "B", "a%", "x_y z", "é"];

/// 2020-01-01T00:00:00Z.
const EPOCH_NS: i64 = 1_577_836_800_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;

fn value(kind: Kind, random: &mut Random) -> Value {
    if random.one_in(4) {
        return Value::Null;
    }
    match kind {
        Kind::Int => Value::Int(random.below(7) as i32 - 2),
        Kind::Text => Value::Text(TEXTS[random.below(TEXTS.len() as u64) as usize].into()),
        Kind::Bool => Value::Bool(random.one_in(2)),
        Kind::Decimal => Value::Decimal(random.below(9) as i128 * 75 - 250),
        Kind::Time => Value::Time(EPOCH_NS + random.below(30) as i64 * 41 * SECOND_NS),
        _ => Value::Double(random.below(12) as f64 / 4.0 - 1.0),
    }
}

/// `value` as PostgreSQL reads it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Text(text) => format!("'{text}'"),
        Value::Int(int) => int.to_string(),
        Value::Bool(bool) => bool.to_string(),
        Value::Decimal(hundredths) => format!("{hundredths} * 0.01"),
        Value::Time(ns) => format!("TIMESTAMP '2020-01-01' + INTERVAL '{} seconds'", (ns - EPOCH_NS) / SECOND_NS),
        Value::Double(double) => double.to_string(),
    }
}

fn schema(table: &Table) -> SchemaRef {
    let fields = table.columns.iter().map(|(name, kind)| Field::new(*name, kind.column().1, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The declarations of the tables in a program.
pub fn sources() -> String {
    let columns =
        |table: &Table| table.columns.iter().map(|(name, kind)| format!("{name} {}", kind.column().0)).collect::<Vec<_>>().join(", ");
    TABLES.iter().map(|table| format!("CREATE TABLE {} ({}) WITH (type = 'source');\n", table.name, columns(table))).collect()
}

/// The tables in PostgreSQL: views of tables whose rows have a number, by which they are updated and deleted.
pub fn postgres_tables() -> String {
    let table = |table: &Table| {
        let columns: String = table.columns.iter().map(|(name, kind)| format!(", {name} {}", kind.column().0)).collect();
        let names: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
        let (name, names) = (table.name, names.join(", "));
        format!("CREATE TABLE {name}_rows (number INT PRIMARY KEY{columns}); CREATE VIEW {name} AS SELECT {names} FROM {name}_rows;\n")
    };
    TABLES.iter().map(table).collect()
}

/// The rows of the tables, by number.
#[derive(Default)]
pub struct Database {
    rows: [BTreeMap<u64, Row>; TABLES.len()],
    next: u64,
}

/// What is committed between two looks at the results.
pub struct Changes {
    /// As PostgreSQL runs them.
    pub sql: String,
    /// As they are pushed.
    pub pushes: Vec<(&'static str, Delta)>,
}

impl Database {
    /// Some changes; now and then none, now and then all rows go.
    pub fn change(&mut self, random: &mut Random) -> Changes {
        let (mut sql, mut changes) = (String::new(), vec![]);
        if random.one_in(8) {
            self.empty(random, &mut sql, &mut changes);
        }
        let most = if self.next == 0 { 60 } else { 16 };
        for _ in 0..random.below(most) {
            let table = random.below(TABLES.len() as u64) as usize;
            self.change_row(table, random, &mut sql, &mut changes);
            if random.one_in(6) {
                // A row that comes and goes between two commits.
                let row = made(table, random);
                changes.push((table, row.clone(), 1));
                changes.push((table, row, -1));
            }
        }
        Changes { sql, pushes: pushed(&changes, random) }
    }

    fn empty(&mut self, random: &mut Random, sql: &mut String, changes: &mut Vec<(usize, Row, i64)>) {
        let table = random.below(TABLES.len() as u64) as usize;
        changes.extend(std::mem::take(&mut self.rows[table]).into_values().map(|row| (table, row, -1)));
        *sql += &format!("DELETE FROM {}_rows;\n", TABLES[table].name);
    }

    fn change_row(&mut self, table: usize, random: &mut Random, sql: &mut String, changes: &mut Vec<(usize, Row, i64)>) {
        let (name, rows) = (TABLES[table].name, &mut self.rows[table]);
        let is_new = random.below(2 * TABLES[table].rows) >= rows.len() as u64;
        let old = rows.keys().nth(random.below(rows.len().max(1) as u64) as usize).copied();
        let Some(number) = old.filter(|_| !is_new) else {
            // Rows come again as they are: there is no key.
            let again = old.filter(|_| random.one_in(4)).map(|number| rows[&number].clone());
            let row = again.unwrap_or_else(|| made(table, random));
            let values: String = row.iter().map(|value| format!(", {}", literal(value))).collect();
            *sql += &format!("INSERT INTO {name}_rows VALUES ({}{values});\n", self.next);
            rows.insert(self.next, row.clone());
            self.next += 1;
            return changes.push((table, row, 1));
        };
        let Some(old) = rows.remove(&number) else { return };
        changes.push((table, old.clone(), -1));
        if random.one_in(2) {
            *sql += &format!("DELETE FROM {name}_rows WHERE number = {number};\n");
            return;
        }
        let (mut new, mut set) = (old, vec![]);
        for (value, ((column, _), other)) in new.iter_mut().zip(TABLES[table].columns.iter().zip(made(table, random))) {
            if random.one_in(2) {
                set.push(format!("{column} = {}", literal(&other)));
                *value = other;
            }
        }
        if !set.is_empty() {
            *sql += &format!("UPDATE {name}_rows SET {} WHERE number = {number};\n", set.join(", "));
        }
        rows.insert(number, new.clone());
        changes.push((table, new, 1));
    }
}

fn made(table: usize, random: &mut Random) -> Row {
    TABLES[table].columns.iter().map(|(_, kind)| value(*kind, random)).collect()
}

/// The changes in their order, in batches of random sizes.
fn pushed(changes: &[(usize, Row, i64)], random: &mut Random) -> Vec<(&'static str, Delta)> {
    let mut pushes = vec![];
    let mut rest = changes;
    while !rest.is_empty() {
        let (some, others) = rest.split_at(1 + random.below(rest.len() as u64) as usize);
        rest = others;
        for (index, table) in TABLES.iter().enumerate() {
            let (rows, weights): (Vec<Row>, Vec<i64>) =
                some.iter().filter(|(table, ..)| *table == index).map(|(_, row, weight)| (row.clone(), *weight)).unzip();
            if !rows.is_empty() {
                pushes.push((table.name, Delta { batch: batch(&schema(table), &rows), weights: Some(weights) }));
            }
        }
    }
    pushes
}
