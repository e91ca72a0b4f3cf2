//! Built-in functions, by value.

use crate::harness::{config, rows, texts};
use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int16Array, Int32Array, Int64Array, StringArray};
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
fn rust_functions_are_called_by_name() {
    let found = |expression: &str| value(expression, "  Möbel & Mehr! ").unwrap();
    assert_eq!(found("slug(text)"), "möbel-mehr");
    assert_eq!(found("coalesce(slug(none), 'none')"), "none");
    assert_eq!(found("gtin14('4006381-333931')"), "04006381333931");
    assert_eq!(found("gtin14('036000291452')"), "00036000291452");
    assert_eq!(found("coalesce(gtin14('4006381333932'), 'none')"), "none");
    assert_eq!(found("coalesce(gtin14('४००६३८१३३३९३१'), 'none')"), "none");
    // Berlin and Munich, by the spherical law of cosines.
    assert_eq!(found("CAST(round(haversine_km(52.52, 13.405, 48.1351, 11.582), 3) AS TEXT)"), "504.416");
}

mod weight {
    use arroyo_udf_plugin::udf;

    #[udf]
    fn weight(pieces: i32, grams: Option<i64>) -> i64 {
        assert!(pieces >= 0, "pieces are counted from nought");
        i64::from(pieces) * grams.unwrap_or(100)
    }
}

mod known {
    use arroyo_udf_plugin::udf;

    #[udf]
    fn known(first: Vec<Option<i64>>, second: Vec<i64>) -> String {
        format!("{} of {}", second.len(), first.len())
    }
}

#[test]
fn a_rust_function_takes_nulls_if_it_says_so_and_fails_for_its_row_alone() {
    let mut functions = Functions::new();
    weight::register(&mut functions);
    known::register(&mut functions);
    let sql = "CREATE TABLE t (id INT, pieces INT, grams SMALLINT);
        CREATE TABLE weights (id INT PRIMARY KEY, v BIGINT) WITH (type = 'sink');
        CREATE TABLE counts (one INT PRIMARY KEY, v TEXT, g DOUBLE) WITH (type = 'sink');
        INSERT INTO weights SELECT id, weight(pieces, grams) FROM t;
        INSERT INTO counts SELECT 1, known(grams, grams), gini(abs(pieces)) FROM t;";
    let mut dataflow = Program::parse(sql, &functions).unwrap_or_else(|e| panic!("{e}")).start(config(1, None)).unwrap();
    let batch = |rows_of: &[(i32, Option<i32>, Option<i16>)]| {
        rows(vec![
            ("id", Arc::new(rows_of.iter().map(|row| Some(row.0)).collect::<Int32Array>()) as ArrayRef),
            ("pieces", Arc::new(rows_of.iter().map(|row| row.1).collect::<Int32Array>())),
            ("grams", Arc::new(rows_of.iter().map(|row| row.2).collect::<Int16Array>())),
        ])
    };
    let all =
        [(1, Some(3), Some(7)), (2, Some(1), None), (3, None, Some(1)), (4, Some(-4), Some(1)), (5, Some(1), Some(1)), (6, Some(5), None)];
    dataflow.push("t", Delta::insert(batch(&all))).unwrap();
    let of = |sink: &str, dataflow: &mut chimera_sql::Dataflow| {
        let outputs = dataflow.step().unwrap();
        let output = outputs.into_iter().find(|output| output.table == sink).unwrap();
        let mut found = texts(output.changes.batch.columns());
        found.sort();
        found
    };
    let weights = of("weights", &mut dataflow);
    assert_eq!(weights, [["1", "21"], ["2", "100"], ["3", "null"], ["5", "1"], ["6", "500"]]);
    let errors = dataflow.take_row_errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].message.contains("weight: it panicked: pieces are counted from nought"), "{errors:?}");
    // By the definition: the sum of all differences over twice the squared number of rows times the mean.
    dataflow.push("t", Delta::delete(batch(&[(3, None, Some(1))]))).unwrap();
    let counts = of("counts", &mut dataflow);
    assert!(counts.iter().any(|row| row[1] == "3 of 5"), "{counts:?}");
    let gini: f64 = counts[0][2].parse().unwrap();
    assert!((gini - 11.0 / 35.0).abs() < 1e-9, "{gini}");
    dataflow.stop();
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
