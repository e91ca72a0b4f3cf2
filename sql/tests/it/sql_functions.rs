//! Functions that a program declares, and aggregates that are registered.

use crate::harness::{Bag, config, integrate, rows, texts};
use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use chimera_sql::{Delta, Error, Functions, Program};
use std::sync::Arc;

/// A program with these declarations, and a sink of `query` over t(a, b, s).
fn parse(functions: &str, query: &str) -> Result<Program, Error> {
    let sql = format!(
        "CREATE TABLE t (a BIGINT, b BIGINT, s TEXT);\n{functions}\n\
         CREATE TABLE out (k TEXT PRIMARY KEY, v TEXT) WITH (type = 'sink');\nINSERT INTO out {query};"
    );
    Program::parse(&sql, &Functions::new())
}

fn values(functions: &str, expression: &str) -> Vec<String> {
    let query = format!("SELECT s, CAST({expression} AS TEXT) FROM t");
    let program = parse(functions, &query).unwrap_or_else(|e| panic!("{e}"));
    let mut dataflow = program.start(config(1, None)).unwrap();
    let ints = |values: [Option<i64>; 2]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let batch =
        rows(vec![("a", ints([Some(3), None])), ("b", ints([Some(4), Some(5)])), ("s", Arc::new(StringArray::from(vec!["x", "y"])))]);
    dataflow.push("t", Delta::insert(batch)).unwrap();
    let outputs = dataflow.step().unwrap();
    dataflow.stop();
    texts(outputs[0].changes.batch.columns()).into_iter().map(|row| row[1].clone()).collect()
}

#[test]
fn a_call_is_its_body() {
    let add = "CREATE FUNCTION add(a INT, b INT) RETURNS INT LANGUAGE SQL AS 'a + b';";
    assert_eq!(values(add, "add(a, b)"), ["7", "null"]);
    // The names of the arguments are not those of the columns.
    assert_eq!(values(add, "add(b, add(b, a)) * 2"), ["22", "null"]);
    assert_eq!(values("CREATE FUNCTION add(a INT, b INT) RETURNS INT RETURN a - b;", "add(b, a)"), ["1", "null"]);
    let of_others =
        format!("{add} CREATE FUNCTION thrice(n BIGINT) RETURNS BIGINT AS $$ SELECT add(n, add(n, n)) $$ LANGUAGE SQL IMMUTABLE;");
    assert_eq!(values(&of_others, "thrice(b)"), ["12", "15"]);
    let typed = "CREATE FUNCTION half(n DOUBLE PRECISION) RETURNS TEXT LANGUAGE SQL RETURN n / 2;";
    assert_eq!(values(typed, "half(a)"), ["1.5", "null"]);
    let label = "CREATE FUNCTION label(s TEXT, n INT) RETURNS TEXT AS 'CASE WHEN n IS NULL THEN ''none of '' || s ELSE s END';";
    assert_eq!(values(label, "label(s, a)"), ["x", "none of y"]);
}

fn refused(functions: &str, expression: &str) -> (u64, u64, String) {
    let error = parse(functions, &format!("SELECT s, CAST({expression} AS TEXT) FROM t")).map(drop).unwrap_err();
    (error.line, error.column, error.to_string())
}

