//! Compares the rows that a store should hold with those that it holds.

use std::collections::HashMap;

use serde::Serialize;

use super::value::{Kind, Value};

/// A column of the expected rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// The first of these are kept to be shown; all are counted.
const SHOWN: usize = 20;
/// Longer values are cut when they are shown.
const SHOWN_CHARS: usize = 120;

/// One way in which a store is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Values of the key columns.
    pub key: String,
    /// `None`: the row itself.
    pub column: Option<String>,
    pub expected: Option<String>,
    pub found: Option<String>,
}

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub expected_rows: u64,
    pub found_rows: u64,
    /// Rows that should be there and are not.
    pub missing: u64,
    /// Rows that are there and should not be, or twice.
    pub unexpected: u64,
    /// Rows with other values than they should have.
    pub changed: u64,
    pub first: Vec<Difference>,
}

impl Outcome {
    pub fn is_equal(&self) -> bool {
        self.missing + self.unexpected + self.changed == 0
    }

    /// Keeps a difference to be shown, if it is one of the first.
    pub(super) fn note(&mut self, difference: Difference) {
        if self.first.len() < SHOWN {
            self.first.push(difference);
        }
    }
}

/// Takes all expected rows first, then the store's rows in any order.
pub struct Comparison {
    columns: Vec<Column>,
    /// Positions in `columns`.
    key: Vec<usize>,
    expected: HashMap<String, Vec<Value>>,
    outcome: Outcome,
}

/// The expected rows cannot be compared at all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("the SELECT has no column `{0}`, which is part of the store's key")]
    NoKeyColumn(String),
    #[error("the SELECT has two rows with the key {0}")]
    TwiceExpected(String),
}

impl Comparison {
    pub fn new(columns: Vec<Column>, key: &[String]) -> Result<Self, Error> {
        let key = key
            .iter()
            .map(|name| columns.iter().position(|column| column.name == *name).ok_or_else(|| Error::NoKeyColumn(name.clone())))
            .collect::<Result<_, _>>()?;
        Ok(Self { columns, key, expected: HashMap::new(), outcome: Outcome::default() })
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// A row that the store should hold, in the order of the columns.
    pub fn expect(&mut self, row: Vec<Value>) -> Result<(), Error> {
        let key = self.key_of(&row);
        self.outcome.expected_rows += 1;
        match self.expected.insert(key.clone(), row) {
            None => Ok(()),
            Some(_) => Err(Error::TwiceExpected(key)),
        }
    }

    /// A row that the store holds, as JSON by column. Columns that were not expected are not looked at.
    pub fn found(&mut self, row: &serde_json::Map<String, serde_json::Value>) {
        let values =
            self.columns.iter().map(|column| Value::from_json(column.kind, row.get(&column.name).unwrap_or(&serde_json::Value::Null)));
        let values: Vec<Value> = values.collect();
        self.found_row(&values);
    }

    /// A row that the store holds, in the order of the columns.
    pub fn found_row(&mut self, row: &[Value]) {
        self.outcome.found_rows += 1;
        let key = self.key_of(row);
        let Some(expected) = self.expected.remove(&key) else {
            self.outcome.unexpected += 1;
            let found = Some(self.whole(row));
            return self.note(Difference { key, column: None, expected: None, found });
        };
        let mut changed = false;
        for (at, (expected, found)) in expected.iter().zip(row).enumerate() {
            if expected != found {
                changed = true;
                let column = Some(self.columns[at].name.clone());
                self.note(Difference { key: key.clone(), column, expected: Some(cut(expected)), found: Some(cut(found)) });
            }
        }
        self.outcome.changed += u64::from(changed);
    }

    /// After the last row: what was expected and has not been found is missing.
    pub fn finish(mut self) -> Outcome {
        self.outcome.missing = self.expected.len() as u64;
        let mut missing: Vec<(String, Vec<Value>)> = self.expected.drain().collect();
        missing.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, row) in missing.into_iter().take(SHOWN) {
            let expected = Some(self.whole(&row));
            self.note(Difference { key, column: None, expected, found: None });
        }
        self.outcome
    }

    fn note(&mut self, difference: Difference) {
        self.outcome.note(difference);
    }

    fn key_of(&self, row: &[Value]) -> String {
        self.key.iter().map(|at| row[*at].to_string()).collect::<Vec<_>>().join(" / ")
    }

    fn whole(&self, row: &[Value]) -> String {
        let cells = self.columns.iter().zip(row).enumerate().filter(|(at, _)| !self.key.contains(at));
        cut(&cells.map(|(_, (column, value))| format!("{}={value}", column.name)).collect::<Vec<_>>().join(" "))
    }
}

/// A value as it is shown.
pub(super) fn cut(value: &impl ToString) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS { text } else { text.chars().take(SHOWN_CHARS).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stock() -> Comparison {
        let columns = [("sku", Kind::Text), ("available", Kind::Number)];
        let columns = columns.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind }).collect();
        let mut comparison = Comparison::new(columns, &["sku".to_owned()]).expect("the key is there");
        for (sku, available) in [("A", "1"), ("B", "2"), ("C", "3")] {
            let row = vec![Value::from_text(Kind::Text, Some(sku)), Value::from_text(Kind::Number, Some(available))];
            comparison.expect(row).expect("each once");
        }
        comparison
    }

    fn found(comparison: &mut Comparison, row: serde_json::Value) {
        comparison.found(row.as_object().expect("an object"));
    }

    #[test]
    fn equal_stores_are_equal_in_any_order_and_with_more_columns() {
        let mut comparison = stock();
        for row in
            [json!({"sku": "C", "available": 3, "epoch": 9}), json!({"sku": "A", "available": 1}), json!({"sku": "B", "available": "2.0"})]
        {
            found(&mut comparison, row);
        }
        let outcome = comparison.finish();
        assert!(outcome.is_equal(), "{outcome:?}");
        assert_eq!((outcome.expected_rows, outcome.found_rows), (3, 3));
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        let mut comparison = stock();
        for row in [
            json!({"sku": "A", "available": 1}),
            json!({"sku": "B", "available": 5}),
            json!({"sku": "X", "available": 1}),
            json!({"sku": "A", "available": 1}),
        ] {
            found(&mut comparison, row);
        }
        let outcome = comparison.finish();
        assert_eq!((outcome.missing, outcome.unexpected, outcome.changed), (1, 2, 1));
        let difference = |key: &str, column: Option<&str>, expected: Option<&str>, found: Option<&str>| Difference {
            key: key.to_owned(),
            column: column.map(str::to_owned),
            expected: expected.map(str::to_owned),
            found: found.map(str::to_owned),
        };
        assert_eq!(
            outcome.first,
            [
                difference("B", Some("available"), Some("2"), Some("5")),
                difference("X", None, None, Some("available=1")),
                difference("A", None, None, Some("available=1")),
                difference("C", None, Some("available=3"), None),
            ]
        );
    }

    #[test]
    fn a_missing_column_is_a_difference_and_a_missing_key_an_error() {
        let mut comparison = stock();
        found(&mut comparison, json!({"sku": "A"}));
        assert_eq!(comparison.finish().changed, 1);
        assert_eq!(Comparison::new(Vec::new(), &["sku".to_owned()]).err(), Some(Error::NoKeyColumn("sku".to_owned())));
        let row = vec![Value::Text("A".to_owned()), Value::Null];
        assert_eq!(stock().expect(row), Err(Error::TwiceExpected("A".to_owned())));
    }
}
