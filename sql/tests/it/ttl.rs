//! `SET updating_ttl`: state of keys that nothing touches is dropped, and nothing further on moves.

use crate::data::Random;
use crate::harness::{Bag, config, integrate};
use crate::script::resident_mib;
use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray, TimestampNanosecondArray};
use chimera_sql::{Dataflow, Delta, Functions, Program};
use std::collections::BTreeMap;
use std::sync::Arc;

const SECOND_NS: i64 = 1_000_000_000;
const TTL_S: i64 = 60;

fn parse(format: &str, sql: &str) -> Result<Program, String> {
    let table = |name: &str| format!("CREATE TABLE {name} (k TEXT, n INT) WITH (connector = 'single_file', format = '{format}');\n");
    let sql = format!("{}{}SET updating_ttl = '1 minute';\n{sql};", table("t"), table("u"));
    Program::parse_script(&sql, &Functions::new(), &|_| None).map_err(|error| error.to_string())
}

fn program(format: &str, sql: &str) -> Program {
    parse(format, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

type Row = (String, i32);
/// The rows of a key: side and row, and how often each is there.
type Rows = BTreeMap<(usize, Row), i64>;

fn batch(rows: &[Row]) -> RecordBatch {
    let k: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0)));
    let n: ArrayRef = Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.1)));
    RecordBatch::try_from_iter_with_nullable([("k", k, true), ("n", n, true)]).unwrap()
}

fn side(rows: &Rows, side: usize) -> Vec<Row> {
    let own = rows.iter().filter(|((of, _), _)| *of == side);
    own.flat_map(|((_, row), times)| vec![row.clone(); *times as usize]).collect()
}

fn totals(rows: &Rows) -> Vec<Vec<String>> {
    let own = side(rows, 0);
    let numbers = own.iter().map(|row| i64::from(row.1));
    let total = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    match own.first() {
        None => vec![],
        Some(first) => vec![vec![
            first.0.clone(),
            own.len().to_string(),
            total(Some(numbers.clone().sum())),
            total(numbers.clone().max()),
            own.iter().map(|row| row.1).collect::<std::collections::BTreeSet<_>>().len().to_string(),
        ]],
    }
}

fn pairs(rows: &Rows) -> Vec<Vec<String>> {
    let (left, right) = (side(rows, 0), side(rows, 1));
    left.iter().flat_map(|l| right.iter().map(|r| vec![l.0.clone(), l.1.to_string(), r.1.to_string()])).collect()
}

fn alone(rows: &Rows) -> Vec<Vec<String>> {
    let left = side(rows, 0).into_iter().map(|l| vec![l.0, l.1.to_string()]);
    if side(rows, 1).is_empty() { left.collect() } else { vec![] }
}

fn different(rows: &Rows) -> Vec<Vec<String>> {
    rows.keys().map(|(_, row)| vec![row.0.clone(), row.1.to_string()]).collect()
}

fn largest(rows: &Rows) -> Vec<Vec<String>> {
    let mut own = side(rows, 0);
    own.sort_by_key(|row| -row.1);
    own.into_iter().take(2).map(|row| vec![row.0, row.1.to_string()]).collect()
}

/// What a query makes of the rows of a key.
type Results = fn(&Rows) -> Vec<Vec<String>>;

/// What a query keeps, key by key.
struct Model {
    /// Whether each row is a key of its own.
    by_row: bool,
    result: Results,
    keys: BTreeMap<Row, (i64, Rows)>,
    bag: Bag,
}

