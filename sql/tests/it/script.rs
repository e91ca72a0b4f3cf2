//! Scripts: windows that close, sinks that are only added to, generated columns, tables in memory, previews.

use crate::data::Random;
use crate::harness::{Bag, block_on, config, texts};
use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chimera_sql::{Dataflow, Delta, Functions, Program, SinkChanges};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use std::sync::Arc;

const EVENTS: &str = "CREATE TABLE events (id INT, k TEXT, ts BIGINT, x INT,
        at TIMESTAMP GENERATED ALWAYS AS (to_timestamp_millis(ts)) STORED,
        WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (connector = 'single_file', format = 'json');\n";

/// Rows are at most this much older than rows before them: within what the watermark allows.
const JITTER_MS: u64 = 4_900;

fn schema() -> SchemaRef {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let columns = [field("id", DataType::Int32), field("k", DataType::Utf8), field("ts", DataType::Int64), field("x", DataType::Int32)];
    Arc::new(Schema::new(columns.to_vec()))
}

fn batch(rows: &[(i32, String, i64, i32)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.3))),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// Some minutes of events, in batches, nearly in order; now and then nothing happens for a while.
fn events(seed: u64) -> Vec<RecordBatch> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut clock = 1_700_000_000_000u64;
    let mut id = 0;
    let mut batches = vec![];
    for _ in 0..40 {
        let mut rows = vec![];
        for _ in 0..random.below(25) {
            clock += if random.below(30) == 0 { 17_000 } else { random.below(900) };
            id += 1;
            let ts = clock - random.below(JITTER_MS);
            rows.push((id, format!("k{}", random.below(4)), ts as i64, random.below(50) as i32));
        }
        batches.push(batch(&rows));
    }
    batches
}

fn script(sql: &str) -> Program {
    Program::parse_script(&(EVENTS.to_string() + sql), &Functions::new(), &|_| None).unwrap_or_else(|e| panic!("{e}\n{sql}"))
}

fn refused(sql: &str) -> String {
    let parsed = Program::parse_script(&(EVENTS.to_string() + sql), &Functions::new(), &|_| None);
    parsed.err().unwrap_or_else(|| panic!("accepted: {sql}")).to_string()
}

/// Adds what a step gives to `bag`; rows only come.
fn step(dataflow: &mut Dataflow, bag: &mut Bag) {
    for output in dataflow.step().unwrap() {
        for (row, text) in texts(output.changes.batch.columns()).into_iter().enumerate() {
            assert!(output.changes.weight(row) > 0, "a row is taken back: {text:?}");
            *bag.entry(text).or_default() += output.changes.weight(row);
        }
    }
}

fn run(program: &Program, workers: usize, batches: &[RecordBatch]) -> Bag {
    let mut dataflow = program.start(config(workers, None)).unwrap();
    let mut bag = Bag::new();
    for batch in batches {
        dataflow.push("events", Delta::insert(batch.clone())).unwrap();
        step(&mut dataflow, &mut bag);
    }
    dataflow.end("events");
    step(&mut dataflow, &mut bag);
    assert_eq!(dataflow.take_row_errors(), []);
    dataflow.stop();
    bag
}

/// What DataFusion makes of all events at once; they have a column `at`.
fn afresh(query: &str, batches: &[RecordBatch]) -> Bag {
    let batches = block_on(async {
        let config = SessionConfig::new().set_str("datafusion.execution.time_zone", "UTC");
        let context = SessionContext::new_with_config(config);
        let table = MemTable::try_new(schema(), vec![batches.to_vec()]).unwrap();
        context.register_table("raw", Arc::new(table)).unwrap();
        let view = "CREATE VIEW events AS SELECT *, CAST(to_timestamp_millis(ts) AS TIMESTAMP) AS at FROM raw";
        context.sql(view).await.unwrap().collect().await.unwrap();
        context.sql(query).await.unwrap_or_else(|e| panic!("{query}: {e}")).collect().await.unwrap()
    });
    let mut bag = Bag::new();
    for batch in &batches {
        texts(batch.columns()).into_iter().for_each(|row| *bag.entry(row).or_default() += 1);
    }
    bag
}

