//! State larger than memory: groups, different values and first rows go to disk and come back, and nothing comes out differently.

use crate::harness::{config, little_memory, rows};
use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use chimera_sql::{Budget, Dataflow, DataflowConfig, Delta, Functions, Memory, Output, Program};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

const SQL: &str = "
CREATE TABLE visits (product BIGINT, visitor BIGINT, price BIGINT, page TEXT) WITH (connector = 'kafka', type = 'source');
CREATE TABLE out (product BIGINT PRIMARY KEY, visits BIGINT, visitors BIGINT, prices BIGINT, page TEXT) WITH (type = 'sink');
INSERT INTO out SELECT product, count(*), count(DISTINCT visitor), sum(price), min(page) FROM visits GROUP BY product;
";
const PRODUCTS: i64 = 10_000;
const ROUNDS: i64 = 5;
/// About an eighth of what the groups and visitors take.
const TABLE_BYTES: usize = 512 << 10;

/// Visits of the products `from` to `to` in a round: three visitors come by turns, and the price tells the visit.
fn visits(round: i64, from: i64, to: i64) -> Delta {
    let products: Vec<i64> = (from..to).map(|n| n * 7_919 % PRODUCTS).collect();
    let numbers = |f: &dyn Fn(i64) -> i64| Arc::new(Int64Array::from_iter_values(products.iter().map(|product| f(*product)))) as ArrayRef;
    let pages =
        StringArray::from_iter_values(products.iter().map(|product| format!("the page of product {product}, read in round {round}")));
    Delta::insert(rows(vec![
        ("product", numbers(&|product| product)),
        ("visitor", numbers(&|product| (product + round) % 3)),
        ("price", numbers(&|product| product * ROUNDS + round)),
        ("page", Arc::new(pages)),
    ]))
}

/// What is there of each product, of the rounds in which it was visited.
fn expected(rounds: std::ops::Range<i64>) -> BTreeMap<i64, (i64, i64, i64, String)> {
    let (visits, first) = (rounds.end - rounds.start, rounds.start);
    let of = |product: i64| {
        let prices = rounds.clone().map(|round| product * ROUNDS + round).sum();
        (visits, visits.min(3), prices, format!("the page of product {product}, read in round {first}"))
    };
    (0..PRODUCTS).filter(|_| visits > 0).map(|product| (product, of(product))).collect()
}

fn integrate(outputs: &[Output], found: &mut BTreeMap<i64, (i64, i64, i64, String)>) {
    for output in outputs {
        let number = |column: usize, row: usize| output.changes.batch.column(column).as_primitive::<Int64Type>().value(row);
        for row in 0..output.changes.len() {
            let page = output.changes.batch.column(4).as_string::<i32>().value(row).to_string();
            let (key, value) = (number(0, row), (number(1, row), number(2, row), number(3, row), page));
            match output.changes.weight(row) {
                1 => assert_eq!(found.insert(key, value), None, "product {key} is there already"),
                -1 => assert_eq!(found.remove(&key), Some(value), "product {key} was another"),
                other => panic!("product {key} comes {other} times"),
            }
        }
    }
}

/// Pushes a round in steps.
fn run(dataflow: &mut Dataflow, round: i64, weight: i64, found: &mut BTreeMap<i64, (i64, i64, i64, String)>) {
    const STEP: i64 = 2_000;
    for from in (0..PRODUCTS).step_by(STEP as usize) {
        let delta = visits(round, from, from + STEP);
        let weights = Some(vec![weight; delta.len()]);
        dataflow.push("visits", Delta { weights, ..delta }).unwrap();
        integrate(&dataflow.step().unwrap(), found);
        // A table does not wait for what another one still takes in this step.
        let bytes = dataflow.table_bytes();
        assert!(bytes <= TABLE_BYTES * 2, "{bytes} bytes are in memory");
    }
}

fn spilling(workers: usize, folder: &Path) -> DataflowConfig {
    DataflowConfig { memory: little_memory(TABLE_BYTES), ..config(workers, Some(folder)) }
}

fn groups_go_and_come(workers: usize) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::parse(SQL, &Functions::new()).unwrap();
    let mut dataflow = program.start(spilling(workers, folder.path())).unwrap();
    let mut found = BTreeMap::new();
    for round in 0..ROUNDS {
        run(&mut dataflow, round, 1, &mut found);
        assert_eq!(found, expected(0..round + 1), "round {round}");
        if round == 1 || round == 2 {
            let checkpoint = Some(dataflow.checkpoint().unwrap());
            if round == 2 {
                // What comes after a checkpoint is forgotten by a restart.
                run(&mut dataflow, 3, 1, &mut found.clone());
            }
            dataflow.stop();
            dataflow = program.start(DataflowConfig { checkpoint, ..spilling(workers, folder.path()) }).unwrap();
        }
    }
    for round in 0..ROUNDS {
        run(&mut dataflow, round, -1, &mut found);
        assert_eq!(found, expected(round + 1..ROUNDS), "round {round} taken back");
    }
    dataflow.stop();
    assert!(found.is_empty());
}

#[test]
fn groups_larger_than_memory_are_exact_with_one_worker() {
    groups_go_and_come(1);
}

#[test]
fn groups_larger_than_memory_are_exact_with_three_workers() {
    groups_go_and_come(3);
}

