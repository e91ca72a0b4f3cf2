//! Built-in functions, by value.

use crate::harness::{config, rows, texts};
use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray};
use chimera_sql::{Delta, Functions, Program};
use std::sync::Arc;

/// `expression` over a row of each kind of column.
fn value(expression: &str, text: &str) -> Result<String, Vec<String>> {
    let sql = format!(
        "CREATE TABLE t (text TEXT, n BIGINT, f DOUBLE, b BOOLEAN, d DECIMAL(10, 3), none TEXT);
         CREATE TABLE out (k INT PRIMARY KEY, v TEXT) WITH (type = 'sink');
         INSERT INTO out SELECT 1, {expression} FROM t;"
    );
    let program = Program::parse(&sql, &Functions::new()).unwrap_or_else(|e| panic!("{e}"));
    let mut dataflow = program.start(config(1, None)).unwrap();
    let none: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    let decimal = Arc::new(Decimal128Array::from(vec![12_340]).with_precision_and_scale(10, 3).unwrap());
    let batch = rows(vec![
        ("text", Arc::new(StringArray::from(vec![text]))),
        ("n", Arc::new(Int64Array::from(vec![42]))),
        ("f", Arc::new(Float64Array::from(vec![1.5]))),
        ("b", Arc::new(BooleanArray::from(vec![true]))),
        ("d", decimal),
        ("none", none),
    ]);
    dataflow.push("t", Delta::insert(batch)).unwrap();
    let outputs = dataflow.step().unwrap();
    let errors = dataflow.take_row_errors();
    dataflow.stop();
    match outputs.first() {
        Some(output) => Ok(texts(output.changes.batch.columns())[0][1].clone()),
        None => Err(errors.into_iter().map(|error| error.message).collect()),
    }
}