fn check(query: &str, reference: &str) {
    let program = script(&format!("{query};"));
    assert_eq!(program.sinks[0].changes, SinkChanges::Appended, "{query}");
    for (seed, workers) in [(1, 1), (2, 3), (3, 2)] {
        let batches = events(seed);
        let expected = afresh(reference, &batches);
        assert!(expected.len() > 3, "{reference}: hardly a row");
        assert_eq!(run(&program, workers, &batches), expected, "seed {seed}, {workers} workers: {query}");
    }
}

const BY_MINUTE: &str = "date_bin(INTERVAL '10 seconds', at)";

#[test]
fn a_window_is_given_out_once_when_it_has_closed() {
    check(
        "SELECT tumble(INTERVAL '10 seconds') AS w, k, count(*), sum(x), min(x), max(x), count(DISTINCT x), avg(x) FROM events GROUP BY 1, 2",
        &format!(
            "SELECT named_struct('start', {BY_MINUTE}, 'end', {BY_MINUTE} + INTERVAL '10 seconds'), k, count(*), sum(x), min(x), max(x),
             count(DISTINCT x), avg(x) FROM events GROUP BY 1, 2"
        ),
    );
    // The window need not be among the columns: equal rows of several windows are several rows.
    check(
        "SELECT count(*) FROM events GROUP BY tumble(INTERVAL '10 seconds'), k HAVING count(*) > 1",
        &format!("SELECT count(*) FROM events GROUP BY {BY_MINUTE}, k HAVING count(*) > 1"),
    );
    check("SELECT id, x * 2, at FROM events WHERE x % 2 = 0", "SELECT id, x * 2, at FROM events WHERE x % 2 = 0");
}

#[test]
fn hopping_windows_close_one_after_the_other() {
    check(
        "SELECT hop(INTERVAL '5 seconds', INTERVAL '20 seconds') AS w, count(*), sum(x) FROM events GROUP BY 1",
        "WITH slides AS (SELECT DISTINCT date_bin(INTERVAL '5 seconds', at) - n AS start
             FROM events CROSS JOIN (VALUES (INTERVAL '0 seconds'), (INTERVAL '5 seconds'), (INTERVAL '10 seconds'), (INTERVAL '15 seconds')) AS v (n))
         SELECT named_struct('start', start, 'end', start + INTERVAL '20 seconds'), count(*), sum(x)
         FROM slides JOIN events ON at >= start AND at < start + INTERVAL '20 seconds' GROUP BY start",
    );
}

#[test]
fn sessions_close_after_their_gap() {
    check(
        "SELECT session(INTERVAL '2 seconds') AS w, k, count(*), sum(x) FROM events GROUP BY 1, 2",
        "WITH gaps AS (SELECT *, CASE WHEN at - lag(at) OVER (PARTITION BY k ORDER BY at) <= INTERVAL '2 seconds' THEN 0 ELSE 1 END AS first FROM events),
              numbered AS (SELECT *, sum(first) OVER (PARTITION BY k ORDER BY at, id ROWS UNBOUNDED PRECEDING) AS n FROM gaps)
         SELECT named_struct('start', min(at), 'end', max(at) + INTERVAL '2 seconds'), k, count(*), sum(x) FROM numbered GROUP BY k, n",
    );
}

