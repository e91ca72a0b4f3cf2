//! Data never stops a dataflow.

use crate::harness::{Bag, config, integrate, rows};
use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray};
use chimera_sql::{DataflowConfig, Delta, Functions, Program};
use std::sync::Arc;

fn ints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

const TABLE: &str = "CREATE TABLE t (k TEXT, a BIGINT, b BIGINT) WITH (type = 'source');\n";

fn start(sql: &str) -> chimera_sql::Dataflow {
    Program::parse(&(TABLE.to_string() + sql), &Functions::new()).unwrap_or_else(|e| panic!("{e}")).start(config(1, None)).unwrap()
}

fn bag(rows: &[(&[&str], i64)]) -> Bag {
    rows.iter().map(|(row, weight)| (row.iter().map(|text| text.to_string()).collect(), *weight)).collect()
}

#[test]
fn rows_that_divide_by_zero_are_left_out_and_counted() {
    let mut dataflow = start(
        "CREATE TABLE out (k TEXT PRIMARY KEY, n BIGINT) WITH (type = 'sink');
         INSERT INTO out SELECT k, sum(a / b) FROM t GROUP BY k;",
    );
    let n = 1000;
    let keys: Vec<String> = (0..n).map(|i| format!("k{}", i % 2)).collect();
    let batch = rows(vec![
        ("k", Arc::new(StringArray::from(keys))),
        ("a", ints(&vec![10; n])),
        ("b", ints(&(0..n).map(|i| if i % 100 == 7 { 0 } else { 5 }).collect::<Vec<_>>())),
    ]);
    dataflow.push("t", Delta::insert(batch.clone())).unwrap();
    let mut total = Bag::new();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, bag(&[(&["k0", "1000"], 1), (&["k1", "980"], 1)]));
    let errors = dataflow.take_row_errors();
    assert_eq!(errors.iter().map(|error| error.count).sum::<u64>(), 10);
    assert!(errors[0].message.to_lowercase().contains("divide by zero"), "{errors:?}");
    assert_eq!(dataflow.take_row_errors(), vec![]);
    // Deleting the rows takes back what they brought, and no more.
    dataflow.push("t", Delta::delete(batch)).unwrap();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, Bag::new());
    assert_eq!(dataflow.take_row_errors(), vec![]);
    dataflow.stop();
}

#[test]
fn a_row_whose_number_leaves_its_range_is_left_out() {
    let mut dataflow = start(
        "CREATE TABLE out (k TEXT PRIMARY KEY, s BIGINT, d BIGINT, p BIGINT) WITH (type = 'sink');
         INSERT INTO out SELECT k, a + b, a - b, a * b FROM t WHERE k <> 'x' OR a + 1 > 0;",
    );
    let (largest, least) = (i64::MAX, i64::MIN);
    let batch = rows(vec![
        ("k", texts(&["fits", "sum", "difference", "product", "x"])),
        ("a", ints(&[largest - 1, largest, least, 1 << 40, largest])),
        ("b", ints(&[1, 1, 1, 1 << 40, 0])),
    ]);
    dataflow.push("t", Delta::insert(batch.clone())).unwrap();
    let mut total = Bag::new();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    let (sum, difference) = (largest.to_string(), (largest - 2).to_string());
    assert_eq!(total, bag(&[(&["fits", &sum, &difference, &(largest - 1).to_string()], 1)]));
    let errors = dataflow.take_row_errors();
    assert_eq!(errors.iter().map(|error| error.count).sum::<u64>(), 4, "{errors:?}");
    assert!(errors.iter().all(|error| error.message.contains("Overflow")), "{errors:?}");
    dataflow.push("t", Delta::delete(batch)).unwrap();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, Bag::new());
    dataflow.stop();
}

#[test]
fn signs_and_constants_keep_to_their_range_too() {
    let mut dataflow = start(
        "CREATE TABLE out (k TEXT PRIMARY KEY, a BIGINT) WITH (type = 'sink');
         INSERT INTO out SELECT k, -a FROM t;",
    );
    let batch = rows(vec![("k", texts(&["least", "fits"])), ("a", ints(&[i64::MIN, i64::MAX])), ("b", ints(&[0, 0]))]);
    dataflow.push("t", Delta::insert(batch)).unwrap();
    let mut total = Bag::new();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, bag(&[(&["fits", &(-i64::MAX).to_string()], 1)]));
    assert_eq!(dataflow.take_row_errors().len(), 1);
    dataflow.stop();
    let sql =
        "CREATE TABLE out (k TEXT PRIMARY KEY) WITH (type = 'sink'); INSERT INTO out SELECT k FROM t WHERE a > 9223372036854775807 + 1;";
    let error = Program::parse(&(TABLE.to_string() + sql), &Functions::new()).expect_err("no such number").to_string();
    assert!(error.to_lowercase().contains("overflow"), "{error}");
}

