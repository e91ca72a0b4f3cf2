//! `now()` in conditions: rows come and go as time passes.

use crate::data::{Random, Row, Value, batch};
use crate::harness::{Bag, batch_context, block_on, config, integrate, texts};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chimera_sql::{DataflowConfig, Delta, Functions, Program};
use datafusion::datasource::MemTable;
use std::sync::Arc;

const SECOND_NS: i64 = 1_000_000_000;
/// 2020-01-01T00:00:00Z.
const BEGIN_NS: i64 = 1_577_836_800 * SECOND_NS;

const QUERIES: [&str; 9] = [
    "SELECT k, n FROM t WHERE at > now() - INTERVAL '1 hour'",
    "SELECT k, count(*) AS n FROM t WHERE at >= now() - INTERVAL '1 hour' AND n > 2 GROUP BY k",
    "SELECT k, n FROM t WHERE at <= now()",
    "SELECT k, n FROM t WHERE now() < at + INTERVAL '20 minutes'",
    "SELECT k, n FROM t WHERE at BETWEEN now() - INTERVAL '30 minutes' AND now() + INTERVAL '5 minutes'",
    "SELECT k, n FROM t WHERE at >= date_trunc('hour', now()) AND at < date_trunc('hour', now()) + INTERVAL '1 hour'",
    "SELECT k, n FROM t WHERE CAST(at AS DATE) >= CAST(current_timestamp AS DATE) AND n < 4",
    "SELECT t.k, u.n FROM t JOIN t AS u ON u.k = t.k WHERE t.at > now() - INTERVAL '10 minutes' AND u.at > t.at",
    "SELECT k, max(at) AS last FROM t GROUP BY k HAVING max(at) > now() - INTERVAL '15 minutes'",
];

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let columns = [("k", DataType::Utf8), ("n", DataType::Int32), ("at", time)];
    Arc::new(Schema::new(columns.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec()))
}

fn program() -> Program {
    let mut sql = "CREATE TABLE t (k TEXT, n INT, at TIMESTAMP) WITH (type = 'source');\n".to_string();
    for (index, query) in QUERIES.iter().enumerate() {
        let second = match query {
            query if query.contains("max(at)") => "TIMESTAMP",
            query if query.contains("count(*)") => "BIGINT",
            _ => "INT",
        };
        sql += &format!("CREATE TABLE q{index} (pk TEXT PRIMARY KEY, k TEXT, v {second}) WITH (type = 'sink');\n");
        sql += &format!("INSERT INTO q{index} SELECT 'pk', * FROM ({query}) AS q;\n");
    }
    Program::parse(&sql, &Functions::new()).unwrap_or_else(|e| panic!("{e}"))
}

/// What DataFusion computes from `rows` when it is told the time.
fn afresh(rows: &[Row], query: &str, now: i64) -> Bag {
    let at = arrow::temporal_conversions::timestamp_ns_to_datetime(now).unwrap().format("TIMESTAMP '%Y-%m-%d %H:%M:%S'").to_string();
    let batches = block_on(async {
        let context = batch_context();
        let table = MemTable::try_new(schema(), vec![vec![batch(&schema(), rows)]]).unwrap();
        context.register_table("t", Arc::new(table)).unwrap();
        context.sql(&query.replace("now()", &at).replace("current_timestamp", &at)).await.unwrap().collect().await.unwrap()
    });
    let mut bag = Bag::new();
    batches.iter().flat_map(|batch| texts(batch.columns())).for_each(|row| *bag.entry(row).or_default() += 1);
    bag
}

fn row(now: i64, random: &mut Random) -> Row {
    // Some are late, some are of the future, some have no time.
    let at = Value::Time(now + (random.below(7200) as i64 - 4800) * SECOND_NS);
    let key = Value::Text(format!("k{}", random.below(4)));
    vec![key, Value::Int(random.below(6) as i32), if random.one_in(9) { Value::Null } else { at }]
}

fn check(seed: u64, workers: usize) {
    let mut random = Random(seed * 2 + 1);
    let folder = tempfile::tempdir().unwrap();
    let program = program();
    assert!(program.uses_clock());
    let mut dataflow = program.start(config(workers, Some(folder.path()))).unwrap();
    let (mut rows, mut bags, mut now): (Vec<Row>, _, _) = (vec![], vec![Bag::new(); QUERIES.len()], BEGIN_NS + 23 * 3600 * SECOND_NS);
    for step in 0..24 {
        now += random.below(900) as i64 * SECOND_NS;
        for _ in 0..random.below(8) {
            let is_delete = !rows.is_empty() && random.one_in(3);
            let (row, delta): (_, fn(_) -> Delta) = match is_delete {
                true => (rows.swap_remove(random.below(rows.len() as u64) as usize), Delta::delete),
                false => (row(now, &mut random), Delta::insert),
            };
            dataflow.push("t", delta(batch(&schema(), std::slice::from_ref(&row)))).unwrap();
            if !is_delete {
                rows.push(row);
            }
        }
        dataflow.advance(now);
        let outputs = dataflow.step().unwrap();
        for (index, (query, bag)) in QUERIES.iter().zip(&mut bags).enumerate() {
            integrate(&outputs, &format!("q{index}"), bag);
            assert_eq!(*bag, afresh(&rows, query, now), "seed {seed}, {workers} worker(s), step {step}: {query}\n{}", program.explain());
        }
        if step % 7 == 3 {
            let checkpoint = dataflow.checkpoint().unwrap();
            dataflow.stop();
            let again = DataflowConfig { checkpoint: Some(checkpoint), ..config(workers, Some(folder.path())) };
            dataflow = program.start(again).unwrap();
        }
    }
    assert_eq!(dataflow.take_row_errors(), vec![]);
    dataflow.stop();
}

#[test]
fn rows_come_and_go_as_time_passes() {
    for seed in 0..6 {
        check(seed, 1 + seed as usize % 3);
    }
}

#[test]
fn a_dataflow_that_needs_the_time_asks_for_it() {
    let mut dataflow = program().start(config(1, None)).unwrap();
    let error = dataflow.step().unwrap_err().to_string();
    assert!(error.contains("call advance before the first step"), "{error}");
    dataflow.stop();
}

#[test]
fn old_rows_are_left_out_below_a_join() {
    let text = program().explain();
    assert!(text.contains("bounded by time"), "{text}");
    let join = text.lines().skip_while(|line| !line.starts_with("q7")).take_while(|line| !line.starts_with("q8"));
    let places: Vec<&str> = join.map(str::trim_start).collect();
    let place = |start: &str| places.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}:\n{text}"));
    assert!(place("inner join") < place("while"), "{text}");
}

#[test]
fn a_bound_that_might_go_back_is_refused() {
    let parse = |bound: &str| {
        let sql = format!(
            "CREATE TABLE t (id INT, at TIMESTAMP); CREATE TABLE out (id INT PRIMARY KEY) WITH (type = 'sink');
             INSERT INTO out SELECT id FROM t WHERE at > {bound};"
        );
        Program::parse(&sql, &Functions::new()).map(drop)
    };
    let error = parse("now() - INTERVAL '1 month'").unwrap_err().to_string();
    assert!(error.contains("an interval of months has no one length"), "{error}");
    for bound in ["now() - INTERVAL '30 days'", "date_trunc('month', now()) - INTERVAL '1 month'", "date_trunc('hour', now())"] {
        parse(bound).unwrap_or_else(|e| panic!("{e}"));
    }
    assert!(parse("date_trunc('hour', now()) - INTERVAL '1 month'").is_err());
}