#[test]
fn sessions_of_several_gaps_do_not_take_each_others_rows() {
    let two = script(
        "CREATE TABLE a (k TEXT, n BIGINT) WITH (connector = 'blackhole', format = 'json');
         CREATE TABLE b (k TEXT, n BIGINT) WITH (connector = 'blackhole', format = 'json');
         INSERT INTO a SELECT k, count(*) FROM events GROUP BY session(INTERVAL '1 second'), k;
         INSERT INTO b SELECT k, count(*) FROM events GROUP BY session(INTERVAL '4 seconds'), k;",
    );
    let alone = |gap: &str| script(&format!("SELECT k, count(*) FROM events GROUP BY session(INTERVAL '{gap}'), k;"));
    let batches = events(5);
    let mut expected = run(&alone("1 second"), 1, &batches);
    run(&alone("4 seconds"), 1, &batches).into_iter().for_each(|(row, count)| *expected.entry(row).or_default() += count);
    assert_eq!(run(&two, 2, &batches), expected);
}

#[test]
fn how_rows_come_in_steps_does_not_change_their_session() {
    let program = script("SELECT count(*) FROM events GROUP BY session(INTERVAL '2 seconds'), k;");
    let row = |id, k: &str, ts| (id, k.to_string(), ts, 0);
    // The watermark, five seconds behind, comes to the very end of the first session; then a row comes that still belongs to it.
    let rows = [row(1, "a", 10_000), row(2, "b", 17_000), row(3, "a", 12_000)];
    let one_by_one: Vec<_> = rows.iter().map(|row| batch(std::slice::from_ref(row))).collect();
    let expected = Bag::from([(vec!["2".to_string()], 1), (vec!["1".to_string()], 1)]);
    assert_eq!(run(&program, 1, &one_by_one), expected);
    assert_eq!(run(&program, 1, &[batch(&rows)]), expected);
}