impl Model {
    fn step(&mut self, now: i64, changes: &[(usize, Row, i64)]) {
        self.keys.retain(|_, (touched, _)| now - *touched < TTL_S * SECOND_NS);
        let mut net: BTreeMap<(usize, Row), i64> = BTreeMap::new();
        changes.iter().for_each(|(side, row, weight)| *net.entry((*side, row.clone())).or_default() += weight);
        for ((side, row), weight) in net {
            let key = (row.0.clone(), if self.by_row { row.1 } else { 0 });
            let there = self.keys.get(&key).and_then(|(_, rows)| rows.get(&(side, row.clone()))).copied().unwrap_or(0);
            let weight = weight.max(-there);
            if weight == 0 {
                continue;
            }
            let (touched, rows) = self.keys.entry(key).or_default();
            *touched = now;
            (self.result)(rows).into_iter().for_each(|row| *self.bag.entry(row).or_default() -= 1);
            *rows.entry((side, row)).or_default() += weight;
            rows.retain(|_, weight| *weight != 0);
            (self.result)(rows).into_iter().for_each(|row| *self.bag.entry(row).or_default() += 1);
        }
        self.bag.retain(|_, weight| *weight != 0);
    }
}

fn step(dataflow: &mut Dataflow, now: i64, bag: &mut Bag) {
    dataflow.advance(now);
    integrate(&dataflow.step().unwrap(), "preview", bag);
}

#[test]
fn what_nothing_touches_is_dropped_and_nothing_else_moves() {
    let queries: [(&str, bool, Results); 6] = [
        ("SELECT k, count(*), sum(n), max(n), count(DISTINCT n) FROM t GROUP BY k", false, totals),
        ("SELECT t.k, t.n, u.n FROM t JOIN u ON t.k = u.k", false, pairs),
        ("SELECT k, n FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k)", false, alone),
        ("SELECT DISTINCT k, n FROM t", true, different),
        (
            "SELECT k, n FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY n DESC) AS place FROM t) AS q WHERE place <= 2",
            false,
            largest,
        ),
        (
            "SELECT k, n FROM (SELECT *, rank() OVER (PARTITION BY k ORDER BY n DESC, k) AS place FROM (SELECT DISTINCT k, n FROM t) AS d) AS q WHERE place <= 99",
            true,
            different,
        ),
    ];
    for (query, by_row, result) in queries {
        for (format, workers, seed) in [("json", 1, 1), ("debezium_json", 1, 2), ("json", 3, 3), ("debezium_json", 2, 4)] {
            let program = program(format, query);
            assert!(program.uses_clock());
            let mut dataflow = program.start(config(workers, None)).unwrap();
            let mut model = Model { by_row, result, keys: BTreeMap::new(), bag: Bag::new() };
            let (mut bag, mut random, mut now) = (Bag::new(), Random(seed * 77 + 1), 1_700_000_000 * SECOND_NS);
            let mut rows: Vec<(usize, Row)> = vec![];
            let mut dropped = 0;
            for round in 0..120 {
                // Mostly within the time to live, at times past it.
                now += SECOND_NS * [1, 10, 19, 31, 60, 200][random.below(6) as usize];
                let mut changes = vec![];
                for _ in 0..random.below(4) {
                    if format == "debezium_json" && !rows.is_empty() && random.below(3) == 0 {
                        let (side, row) = rows.swap_remove(random.below(rows.len() as u64) as usize);
                        changes.push((side, row, -1));
                    } else {
                        let row = (format!("k{}", random.below(5)), random.below(6) as i32);
                        let side = random.below(2) as usize;
                        rows.push((side, row.clone()));
                        changes.push((side, row, 1));
                    }
                }
                for (of, row, weight) in &changes {
                    let delta = Delta { batch: batch(std::slice::from_ref(row)), weights: (*weight < 0).then(|| vec![*weight]) };
                    dataflow.push(["t", "u"][*of], delta).unwrap();
                }
                let before = model.keys.len();
                // Rows are told apart by what is read of them.
                let seen = |of: usize, row: Row| if of == 1 && query.contains("EXISTS") { (row.0, 0) } else { row };
                let reads_u = query.contains("JOIN u") || query.contains("FROM u");
                let changes = changes.into_iter().filter(|(of, ..)| *of == 0 || reads_u);
                let changes: Vec<_> = changes.map(|(of, row, weight)| (of, seen(of, row), weight)).collect();
                model.step(now, &changes);
                dropped += usize::from(model.keys.len() < before);
                step(&mut dataflow, now, &mut bag);
                assert_eq!(bag, model.bag, "{format}, {workers} worker(s), round {round}: {query}\n{}", program.explain());
            }
            assert!(dropped > 10, "hardly a key was dropped");
            assert_eq!(dataflow.take_row_errors(), []);
            dataflow.stop();
        }
    }
}