#[test]
fn a_group_whose_part_refused_all_of_its_rows_is_not_there() {
    let mut dataflow = start(
        "CREATE TABLE out (k TEXT PRIMARY KEY, n BIGINT, m BIGINT) WITH (type = 'sink');
         INSERT INTO out SELECT k, count(*), max(100 / b) FROM t GROUP BY k;",
    );
    let batch = |keys: &[&str], b: &[i64]| rows(vec![("k", texts(keys)), ("a", ints(&vec![0; keys.len()])), ("b", ints(b))]);
    let mut total = Bag::new();
    dataflow.push("t", Delta::insert(batch(&["x", "y"], &[0, 4]))).unwrap();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, bag(&[(&["y", "1", "25"], 1)]));
    assert_eq!(dataflow.take_row_errors().iter().map(|error| error.count).sum::<u64>(), 1);
    // Rows that go before they came.
    dataflow.push("t", Delta::delete(batch(&["z"], &[5]))).unwrap();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, bag(&[(&["y", "1", "25"], 1)]));
    dataflow.stop();
}

#[test]
fn bad_casts_after_a_join_are_left_out() {
    let mut dataflow = start(
        "CREATE TABLE u (k TEXT, text TEXT) WITH (type = 'source');
         CREATE TABLE out (k TEXT PRIMARY KEY, n INT) WITH (type = 'sink');
         INSERT INTO out SELECT t.k, CAST(u.text AS INT) FROM t JOIN u ON u.k = t.k;",
    );
    let left = rows(vec![("k", texts(&["x", "y", "z"])), ("a", ints(&[1, 2, 3])), ("b", ints(&[0, 0, 0]))]);
    let right = rows(vec![("k", texts(&["x", "y", "z"])), ("text", texts(&["12", "twelve", "7"]))]);
    dataflow.push("t", Delta::insert(left)).unwrap();
    dataflow.push("u", Delta::insert(right)).unwrap();
    let mut total = Bag::new();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, bag(&[(&["x", "12"], 1), (&["z", "7"], 1)]));
    let errors = dataflow.take_row_errors();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.contains("twelve"), "{errors:?}");
    dataflow.stop();
}

#[test]
fn a_sum_out_of_range_is_null_and_comes_back_when_it_fits_again() {
    let mut dataflow = start(
        "CREATE TABLE d (k TEXT, x DECIMAL(38, 0)) WITH (type = 'source');
         CREATE TABLE out (k TEXT PRIMARY KEY, n BIGINT) WITH (type = 'sink');
         CREATE TABLE wide (k TEXT PRIMARY KEY, n DECIMAL(38, 0)) WITH (type = 'sink');
         INSERT INTO out SELECT k, sum(a) FROM t GROUP BY k;
         INSERT INTO wide SELECT k, sum(x) FROM d GROUP BY k;",
    );
    let big = rows(vec![("k", texts(&["x", "x"])), ("a", ints(&[i64::MAX, 5])), ("b", ints(&[0, 0]))]);
    let most = 10i128.pow(38) - 1;
    let decimals = Arc::new(Decimal128Array::from(vec![most, 3]).with_precision_and_scale(38, 0).unwrap());
    let wide = rows(vec![("k", texts(&["x", "x"])), ("x", decimals)]);
    let (mut sums, mut wides) = (Bag::new(), Bag::new());
    dataflow.push("t", Delta::insert(big.clone())).unwrap();
    dataflow.push("d", Delta::insert(wide.clone())).unwrap();
    let outputs = dataflow.step().unwrap();
    integrate(&outputs, "out", &mut sums);
    integrate(&outputs, "wide", &mut wides);
    assert_eq!(sums, bag(&[(&["x", "null"], 1)]));
    assert_eq!(wides, bag(&[(&["x", "null"], 1)]));
    let errors = dataflow.take_row_errors();
    assert!(errors.iter().any(|error| error.message.contains("BIGINT")), "{errors:?}");
    assert!(errors.iter().any(|error| error.message.contains("DECIMAL")), "{errors:?}");
    dataflow.push("t", Delta::delete(big.slice(1, 1))).unwrap();
    dataflow.push("d", Delta::delete(wide.slice(0, 1))).unwrap();
    let outputs = dataflow.step().unwrap();
    integrate(&outputs, "out", &mut sums);
    integrate(&outputs, "wide", &mut wides);
    assert_eq!(sums, bag(&[(&["x", &i64::MAX.to_string()], 1)]));
    assert_eq!(wides, bag(&[(&["x", "3"], 1)]));
    dataflow.stop();
}