#[test]
fn what_is_made_of_closed_windows_is_final_too() {
    let minute = "CREATE VIEW counts AS SELECT tumble(INTERVAL '10 seconds') AS w, k, count(*) AS n FROM events GROUP BY 1, 2;\n";
    let reference = format!("WITH counts AS (SELECT {BY_MINUTE} AS start, k, count(*) AS n FROM events GROUP BY 1, 2)\n");
    let pairs = [
        // The largest of each window.
        ("SELECT k, n FROM (SELECT *, row_number() OVER (PARTITION BY w ORDER BY n DESC, k) AS place FROM counts) AS c WHERE place = 1",
         "SELECT k, n FROM (SELECT *, row_number() OVER (PARTITION BY start ORDER BY n DESC, k) AS place FROM counts) AS c WHERE place = 1"),
        // The same window again.
        ("SELECT w, max(n), count(*) FROM counts GROUP BY w",
         "SELECT named_struct('start', start, 'end', start + INTERVAL '10 seconds'), max(n), count(*) FROM counts GROUP BY start"),
        // A longer one.
        ("SELECT tumble(INTERVAL '1 minute', c.w['start']) AS m, sum(n), max(n) FROM counts AS c GROUP BY 1",
         "SELECT named_struct('start', date_bin(INTERVAL '1 minute', start), 'end', date_bin(INTERVAL '1 minute', start) + INTERVAL '1 minute'), sum(n), max(n)
          FROM counts GROUP BY date_bin(INTERVAL '1 minute', start)"),
        // Windows joined.
        ("SELECT a.k, b.k, a.n + b.n FROM counts AS a JOIN counts AS b ON a.w = b.w AND a.n < b.n",
         "SELECT a.k, b.k, a.n + b.n FROM counts AS a JOIN counts AS b ON a.start = b.start AND a.n < b.n"),
        ("SELECT a.k, b.n FROM (SELECT * FROM counts WHERE k = 'k1') AS a LEFT JOIN (SELECT * FROM counts WHERE k = 'k2') AS b ON a.w = b.w",
         "SELECT a.k, b.n FROM (SELECT * FROM counts WHERE k = 'k1') AS a LEFT JOIN (SELECT * FROM counts WHERE k = 'k2') AS b ON a.start = b.start"),
    ];
    for (query, expected) in pairs {
        check(&format!("{minute}{query}"), &format!("{reference}{expected}"));
    }
}

#[test]
fn a_row_whose_time_cannot_be_told_is_left_out_alone() {
    let program = script("SELECT count(*), sum(x) FROM events GROUP BY tumble(INTERVAL '10 seconds');");
    let mut dataflow = program.start(config(1, None)).unwrap();
    let row = |id, ts, x| (id, "k".to_string(), ts, x);
    // Milliseconds that are no nanoseconds.
    dataflow.push("events", Delta::insert(batch(&[row(1, 1_000, 1), row(2, i64::MAX, 2), row(3, 2_000, 4), row(4, 3_000, 8)]))).unwrap();
    assert_eq!(dataflow.watermark(), Some(-2_000_000_000));
    dataflow.end("events");
    let mut bag = Bag::new();
    step(&mut dataflow, &mut bag);
    assert_eq!(bag, Bag::from([(vec!["3".into(), "13".into()], 1)]));
    assert_eq!(dataflow.take_row_errors().iter().map(|error| error.count).sum::<u64>(), 1);
    dataflow.stop();
}

#[test]
fn late_rows_are_left_out_and_counted() {
    let program = script("SELECT count(*), sum(x) FROM events GROUP BY tumble(INTERVAL '10 seconds');");
    let mut dataflow = program.start(config(2, None)).unwrap();
    let row = |id, ts, x| (id, "k".to_string(), ts, x);
    let mut bag = Bag::new();
    dataflow.push("events", Delta::insert(batch(&[row(1, 1_000, 1), row(2, 9_999, 2), row(3, 14_999, 4)]))).unwrap();
    step(&mut dataflow, &mut bag);
    assert_eq!((dataflow.watermark(), bag.len()), (Some(9_999_000_000), 0), "the window is open for another millisecond");
    dataflow.push("events", Delta::insert(batch(&[row(4, 15_000, 8)]))).unwrap();
    step(&mut dataflow, &mut bag);
    assert_eq!(bag, Bag::from([(vec!["2".into(), "3".into()], 1)]));
    // One of these is late: its window has closed. The other is older than the watermark too, but its window is open.
    dataflow.push("events", Delta::insert(batch(&[row(5, 9_000, 16), row(6, 10_000, 32)]))).unwrap();
    step(&mut dataflow, &mut bag);
    let errors = dataflow.take_row_errors();
    assert!(errors.len() == 1 && errors[0].count == 1 && errors[0].message.contains("after its window had closed"), "{errors:?}");
    dataflow.end("events");
    step(&mut dataflow, &mut bag);
    assert_eq!(bag.get(&vec!["3".to_string(), "44".to_string()]), Some(&1), "{bag:?}");
    dataflow.stop();
}

#[test]
fn late_rows_can_be_had() {
    let program = script(
        "CREATE TABLE a (n BIGINT) WITH (connector = 'blackhole', format = 'json');
         CREATE TABLE b (n BIGINT) WITH (connector = 'blackhole', format = 'json');
         INSERT INTO a SELECT count(*) FROM events GROUP BY tumble(INTERVAL '10 seconds'), k;
         INSERT INTO b SELECT count(*) FROM events GROUP BY session(INTERVAL '1 second'), x;",
    );
    let mut dataflow = program.start(chimera_sql::DataflowConfig { keep_late: true, ..config(2, None) }).unwrap();
    let row = |id, k: &str, ts| (id, k.to_string(), ts, 7);
    dataflow.push("events", Delta::insert(batch(&[row(1, "k", 1_000), row(2, "k", 25_000)]))).unwrap();
    dataflow.step().unwrap();
    assert!(dataflow.take_late().is_empty());
    dataflow.push("events", Delta::insert(batch(&[row(3, "late", 2_000), row(4, "old", 20_000), row(5, "late", 2_000)]))).unwrap();
    dataflow.step().unwrap();
    let late = dataflow.take_late();
    let of = |sink: &str| late.iter().filter(|late| late.sinks == [sink]).collect::<Vec<_>>();
    let rows = |sink: &str| of(sink).iter().map(|late| (0..late.rows.len()).map(|row| late.rows.weight(row)).sum::<i64>()).sum::<i64>();
    // The watermark is where the step before left it; the row of second twenty is as old as that.
    assert!(late.iter().all(|late| late.watermark == 20_000_000_000), "{late:?}");
    assert_eq!((rows("a"), rows("b")), (2, 2), "{late:?}");
    let keys = of("a").iter().flat_map(|late| texts(&[late.rows.batch.column_by_name("k").unwrap().clone()])).collect::<Vec<_>>();
    assert!(!keys.is_empty() && keys.iter().all(|key| key == &["late"]), "{keys:?}");
    assert!(dataflow.take_late().is_empty(), "they are given once");
    assert_eq!(dataflow.take_row_errors().iter().map(|error| error.count).sum::<u64>(), 4);
    dataflow.stop();
}

#[test]
fn rows_without_a_time_have_that_of_their_arrival() {
    let clicks = "CREATE TABLE clicks (id INT, k TEXT, ts BIGINT, x INT) WITH (connector = 'single_file', format = 'json');
        CREATE VIEW named AS SELECT c.*, c._timestamp FROM clicks AS c;\n";
    let program = |sql: &str| script(&format!("{clicks}{sql};"));
    let by_table = program("SELECT k, count(*) FROM clicks GROUP BY tumble(INTERVAL '10 seconds'), k");
    assert_eq!(by_table.sinks[0].changes, SinkChanges::Appended);
    for program in [by_table, program("SELECT k, count(*) FROM named GROUP BY tumble(INTERVAL '10 seconds'), k")] {
        let table = program.sources.iter().find(|table| table.name == "clicks").unwrap();
        assert!(table.has_arrival && table.schema.field(4).name() == chimera_sql::ARRIVAL);
        let mut dataflow = program.start(config(1, None)).unwrap();
        let mut bag = Bag::new();
        let push = |dataflow: &mut Dataflow, seconds: i64, k: &str| {
            let rows = batch(&[(1, k.to_string(), 0, 0)]);
            let time: ArrayRef = Arc::new(arrow::array::TimestampNanosecondArray::from(vec![seconds * 1_000_000_000]));
            let fields = rows.schema().fields().iter().cloned().chain([Arc::new(table.schema.field(4).clone())]).collect::<Vec<_>>();
            let columns = rows.columns().iter().cloned().chain([time]).collect();
            dataflow.push("clicks", Delta::insert(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap())).unwrap();
        };
        for (seconds, k) in [(1, "a"), (9, "a"), (10, "b")] {
            push(&mut dataflow, seconds, k);
        }
        step(&mut dataflow, &mut bag);
        assert_eq!(bag, Bag::from([(vec!["a".into(), "2".into()], 1)]), "a row of second ten closes the window before");
        // Nothing comes, and time goes on.
        dataflow.arrived("clicks", 19_000_000_000);
        step(&mut dataflow, &mut bag);
        assert_eq!(bag.len(), 1);
        dataflow.arrived("clicks", 20_000_000_000);
        step(&mut dataflow, &mut bag);
        assert_eq!(bag.get(&vec!["b".to_string(), "1".to_string()]), Some(&1));
        dataflow.stop();
    }
    // The column is not among those that `*` stands for, and is there by its name.
    let columns = |sql: &str| program(sql).sinks[0].schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().join(" ");
    let times = "(SELECT count(*) FROM clicks GROUP BY tumble(INTERVAL '1 minute')) AS w";
    assert_eq!(columns(&format!("SELECT c.* FROM clicks AS c CROSS JOIN {times}")), "id k ts x");
    assert_eq!(columns("SELECT *, _timestamp FROM clicks"), "id k ts x _timestamp");
    assert_eq!(
        columns("SELECT * FROM clicks AS a JOIN (SELECT _timestamp AS t, id AS other FROM clicks) AS b ON a._timestamp = b.t"),
        "id k ts x t other"
    );
    // Where no query needs it, it is not there; and a table with a time of its own keeps that.
    let table = clicks.lines().next().unwrap();
    for query in ["SELECT * FROM clicks", "SELECT count(*) FROM events GROUP BY tumble(INTERVAL '1 minute')"] {
        assert!(!script(&format!("{table}{query};")).sources.iter().any(|table| table.has_arrival), "{query}");
    }
    assert!(refused("SELECT _timestamp FROM events;").contains("_timestamp"));
}

#[test]
fn columns_of_an_insert_need_no_different_names() {
    let sink = "CREATE TABLE o (a INT, b BIGINT, c TEXT, d INT, e INT) WITH (connector = 'blackhole', format = 'json');\n";
    let program = script(&format!(
        "{sink}INSERT INTO o SELECT NULL, 1, NULL, id, id FROM events UNION ALL SELECT 1, 1, NULL, NULL, NULL FROM events; INSERT INTO o SELECT 1, 1, '1', 1, 1;"
    ));
    let mut dataflow = program.start(config(1, None)).unwrap();
    dataflow.push("events", Delta::insert(batch(&[(5, "k".into(), 0, 0)]))).unwrap();
    let mut bag = Bag::new();
    step(&mut dataflow, &mut bag);
    let null = texts(&[arrow::array::new_null_array(&DataType::Utf8, 1)])[0][0].clone();
    let row = |cells: [&str; 5]| (cells.map(|cell| if cell.is_empty() { null.clone() } else { cell.to_string() }).to_vec(), 1);
    assert_eq!(bag, Bag::from([row(["", "1", "", "5", "5"]), row(["1", "1", "", "", ""]), row(["1", "1", "1", "1", "1"])]));
    dataflow.stop();
}

/// Resident memory, in MiB.
pub fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn what_has_closed_is_not_kept() {
    let queries = "CREATE TABLE a (w TEXT, n BIGINT) WITH (connector = 'blackhole', format = 'json');
        CREATE TABLE b (w TEXT, n BIGINT) WITH (connector = 'blackhole', format = 'json');
        CREATE VIEW keys AS SELECT tumble(INTERVAL '1 second') AS w, id, count(*) AS n, max(x) AS m FROM events GROUP BY 1, 2;
        INSERT INTO a SELECT 'x', n FROM (SELECT *, row_number() OVER (PARTITION BY w ORDER BY m DESC, id) AS place FROM keys) AS k WHERE place = 1;
        INSERT INTO b SELECT 'y', count(*) FROM events GROUP BY session(INTERVAL '2 seconds'), id;
        CREATE VIEW sessions AS SELECT session(INTERVAL '2 seconds') AS s, id, count(*) AS n FROM events GROUP BY 1, 2;
        INSERT INTO b SELECT 'z', count(*) FROM sessions AS s GROUP BY tumble(INTERVAL '10 minutes', s.s['start']);";
    let mut dataflow = script(queries).start(config(1, None)).unwrap();
    let (mut warm, mut given) = (0, 0);
    for round in 0..600i64 {
        // Every group is new.
        let rows: Vec<_> = (0..500).map(|n| ((round * 500 + n) as i32, "k".to_string(), round * 1_000 + n, n as i32)).collect();
        dataflow.push("events", Delta::insert(batch(&rows))).unwrap();
        let weights = |output: &chimera_sql::Output| (0..output.changes.len()).map(|row| output.changes.weight(row)).sum::<i64>();
        given += dataflow.step().unwrap().iter().map(weights).sum::<i64>();
        if round == 200 {
            warm = resident_mib();
        }
    }
    assert!(given > 500 * 300, "{given} rows were given out");
    let grown = resident_mib().saturating_sub(warm);
    assert!(grown < 40, "memory grew by {grown} MiB in four hundred windows of new groups");
    dataflow.stop();
}

#[test]
fn tables_in_memory_are_what_was_written_to_them() {
    check(
        "CREATE TABLE both (k TEXT, x BIGINT);
         INSERT INTO both SELECT k, x FROM events WHERE x < 10; INSERT INTO both SELECT 'high', x FROM events WHERE x > 40;
         SELECT k, x + 1 FROM both",
        "SELECT k, x + 1 FROM events WHERE x < 10 UNION ALL SELECT 'high', x + 1 FROM events WHERE x > 40",
    );
}

#[test]
fn a_preview_has_columns() {
    let message = refused("SELECT FROM events;");
    assert!(message.contains("rows without columns") && message.contains("SELECT * FROM"), "{message}");
}

#[test]
fn a_preview_shows_changes_where_rows_change() {
    let program = script("SELECT k, count(*) FROM events GROUP BY k; SELECT id FROM events;");
    let kinds: Vec<_> = program.sinks.iter().map(|sink| (sink.name.as_str(), sink.changes)).collect();
    assert_eq!(kinds, [("preview", SinkChanges::Logged), ("preview_2", SinkChanges::Appended)]);
    // DataFusion gives this text in a form of its own.
    let hashed = script("SELECT md5(k) AS hash FROM events;");
    assert_eq!(hashed.sinks[0].schema.field(0).data_type(), &arrow::datatypes::DataType::Utf8);
}

#[test]
fn a_sink_that_is_only_added_to_refuses_what_changes() {
    let into = |query: &str| format!("CREATE TABLE out (n BIGINT) WITH (connector = 'stdout', format = 'json');\nINSERT INTO out {query};");
    let cases = [
        ("SELECT count(*) FROM events", "an aggregate without a window changes rows"),
        ("SELECT count(*) FROM events GROUP BY k", "group by tumble"),
        ("SELECT DISTINCT x FROM events", "DISTINCT or GROUP BY without a window"),
        ("SELECT a.x FROM events AS a LEFT JOIN events AS b ON a.id = b.x", "a Left join changes rows"),
        ("SELECT x FROM events ORDER BY x LIMIT 3", "LIMIT changes rows"),
        ("SELECT row_number() OVER (PARTITION BY k ORDER BY id) FROM events", "a window function changes rows"),
        (
            "SELECT a.x FROM events AS a JOIN (SELECT tumble(INTERVAL '1 minute') AS w, k FROM events GROUP BY 1, 2) AS b ON a.k = b.k",
            "rows that wait",
        ),
    ];
    for (query, expected) in cases {
        let message = refused(&into(query));
        assert!(message.contains(expected) && message.contains("debezium_json"), "{query}: {message}");
    }
    let changelog = "CREATE TABLE c (n BIGINT) WITH (connector = 'kafka', topic = 'c', format = 'debezium_json');\n";
    assert!(refused(&(changelog.to_string() + &into("SELECT n FROM c"))).contains("a table of changes"));
}

#[test]
fn scripts_say_what_is_wrong_with_them() {
    assert!(refused("CREATE TABLE t WITH (connector = 'single_file'); SELECT * FROM t;").contains("has no columns"));
    assert!(refused("CREATE TABLE t (a INT, b INT GENERATED ALWAYS AS (nosuch) STORED); SELECT * FROM t;").contains("nosuch"));
    assert!(refused("CREATE TABLE t (a INT, WATERMARK FOR a); SELECT * FROM t;").contains("must be a TIMESTAMP"));
    assert!(refused("CREATE TABLE t (a INT, b INT GENERATED ALWAYS AS (a)); SELECT * FROM t;").contains("expected STORED"));
}

#[test]
fn structs_are_types_of_columns() {
    let program = script(
        "CREATE TABLE s (a STRUCT<b INT, c STRUCT<d TEXT, e BIGINT>>, f INT[]) WITH (connector = 'single_file'); SELECT a['c']['e'], f FROM s;",
    );
    let fields: Vec<_> = program.sources[1].schema.fields().iter().map(|field| field.data_type().to_string()).collect();
    assert!(fields[0].contains("Struct") && fields[1].contains("List"), "{fields:?}");
    assert_eq!(program.sinks[0].schema.field(0).data_type(), &DataType::Int64);
}