#[test]
fn operators_further_on_keep_what_they_were_given() {
    // The groups of the inner query are dropped; the outer one goes on with what they were.
    let program = program("json", "SELECT count(*), sum(c) FROM (SELECT k, count(*) AS c FROM t GROUP BY k) AS g");
    let mut dataflow = program.start(config(1, None)).unwrap();
    let (mut bag, start) = (Bag::new(), 1_700_000_000 * SECOND_NS);
    let row = |key: &str| batch(&[(key.to_string(), 1)]);
    for (seconds, key, expected) in
        [(0, "a", ["1", "1"]), (1, "a", ["1", "2"]), (90, "b", ["2", "3"]), (91, "a", ["3", "4"]), (92, "a", ["3", "5"])]
    {
        dataflow.push("t", Delta::insert(row(key))).unwrap();
        step(&mut dataflow, start + seconds * SECOND_NS, &mut bag);
        assert_eq!(bag, Bag::from([(expected.map(String::from).to_vec(), 1)]), "after {seconds} s");
    }
    dataflow.stop();
}

/// By how much memory grows, in MiB, while every key is new and never comes again.
fn growth(program: &Program) -> u64 {
    let mut dataflow = program.start(config(1, None)).unwrap();
    let (mut warm, mut given) = (0, 0);
    for round in 0..500i64 {
        let rows: Vec<Row> = (0..200).map(|n| (format!("{:0>300}", round * 200 + n), n as i32)).collect();
        dataflow.push("t", Delta::insert(batch(&rows))).unwrap();
        dataflow.push("u", Delta::insert(batch(&rows))).unwrap();
        dataflow.advance(round * 2 * SECOND_NS);
        given += dataflow.step().unwrap().iter().map(|output| output.changes.len()).sum::<usize>();
        if round == 200 {
            warm = resident_mib();
        }
    }
    assert_eq!(given, 100_000);
    let grown = resident_mib().saturating_sub(warm);
    dataflow.stop();
    grown
}

/// Format and query of programs whose state is dropped; the last one keeps everything.
const SOAKED: [(&str, &str); 5] = [
    ("json", "SELECT k, count(*), sum(n), count(DISTINCT n), max(n) FROM t GROUP BY k"),
    ("debezium_json", "SELECT k, count(*), sum(n), count(DISTINCT n), max(n) FROM t GROUP BY k"),
    ("json", "SELECT t.k, t.n, u.n FROM t JOIN u ON t.k = u.k"),
    ("json", "SELECT k, n FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY n) AS place FROM t) AS q WHERE place = 1"),
    ("json", "SELECT DISTINCT k, n FROM t"),
];
/// Set in a process that measures one of them.
const SOAK: &str = "CHIMERA_TEST_SOAK";

#[test]
fn dropped_state_is_freed() {
    let Ok(number) = std::env::var(SOAK) else {
        // Each in a process of its own: memory that something else has freed would be taken first, and growth not be seen.
        for number in 0..=SOAKED.len() {
            let mut again = std::process::Command::new(std::env::current_exe().unwrap());
            again.args(["--exact", "ttl::dropped_state_is_freed", "--nocapture"]).env(SOAK, number.to_string());
            assert!(again.status().unwrap().success());
        }
        return;
    };
    match SOAKED.get(number.parse::<usize>().unwrap()) {
        Some((format, query)) => {
            let grown = growth(&program(format, query));
            println!("with updating_ttl: {grown} MiB: {query}");
            assert!(grown < 12, "memory grew by {grown} MiB in 300 rounds of new keys: {query}");
        }
        None => {
            let tables = "CREATE TABLE t (k TEXT, n INT) WITH (connector = 'single_file', format = 'json');
                CREATE TABLE u (k TEXT, n INT) WITH (connector = 'single_file', format = 'json');";
            let kept = Program::parse_script(&format!("{tables}{};", SOAKED[0].1), &Functions::new(), &|_| None).unwrap();
            let grown = growth(&kept);
            println!("without it: {grown} MiB");
            assert!(grown > 18, "memory grew by {grown} MiB though everything is kept: the test sees nothing");
        }
    }
}

