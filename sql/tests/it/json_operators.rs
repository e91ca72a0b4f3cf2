//! `->` and `->>`, against PostgreSQL.

use crate::harness::{config, rows, texts};
use arrow::array::StringArray;
use chimera_local::TestPostgres;
use chimera_sql::{Delta, Functions, Program};
use std::sync::Arc;

const TEXTS: [&str; 9] = [
    r#"{"a": {"b": [1, {"c": "x y"}, null]}, "n": 1.50}"#,
    r#"{"a": "text \"quoted\" \u00e9", "b": null, "0": "zero"}"#,
    r#"[10, "ten", [1, 2], {"a": true}]"#,
    r#"{"a": [], "b": {}}"#,
    r#""a""#,
    "17",
    "null",
    r#"{"a": {"b": "b"}}"#,
    r#"{"b": {"a":  [ 1 ,2 ]}}"#,
];

const EXPRESSIONS: [&str; 10] = [
    "j -> 'a'",
    "j ->> 'a'",
    "j -> 'a' -> 'b'",
    "j -> 'a' -> 'b' ->> 1",
    "j -> 'a' -> 'b' -> 1 ->> 'c'",
    "j -> 0",
    "j ->> 3",
    "j ->> 'b'",
    "coalesce(j ->> 'b', 'none')",
    "(j ->> 'n') || '!'",
];

#[test]
fn operators_find_what_postgresql_finds() {
    let postgres = match TestPostgres::start() {
        Ok(postgres) => postgres,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let columns: String = (0..EXPRESSIONS.len()).map(|i| format!(", c{i} TEXT")).collect();
    let list = EXPRESSIONS.join(", ");
    let sql = format!(
        "CREATE TABLE t (id TEXT, j JSON);
         CREATE TABLE out (id TEXT PRIMARY KEY{columns}) WITH (type = 'sink');
         INSERT INTO out SELECT id, {list} FROM t;"
    );
    let mut dataflow = Program::parse(&sql, &Functions::new()).unwrap_or_else(|e| panic!("{e}")).start(config(1, None)).unwrap();
    let ids: Vec<String> = (0..TEXTS.len()).map(|id| id.to_string()).collect();
    let batch = rows(vec![("id", Arc::new(StringArray::from(ids))), ("j", Arc::new(StringArray::from(TEXTS.to_vec())))]);
    dataflow.push("t", Delta::insert(batch)).unwrap();
    let outputs = dataflow.step().unwrap();
    assert_eq!(dataflow.take_row_errors(), vec![]);
    let found = texts(outputs[0].changes.batch.columns());
    for (id, text) in TEXTS.iter().enumerate() {
        for (index, expression) in EXPRESSIONS.iter().enumerate() {
            let sql = format!("SELECT coalesce(CAST({expression} AS TEXT), 'null') FROM (SELECT '{text}'::json AS j) AS t");
            let expected = postgres.query("postgres", &sql).unwrap();
            let row = found.iter().find(|row| row[0] == id.to_string()).unwrap();
            assert_eq!(row[index + 1], expected.trim_end_matches('\n'), "{expression} of {text}");
        }
    }
}
