//! A checkpoint that an earlier release wrote opens in this one, and goes on to the same results.
//!
//! `fixtures/checkpoint` holds it: the state of `PROGRAM` after the first half of the changes. When the form of state has to change, the
//! fingerprint must too, so that pipelines are built anew instead of read wrongly: then `CHECKPOINT_WRITE=1` writes the fixture of the new form.

use crate::harness::{Bag, config, integrate};
use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use chimera_sql::{DataflowConfig, Delta, Functions, Program};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

const PROGRAM: &str = "
    CREATE TABLE orders (id INT PRIMARY KEY, country TEXT) WITH (type = 'source', format = 'debezium_json');
    CREATE TABLE items (order_id INT, sku TEXT, quantity INT) WITH (type = 'source', format = 'debezium_json');
    CREATE TABLE clicks (sku TEXT, n INT) WITH (type = 'source', format = 'json');
    CREATE TABLE totals (country TEXT PRIMARY KEY, units BIGINT, skus BIGINT, most INT, names TEXT) WITH (type = 'sink');
    CREATE TABLE top (country TEXT, sku TEXT, units BIGINT, place BIGINT, PRIMARY KEY (country, sku)) WITH (type = 'sink');
    CREATE TABLE unsold (sku TEXT PRIMARY KEY, clicks BIGINT, last INT) WITH (type = 'sink');
    CREATE VIEW lines AS SELECT o.country, i.sku, i.quantity FROM items i JOIN orders o ON o.id = i.order_id;
    INSERT INTO totals SELECT country, sum(quantity), count(DISTINCT sku), max(quantity), string_agg(sku, ',' ORDER BY sku) FROM lines GROUP BY country;
    INSERT INTO top SELECT country, sku, units, place FROM (
        SELECT *, row_number() OVER (PARTITION BY country ORDER BY units DESC, sku) AS place
        FROM (SELECT country, sku, sum(quantity) AS units FROM lines GROUP BY country, sku) AS s) AS n WHERE place <= 2;
    INSERT INTO unsold SELECT sku, count(*), max(n) FROM clicks WHERE sku NOT IN (SELECT sku FROM items) GROUP BY sku;";
const SINKS: [&str; 3] = ["totals", "top", "unsold"];
const ROWS: i32 = 400;

fn folder() -> PathBuf {
    PathBuf::from("tests/fixtures/checkpoint")
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect::<Vec<_>>();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, column)| column).collect()).unwrap()
}

/// Half `half` of the changes: rows of its numbers come, and in the second one some of the first go.
fn changes(half: i32) -> Vec<(&'static str, Delta)> {
    let numbers = || (0..ROWS).filter(move |n| n % 2 == half);
    let ints = |of: fn(i32) -> i32| -> ArrayRef { Arc::new(Int32Array::from_iter_values(numbers().map(of))) };
    let texts = |of: fn(i32) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(numbers().map(of))) };
    let orders = batch(vec![("id", ints(|n| n)), ("country", texts(|n| format!("country {}", n % 7)))]);
    // Lines of both halves' orders: some find theirs only later.
    let items = batch(vec![
        ("order_id", ints(|n| (n * 13) % ROWS)),
        ("sku", texts(|n| format!("sku {}", n * n % 31))),
        ("quantity", ints(|n| n % 9 - 2)),
    ]);
    let clicks = batch(vec![("sku", texts(|n| format!("sku {}", n % 40))), ("n", ints(|n| n))]);
    let mut changes = vec![("orders", Delta::insert(orders)), ("items", Delta::insert(items.clone())), ("clicks", Delta::insert(clicks))];
    if half == 1 {
        let gone = (0..ROWS).filter(|n| n % 2 == 0 && n % 5 == 0);
        let (ids, countries): (Vec<_>, Vec<_>) = gone.map(|n| (n, format!("country {}", n % 7))).unzip();
        let columns: Vec<(&str, ArrayRef)> =
            vec![("id", Arc::new(Int32Array::from(ids))), ("country", Arc::new(StringArray::from(countries)))];
        changes.push(("orders", Delta::delete(batch(columns))));
    }
    changes
}

fn program() -> Program {
    Program::parse(PROGRAM, &Functions::new()).unwrap_or_else(|e| panic!("{e}"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// Pushes a half and adds up what comes.
fn run(dataflow: &mut chimera_sql::Dataflow, half: i32, bags: &mut [Bag; 3]) {
    changes(half).into_iter().for_each(|(table, delta)| dataflow.push(table, delta).unwrap());
    let outputs = dataflow.step().unwrap();
    SINKS.iter().zip(bags).for_each(|(sink, bag)| integrate(&outputs, sink, bag));
}

#[test]
fn a_checkpoint_of_an_earlier_release_opens() {
    let program = program();
    let made = folder().join("made");
    if std::env::var_os("CHECKPOINT_WRITE").is_some() {
        drop(std::fs::remove_dir_all(folder()));
        let mut dataflow = program.start(config(1, Some(&folder().join("state")))).unwrap();
        run(&mut dataflow, 0, &mut Default::default());
        let checkpoint = dataflow.checkpoint().unwrap();
        dataflow.stop();
        std::fs::write(&made, format!("{checkpoint}\n{:016x}\n", program.fingerprint(1, 1))).unwrap();
    }
    let text = std::fs::read_to_string(&made).unwrap();
    let (checkpoint, fingerprint) = text.trim().split_once('\n').unwrap();
    assert_eq!(
        format!("{:016x}", program.fingerprint(1, 1)),
        fingerprint,
        "the form of state has changed with the fingerprint: pipelines are built anew; write the new fixture with CHECKPOINT_WRITE=1"
    );
    // The whole way without a stop.
    let mut whole = program.start(config(1, None)).unwrap();
    let mut expected: [Bag; 3] = Default::default();
    run(&mut whole, 0, &mut expected);
    let mut found = expected.clone();
    run(&mut whole, 1, &mut expected);
    whole.stop();
    assert!(expected.iter().all(|bag| bag.len() > 2), "{expected:?}");

    let state = tempfile::tempdir().unwrap();
    copy(&folder().join("state"), state.path());
    let from = DataflowConfig { checkpoint: Some(Uuid::parse_str(checkpoint).unwrap()), ..config(1, Some(state.path())) };
    let mut dataflow = program.start(from).unwrap();
    run(&mut dataflow, 1, &mut found);
    dataflow.stop();
    assert_eq!(found, expected);
}