#[test]
fn json_is_taken_apart() {
    let json = r#"{"op":"u","source":{"ts_ms":1577836800000},"after":{"a":[1,{"b":"x \"y\""}],"n":null},"e":true}"#;
    let found = |expression: &str| value(expression, json).unwrap();
    assert_eq!(found("extract_json_string(text, '$.op')"), "u");
    assert_eq!(found("extract_json_string(text, '$.source.ts_ms')"), "1577836800000");
    assert_eq!(found("CAST(CAST(extract_json_string(text, '$.source.ts_ms') AS BIGINT) + 1 AS TEXT)"), "1577836800001");
    assert_eq!(found("extract_json_string(text, '$.after.a[1].b')"), "x \"y\"");
    assert_eq!(found("extract_json_string(text, '$.e')"), "true");
    assert_eq!(found("extract_json_string(text, '$.after.n')"), "null");
    assert_eq!(found("coalesce(extract_json_string(text, '$.after.n'), 'SQL null')"), "SQL null");
    assert_eq!(found("coalesce(extract_json_string(text, '$.nowhere.at.all'), 'SQL null')"), "SQL null");
    assert_eq!(found("coalesce(extract_json_string(text, '$.after'), 'SQL null')"), "SQL null");
    assert_eq!(found("extract_json(text, '$.after.a')"), r#"[1,{"b":"x \"y\""}]"#);
    assert_eq!(found("coalesce(extract_json(text, '$.after.n'), 'SQL null')"), "SQL null");
    assert_eq!(found("coalesce(extract_json_string(none, '$.a'), 'SQL null')"), "SQL null");
}

#[test]
fn a_text_that_is_not_json_refuses_its_row() {
    let errors = value("extract_json_string(text, '$.a')", "{not json").unwrap_err();
    assert!(errors[0].starts_with("extract_json_string: the text is not JSON"), "{errors:?}");
    let errors = value("extract_json_string(text, '$.a[')", "{}").unwrap_err();
    assert!(errors[0].contains("is not a JSON path"), "{errors:?}");
}

#[test]
fn json_objects_are_put_together() {
    let made = |expression: &str| value(expression, r#"{"colour":"red \"wine\""}"#).unwrap();
    assert_eq!(
        made("json_object('z', n, 'a', f, 'b', b, 'd', d, 'none', none, 'constant', 7)"),
        r#"{"z":42,"a":1.5,"b":true,"d":"12.340","none":null,"constant":7}"#
    );
    assert_eq!(made("json_object('text', text)"), r#"{"text":"{\"colour\":\"red \\\"wine\\\"\"}"}"#);
    assert_eq!(made("json_object('inside', json(text))"), r#"{"inside":{"colour":"red \"wine\""}}"#);
    assert_eq!(made("json_object('o', json_object('n', n))"), r#"{"o":{"n":42}}"#);
    let errors = value("json_object('inside', json(text))", "red").unwrap_err();
    assert!(errors[0].contains("the text is not JSON"), "{errors:?}");
}

#[test]
fn times_are_written_by_patterns_of_either_kind() {
    let written = |pattern: &str| value(&format!("to_char(CAST(text AS TIMESTAMP), '{pattern}')"), "2024-02-05T18:07:09.120").unwrap();
    assert_eq!(written("YYYY-MM-DD HH24:MI:SS.MS"), "2024-02-05 18:07:09.120");
    assert_eq!(written("FMDD FMMonth, HH12 AM, \"week\" IW"), "5 February, 06 PM, week 06");
    assert_eq!(written("%d.%m.%y"), "05.02.24");
    assert_eq!(value("to_char(CAST(text AS DATE), none)", "2024-02-05").unwrap(), "null");
    let sql = "CREATE TABLE t (at TIMESTAMP); CREATE TABLE out (v TEXT PRIMARY KEY) WITH (type = 'sink');
               INSERT INTO out SELECT to_char(at, 'Month YYYY') FROM t;";
    let error = Program::parse(sql, &Functions::new()).expect_err("an error").to_string();
    assert!(error.contains("FMMonth") && error.contains("line 2"), "{error}");
}

#[test]
fn a_registered_function_is_called_and_replaces_one_of_its_name() {
    let mut functions = Functions::new();
    let text = arrow::datatypes::DataType::Utf8;
    for suffix in ["a", "b"] {
        let body = move |args: &[ArrayRef]| {
            let values = arrow::array::AsArray::as_string::<i32>(&args[0]);
            Ok(Arc::new(values.iter().map(|v| v.map(|v| format!("{v}{suffix}"))).collect::<StringArray>()) as ArrayRef)
        };
        functions.register("suffixed", vec![text.clone()], text.clone(), Arc::new(body));
    }
    let sql = "CREATE TABLE t (text TEXT); CREATE TABLE out (v TEXT PRIMARY KEY, c TEXT) WITH (type = 'sink');
               INSERT INTO out SELECT suffixed(text), suffixed('constant') FROM t;";
    let mut dataflow = Program::parse(sql, &functions).unwrap().start(config(1, None)).unwrap();
    dataflow.push("t", Delta::insert(rows(vec![("text", Arc::new(StringArray::from(vec!["x", "y"])))]))).unwrap();
    let outputs = dataflow.step().unwrap();
    assert_eq!(texts(outputs[0].changes.batch.columns()), [["xb", "constantb"], ["yb", "constantb"]]);
    dataflow.stop();
}

#[test]
fn no_value_is_larger_than_its_bound() {
    for large in [
        "length(lpad(text, n * 1000000000))",
        "length(rpad(text, n * 1000000000))",
        "length(repeat(text, n * 1000000000))",
        "array_length(generate_series(1, n * 1000000000))",
        "array_length(range(0, n * 1000000000))",
        "array_length(array_repeat(text, n * 1000000000))",
        "array_length(array_resize(make_array(1), n * 1000000000, 0))",
        "array_length(array_repeat(repeat(text, 1000000), n * 1000000))",
        "length(replace(repeat(text, 5000000), 'a', repeat('b', 16000000)))",
    ] {
        let errors = value(&format!("CAST({large} AS TEXT)"), "abc").expect_err(large);
        assert!(errors[0].contains("would be too large"), "{large}: {errors:?}");
    }
    assert_eq!(value("lpad(text, 5, '*')", "abc").unwrap(), "**abc");
    assert_eq!(value("repeat(text, 2)", "abc").unwrap(), "abcabc");
    assert_eq!(value("CAST(array_length(generate_series(1, n)) AS TEXT)", "").unwrap(), "42");
    assert_eq!(value("CAST(array_length(list_repeat(text, 3)) AS TEXT)", "").unwrap(), "3");
}
