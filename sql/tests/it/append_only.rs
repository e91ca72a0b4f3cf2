//! Tables whose rows are never deleted: less is kept of them, and what comes out is the same.

use crate::harness::{Bag, batch_context, block_on, config, integrate, rows, texts};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use chimera_sql::{DataflowConfig, Delta, Functions, Program};
use datafusion::datasource::MemTable;
use std::sync::Arc;

const TABLE: &str = "CREATE TABLE events (k TEXT, x BIGINT, n BIGINT) WITH (format = 'json', type = 'source');";

/// A query's columns as a sink has them, and the query. Of rows that are equal in an order, any is right: `n` is never equal.
const QUERIES: [(&str, &str); 8] = [
    ("k TEXT, smallest BIGINT, largest BIGINT", "SELECT k, min(x), max(x) FROM events GROUP BY k"),
    ("k TEXT, largest BIGINT, rows BIGINT, different BIGINT", "SELECT k, max(x), count(*), count(DISTINCT x) FROM events GROUP BY k"),
    ("smallest BIGINT, total BIGINT", "SELECT min(x), sum(x) FROM events"),
    (
        "k TEXT, x BIGINT, n BIGINT",
        "SELECT k, x, n FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY x DESC NULLS LAST, n) AS p FROM events) AS q WHERE p = 1",
    ),
    (
        "k TEXT, n BIGINT, p BIGINT",
        "SELECT k, n, p FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY x, n DESC) AS p FROM events) AS q WHERE p <= 3",
    ),
    ("x BIGINT, n BIGINT", "SELECT x, n FROM events ORDER BY n DESC LIMIT 5 OFFSET 2"),
    (
        "k TEXT, most BIGINT",
        "SELECT a.k, max(a.n - b.n) FROM events a JOIN events b ON a.k = b.k AND a.x = b.x WHERE a.n > b.n GROUP BY a.k",
    ),
    (
        "k TEXT, r BIGINT, n BIGINT",
        "SELECT k, r, n FROM (SELECT *, rank() OVER (PARTITION BY k ORDER BY x) AS r FROM events) AS q WHERE r <= 2",
    ),
];

fn program() -> Program {
    let mut sql = TABLE.to_string();
    for (index, (columns, query)) in QUERIES.iter().enumerate() {
        sql += &format!("CREATE TABLE out{index} (pk TEXT PRIMARY KEY, {columns}) WITH (type = 'sink');");
        sql += &format!("INSERT INTO out{index} SELECT 'pk', * FROM ({query}) AS q;");
    }
    Program::parse(&sql, &Functions::new()).unwrap()
}

/// Events `from` to `to`: few keys and values, with nulls.
fn events(from: i64, to: i64) -> RecordBatch {
    let mixed = |n: i64| (n.wrapping_mul(2_654_435_761) >> 7) & 0xffff;
    let keys: ArrayRef = Arc::new((from..to).map(|n| (mixed(n) % 7 > 0).then(|| format!("k{}", mixed(n) % 7))).collect::<StringArray>());
    let values: ArrayRef = Arc::new((from..to).map(|n| (mixed(n) % 11 > 0).then(|| mixed(n) % 40 - 20)).collect::<Int64Array>());
    rows(vec![("k", keys), ("x", values), ("n", Arc::new(Int64Array::from_iter_values(from..to)))])
}

fn afresh(batch: &RecordBatch, query: &str) -> Bag {
    block_on(async {
        let context = batch_context();
        context.register_table("events", Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch.clone()]]).unwrap())).unwrap();
        let mut bag = Bag::new();
        for batch in context.sql(query).await.unwrap().collect().await.unwrap() {
            texts(batch.columns()).into_iter().for_each(|row| *bag.entry(row).or_default() += 1);
        }
        bag
    })
}

fn check(workers: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut dataflow = program().start(config(workers, Some(folder.path()))).unwrap();
    let mut bags = vec![Bag::new(); QUERIES.len()];
    let mut all = events(0, 0);
    let ends = [0i64, 1, 50, 53, 400, 1_000];
    for (epoch, range) in ends.windows(2).enumerate() {
        let batch = events(range[0], range[1]);
        all = concat_batches(&all.schema(), [&all, &batch]).unwrap();
        dataflow.push("events", Delta::insert(batch)).unwrap();
        let outputs = dataflow.step().unwrap();
        for (index, (_, query)) in QUERIES.iter().enumerate() {
            integrate(&outputs, &format!("out{index}"), &mut bags[index]);
            assert_eq!(bags[index], afresh(&all, query), "{query} with {workers} worker(s), epoch {epoch}");
        }
        if epoch == 2 {
            let checkpoint = Some(dataflow.checkpoint().unwrap());
            dataflow.stop();
            dataflow = program().start(DataflowConfig { checkpoint, ..config(workers, Some(folder.path())) }).unwrap();
        }
    }
    dataflow.stop();
}

#[test]
fn what_is_kept_of_append_only_tables_is_enough_with_one_worker() {
    check(1);
}

#[test]
fn what_is_kept_of_append_only_tables_is_enough_with_two_workers() {
    check(2);
}

#[test]
fn a_row_of_an_append_only_table_cannot_be_deleted() {
    let mut dataflow = program().start(config(1, None)).unwrap();
    let error = dataflow.push("events", Delta::delete(events(0, 3))).unwrap_err().to_string();
    assert!(error.contains("`events` is append-only") && error.contains("debezium_json"), "{error}");
    dataflow.stop();
}

#[test]
fn less_is_kept_of_append_only_tables() {
    let kept = program().explain();
    assert!(kept.contains("keeps the first 1 of each partition"), "{kept}");
    assert!(kept.contains("one value a group; grows with the number of groups"), "{kept}");
    let changeable = TABLE.replace("json", "debezium_json");
    let sql = format!(
        "{changeable} CREATE TABLE out (k TEXT PRIMARY KEY, x BIGINT) WITH (type = 'sink'); INSERT INTO out SELECT k, max(x) FROM events GROUP BY k;"
    );
    let kept = Program::parse(&sql, &Functions::new()).unwrap().explain();
    assert!(kept.contains("the values in order a group; grows with its input"), "{kept}");
}