#[test]
fn a_group_that_was_emptied_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::parse(SQL, &Functions::new()).unwrap();
    // Everything is on disk after each step.
    let memory = little_memory(1);
    let mut dataflow = program.start(DataflowConfig { memory, ..config(1, Some(folder.path())) }).unwrap();
    let mut found = BTreeMap::new();
    let mut step = |weight: i64| {
        let delta = visits(0, 0, 10);
        let weights = Some(vec![weight; delta.len()]);
        dataflow.push("visits", Delta { weights, ..delta }).unwrap();
        integrate(&dataflow.step().unwrap(), &mut found);
        found.values().next().map_or(0, |(visits, ..)| *visits)
    };
    // Taken out and emptied, it must not be found where it was.
    let visits = [1, 1, -1, -1, 1, -1, 1, 1, -2, 3].map(&mut step);
    assert_eq!(visits, [1, 2, 1, 0, 1, 0, 1, 2, 0, 3]);
    assert_eq!(found.len(), 10);
    dataflow.stop();
}

#[test]
fn more_or_less_memory_after_a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::parse(SQL, &Functions::new()).unwrap();
    let mut dataflow = program.start(config(1, Some(folder.path()))).unwrap();
    let mut found = BTreeMap::new();
    for round in 0..ROUNDS {
        for from in (0..PRODUCTS).step_by(5_000) {
            dataflow.push("visits", visits(round, from, from + 5_000)).unwrap();
            integrate(&dataflow.step().unwrap(), &mut found);
        }
        let checkpoint = Some(dataflow.checkpoint().unwrap());
        dataflow.stop();
        // Much, little, much again: everything is in memory, then on disk, then comes back when it is touched.
        let memory = if round % 2 == 0 { little_memory(TABLE_BYTES) } else { Memory::default() };
        dataflow = program.start(DataflowConfig { checkpoint, memory, ..config(1, Some(folder.path())) }).unwrap();
    }
    dataflow.stop();
    assert_eq!(found, expected(0..ROUNDS));
}

#[test]
fn dataflows_share_one_budget() {
    let program = Program::parse(SQL, &Functions::new()).unwrap();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let memory = Memory { tables: Budget::new(TABLE_BYTES), ..Memory::default() };
    let start = |folder: &tempfile::TempDir| program.start(DataflowConfig { memory: memory.clone(), ..config(1, Some(folder.path())) });
    let mut dataflows = folders.each_ref().map(|folder| start(folder).unwrap());
    let mut found = [BTreeMap::new(), BTreeMap::new()];
    for round in 0..2 {
        for (dataflow, found) in dataflows.iter_mut().zip(&mut found) {
            run(dataflow, round, 1, found);
        }
        let all: usize = dataflows.iter().map(Dataflow::table_bytes).sum();
        // The first has what it had when it last ran.
        assert!(all <= TABLE_BYTES * 2, "{all} bytes are in memory");
    }
    dataflows.into_iter().for_each(Dataflow::stop);
    assert_eq!(found, [expected(0..2), expected(0..2)]);
}

const FIRST: &str = "
CREATE TABLE visits (product BIGINT, visitor BIGINT, price BIGINT, page TEXT) WITH (format = 'json', type = 'source');
CREATE TABLE first (product BIGINT PRIMARY KEY, page TEXT, visits BIGINT) WITH (type = 'sink');
CREATE TABLE best (product BIGINT, price BIGINT, p BIGINT, PRIMARY KEY (product, p)) WITH (type = 'sink');
INSERT INTO first SELECT product, min(page), count(*) FROM visits GROUP BY product;
INSERT INTO best SELECT product, price, p FROM
    (SELECT product, price, row_number() OVER (PARTITION BY product ORDER BY price DESC) AS p FROM visits) AS q WHERE p <= 2;
";

#[test]
fn first_rows_larger_than_memory_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::parse(FIRST, &Functions::new()).unwrap();
    let mut dataflow = program.start(spilling(1, folder.path())).unwrap();
    let (mut first, mut best) = (HashMap::new(), HashMap::new());
    for round in (0..ROUNDS).rev() {
        for from in (0..PRODUCTS).step_by(2_000) {
            dataflow.push("visits", visits(round, from, from + 2_000)).unwrap();
            for output in dataflow.step().unwrap() {
                let number = |column: usize, row: usize| output.changes.batch.column(column).as_primitive::<Int64Type>().value(row);
                for row in (0..output.changes.len()).filter(|row| output.changes.weight(*row) > 0) {
                    match output.table.as_str() {
                        "first" => {
                            let page = output.changes.batch.column(1).as_string::<i32>().value(row).to_string();
                            drop(first.insert(number(0, row), (page, number(2, row))));
                        }
                        _ => drop(best.insert((number(0, row), number(2, row)), number(1, row))),
                    }
                }
            }
            let bytes = dataflow.table_bytes();
            assert!(bytes <= TABLE_BYTES * 2, "{bytes} bytes are in memory");
        }
        if round == 3 {
            let checkpoint = Some(dataflow.checkpoint().unwrap());
            dataflow.stop();
            dataflow = program.start(DataflowConfig { checkpoint, ..spilling(1, folder.path()) }).unwrap();
        }
    }
    dataflow.stop();
    assert_eq!((first.len(), best.len()), (PRODUCTS as usize, 2 * PRODUCTS as usize));
    for product in 0..PRODUCTS {
        assert_eq!(first[&product], (format!("the page of product {product}, read in round 0"), ROUNDS));
        let prices = [1, 2].map(|p| best[&(product, p)]);
        assert_eq!(prices, [product * ROUNDS + ROUNDS - 1, product * ROUNDS + ROUNDS - 2]);
    }
}