#[test]
fn rows_without_a_key_do_not_reach_a_sink() {
    let mut dataflow = start(
        "CREATE TABLE out (k TEXT PRIMARY KEY, a BIGINT) WITH (type = 'sink');
         INSERT INTO out SELECT k, a FROM t;",
    );
    let keys: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("z")]));
    dataflow.push("t", Delta::insert(rows(vec![("k", keys), ("a", ints(&[1, 2, 3])), ("b", ints(&[0, 0, 0]))]))).unwrap();
    let mut total = Bag::new();
    integrate(&dataflow.step().unwrap(), "out", &mut total);
    assert_eq!(total, bag(&[(&["x", "1"], 1), (&["z", "3"], 1)]));
    assert_eq!(
        dataflow.take_row_errors().iter().map(|e| e.message.clone()).collect::<Vec<_>>(),
        ["column `k` of sink `out` must not be null"]
    );
    dataflow.stop();
}

#[test]
fn a_function_that_panics_refuses_its_row() {
    let mut functions = Functions::new();
    let picky = |args: &[ArrayRef]| {
        let values = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&args[0]);
        assert!(values.values().iter().all(|value| *value != 13), "thirteen is not counted");
        Ok(args[0].clone())
    };
    functions.register("picky", vec![arrow::datatypes::DataType::Int64], arrow::datatypes::DataType::Int64, Arc::new(picky));
    let sql = "CREATE TABLE out (k TEXT PRIMARY KEY, a BIGINT) WITH (type = 'sink'); INSERT INTO out SELECT k, picky(a) FROM t;";
    let program = Program::parse(&(TABLE.to_string() + sql), &functions).unwrap();
    let mut dataflow = program.start(DataflowConfig { workers: 2, ..Default::default() }).unwrap();
    for epoch in 0..2 {
        let batch = rows(vec![("k", texts(&["x", "y"])), ("a", ints(&[13, epoch])), ("b", ints(&[0, 0]))]);
        dataflow.push("t", Delta::insert(batch)).unwrap();
        let outputs = dataflow.step().unwrap();
        assert_eq!(outputs[0].changes.len(), 1);
        assert_eq!(dataflow.take_row_errors(), [chimera_sql::RowError { message: "thirteen is not counted".into(), count: 1 }]);
    }
    dataflow.stop();
}

#[test]
fn wrong_input_is_an_error_that_says_what_is_wrong() {
    let mut dataflow = start("CREATE TABLE out (k TEXT PRIMARY KEY, a BIGINT) WITH (type = 'sink'); INSERT INTO out SELECT k, a FROM t;");
    let refused = |dataflow: &mut chimera_sql::Dataflow, batch| dataflow.push("t", Delta::insert(batch)).unwrap_err().to_string();
    let error = refused(&mut dataflow, rows(vec![("k", texts(&["x"])), ("b", ints(&[1]))]));
    assert_eq!(error, "input for `t` lacks column `a`; the batch has k, b");
    let error = refused(&mut dataflow, rows(vec![("k", texts(&["x"])), ("a", texts(&["1"])), ("b", ints(&[1]))]));
    assert_eq!(error, "input for `t` has column `a` of type Utf8, but it is declared Int64");
    let batch = rows(vec![("k", texts(&["x"])), ("a", ints(&[1])), ("b", ints(&[1]))]);
    let error = dataflow.push("t", Delta { batch, weights: Some(vec![1, 1]) }).unwrap_err().to_string();
    assert_eq!(error, "input for `t` has 2 weights for 1 rows");
    dataflow.stop();
}