#[test]
fn what_is_wrong_with_a_function_has_a_place() {
    let error = |functions: &str, expression: &str, line: u64, column: u64, message: &str| {
        let (found_line, found_column, text) = refused(functions, expression);
        assert!(text.contains(message), "{text}");
        assert_eq!((found_line, found_column), (line, column), "{text}");
    };
    error("CREATE FUNCTION f(a INT) RETURNS INT AS 'a + c';", "f(a)", 2, 46, "has no argument `c`");
    error("CREATE FUNCTION f(a INT) RETURNS INT AS\n'a +\n  c';", "f(a)", 4, 3, "has no argument `c`");
    error("CREATE FUNCTION f(a INT) RETURNS INT RETURN a + c;", "f(a)", 2, 49, "has no argument `c`");
    let deep = format!("{}a{}", "f(".repeat(14), ")".repeat(14));
    let text = refused("CREATE FUNCTION f(a INT) RETURNS INT AS 'a + a';", &deep).2;
    assert!(text.contains("more than 10000 parts"), "{text}");
    error("CREATE FUNCTION f(a INT) RETURNS INT AS 'a +';", "f(a)", 2, 42, "the function's body: Expected");
    error("CREATE FUNCTION f(a INT) RETURNS INT AS 'SELECT a FROM t';", "f(a)", 2, 42, "a function is one expression");
    error("CREATE FUNCTION f(a INT) RETURNS INT LANGUAGE plv8 AS 'a';", "f(a)", 2, 38, "functions in `plv8` are not supported");
    error("CREATE FUNCTION f(a INT, a INT) RETURNS INT AS 'a';", "f(a)", 2, 26, "declared twice");
    error("CREATE FUNCTION length(a TEXT) RETURNS INT AS '1';", "length(s)", 2, 17, "there is a function `length` already");
    error("CREATE FUNCTION f(a INT) RETURNS INT RETURN (SELECT max(b) FROM t);", "f(a)", 2, 46, "has a query in it");
    error("CREATE FUNCTION f(a INT) RETURNS INT RETURN a;", "f(a, b)", 4, 32, "takes 1 arguments, found 2");
    error("CREATE FUNCTION f(a INT) RETURNS INT RETURN f(a);", "f(a)", 2, 45, "Invalid function `f`");
}

#[test]
fn the_last_value_is_kept_when_rows_go() {
    let query = "SELECT s, CAST(max_by(a, b) AS TEXT) || '/' || CAST(min_by(a, b) AS TEXT) FROM t GROUP BY s";
    let mut dataflow = parse("", query).unwrap_or_else(|e| panic!("{e}")).start(config(2, None)).unwrap();
    let row = |a: Option<i64>, b: Option<i64>| {
        let int = |value| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        rows(vec![("a", int(a)), ("b", int(b)), ("s", Arc::new(StringArray::from(vec!["x"])))])
    };
    let mut bag = Bag::new();
    let mut then = |delta: Delta, expected: &str| {
        dataflow.push("t", delta).unwrap();
        integrate(&dataflow.step().unwrap(), "out", &mut bag);
        assert_eq!(bag, Bag::from([(vec!["x".to_string(), expected.to_string()], 1)]));
    };
    then(Delta::insert(row(Some(10), Some(1))), "10/10");
    then(Delta::insert(row(Some(30), Some(3))), "30/10");
    then(Delta::insert(row(Some(99), None)), "30/10");
    then(Delta::insert(row(Some(20), Some(3))), "20/10");
    then(Delta::delete(row(Some(20), Some(3))), "30/10");
    then(Delta::delete(row(Some(10), Some(1))), "30/30");
}

#[test]
fn a_registered_aggregate_sees_the_rows_that_are_there() {
    let mut functions = Functions::new();
    let range = |columns: &[ArrayRef]| {
        let values = columns[0].as_primitive::<Int64Type>();
        let (low, high) = (arrow::compute::min(values), arrow::compute::max(values));
        Ok(Arc::new(Int64Array::from(vec![low.zip(high).map(|(low, high)| high - low)])) as ArrayRef)
    };
    functions.register_aggregate("range_of", vec![DataType::Int64], DataType::Int64, Arc::new(range));
    let sql = "CREATE TABLE t (s TEXT, a BIGINT); CREATE TABLE out (k TEXT PRIMARY KEY, v BIGINT) WITH (type = 'sink');
               INSERT INTO out SELECT s, range_of(a) FROM t GROUP BY s;";
    let mut dataflow = Program::parse(sql, &functions).unwrap_or_else(|e| panic!("{e}")).start(config(1, None)).unwrap();
    let row = |a: i64| rows(vec![("s", Arc::new(StringArray::from(vec!["x"]))), ("a", Arc::new(Int64Array::from(vec![a])))]);
    let mut bag = Bag::new();
    for (delta, expected) in
        [(Delta::insert(row(4)), "0"), (Delta::insert(row(-1)), "5"), (Delta::insert(row(9)), "10"), (Delta::delete(row(-1)), "5")]
    {
        dataflow.push("t", delta).unwrap();
        integrate(&dataflow.step().unwrap(), "out", &mut bag);
        assert_eq!(bag, Bag::from([(vec!["x".to_string(), expected.to_string()], 1)]));
    }
    dataflow.stop();
}