#[test]
fn explain_names_the_time_as_the_bound() {
    let text = program("debezium_json", "SELECT t.k, count(*) FROM t JOIN u ON t.k = u.k GROUP BY t.k").explain();
    assert!(text.contains("touched in the last 1 min (updating_ttl)") && text.contains("bounded by time"), "{text}");
    assert!(!text.contains("grows with"), "{text}");
    let text = program("json", "SELECT k, count(*) FROM t GROUP BY k").explain();
    assert!(text.contains("dropped when idle for 1 min") && !text.contains("grows with"), "{text}");
    // One key for all rows is never idle for itself.
    assert!(program("json", "SELECT count(*) FROM t").explain().contains("grows with nothing: bounded"));
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let alone = |setting: &str| {
        let sql =
            format!("CREATE TABLE t (k TEXT) WITH (connector = 'single_file', format = 'json');\n{setting};\nSELECT DISTINCT k FROM t;");
        Program::parse_script(&sql, &Functions::new(), &|_| None).map_err(|error| error.to_string())
    };
    for (setting, expected) in [
        ("SET updating_ttl = '1 month'", "is no time above zero of one length"),
        ("SET updating_ttl = '0 seconds'", "is no time above zero"),
        ("SET updating_ttl = 'soon'", "write days or less"),
        ("SET updating_ttl = INTERVAL '1 hour'; SET updating_ttl = '1 hour'", "is set twice"),
        ("SET parallelism = '4'", "there is no setting `parallelism`"),
        ("SET updating_ttl = 5", "line 2, column 20"),
    ] {
        let message = alone(setting).err().unwrap_or_else(|| panic!("accepted: {setting}"));
        assert!(message.contains(expected), "{setting}: {message}");
    }
    for value in ["INTERVAL '90' minutes", "'36 hours'", "INTERVAL '1 day'"] {
        alone(&format!("SET updating_ttl = {value}")).unwrap_or_else(|error| panic!("{value}: {error}"));
    }
    let stores = "CREATE TABLE t (k TEXT); CREATE TABLE o (k TEXT PRIMARY KEY) WITH (type = 'sink'); SET updating_ttl = '1 day'; INSERT INTO o SELECT k FROM t;";
    let message = Program::parse(stores, &Functions::new()).err().unwrap().to_string();
    assert!(message.contains("of scripts alone") && message.contains("WHERE at > now()"), "{message}");
}

#[test]
fn sessions_and_recursions_are_not_dropped() {
    let sql = "CREATE TABLE e (k TEXT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '2 hours') WITH (connector = 'single_file', format = 'json');
               SET updating_ttl = '1 minute';
               SELECT k, count(*) AS n FROM e GROUP BY k, session(INTERVAL '1 hour');";
    let program = Program::parse_script(sql, &Functions::new(), &|_| None).unwrap_or_else(|error| panic!("{error}"));
    let mut dataflow = program.start(config(1, None)).unwrap();
    let mut bag = Bag::new();
    for minute in [0, 30] {
        let k: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        let at: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![minute * 60 * SECOND_NS]));
        let rows = RecordBatch::try_from_iter_with_nullable([("k", k, true), ("at", at, true)]).unwrap();
        dataflow.advance(minute * 60 * SECOND_NS);
        dataflow.push("e", Delta::insert(rows)).unwrap();
        integrate(&dataflow.step().unwrap(), "preview", &mut bag);
    }
    assert_eq!(bag, Bag::new(), "the session is open");
    dataflow.end("e");
    integrate(&dataflow.step().unwrap(), "preview", &mut bag);
    assert_eq!(bag, Bag::from([(vec!["a".to_string(), "2".to_string()], 1)]));
    dataflow.stop();

    parse("debezium_json", "WITH RECURSIVE r(k) AS (SELECT k FROM t UNION SELECT u.k FROM r JOIN u ON u.k = r.k) SELECT k FROM r")
        .expect("a program");
}
