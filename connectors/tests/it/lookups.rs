//! Lookup tables against real servers: every type, what is not there, caches, servers that are away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chimera_connectors::Result;
use chimera_connectors::lookup::{Answers, LookupSpec, LookupTable, Patience};
use chimera_local::{TestPostgres, TestRedis};

const HASTY: Patience = Patience { tries: 4, first: Duration::from_millis(20), longest: Duration::from_millis(50) };
const PATIENT: Patience = Patience { tries: 60, first: Duration::from_millis(50), longest: Duration::from_millis(500) };

fn skipped(error: chimera_local::Error) {
    assert!(error.is_missing(), "{error}");
    eprintln!("skipped: {error}");
}

fn redis() -> Option<TestRedis> {
    TestRedis::start().map_err(skipped).ok()
}

fn postgres(sql: &str) -> Option<TestPostgres> {
    let server = TestPostgres::start().map_err(skipped).ok()?;
    server.query("postgres", sql).unwrap();
    Some(server)
}

fn spec(columns: &[(&str, DataType)], key: &[&str], options: &[(&str, &str)]) -> LookupSpec {
    let fields = columns.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect::<Vec<_>>();
    LookupSpec {
        table: "t".into(),
        schema: Arc::new(Schema::new(fields)),
        primary_key: key.iter().map(|name| (*name).to_owned()).collect(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>(),
        drop_bad: false,
    }
}

fn open(connector: &str, spec: &LookupSpec, patience: Patience) -> Result<LookupTable> {
    LookupTable::open(connector, spec, patience, Arc::new(AtomicBool::new(false)))
}

fn texts(keys: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(keys.to_vec()))
}

/// Each answer as text, `-` where there is none.
fn shown(answers: &Answers) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<_> = answers.columns.iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
    let row = |row: usize| match answers.is_found.value(row) {
        true => columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"),
        false => {
            assert!(answers.columns.iter().all(|column| column.is_null(row)));
            "-".to_owned()
        }
    };
    (0..answers.is_found.len()).map(row).collect()
}

fn every_type() -> Vec<(&'static str, DataType)> {
    let time = DataType::Timestamp(TimeUnit::Nanosecond, None);
    vec![
        ("k", DataType::Utf8),
        ("b", DataType::Boolean),
        ("i", DataType::Int32),
        ("l", DataType::Int64),
        ("d", DataType::Float64),
        ("n", DataType::Decimal128(12, 3)),
        ("t", DataType::Utf8),
        ("at", time),
        ("day", DataType::Date32),
        ("bytes", DataType::Binary),
    ]
}

#[test]
fn redis_gives_values_and_hashes() {
    let Some(server) = redis() else { return };
    server.ask(&["SET", "p:a", r#"{"i": 7, "name": "grün \"x\"", "unknown": [1]}"#]).unwrap();
    server.ask(&["SET", "p:b", r#"{"name": null}"#]).unwrap();
    server.ask(&["SET", "p:1:x", r#"{"i": 1}"#]).unwrap();
    server.ask(&["SET", "word", "hello"]).unwrap();
    server.ask(&["HSET", "h:a", "i", "7", "name", "grün \"x\"", "unknown", "?"]).unwrap();
    server.ask(&["HSET", "h:b", "other", "1"]).unwrap();
    let columns = [("k", DataType::Utf8), ("i", DataType::Int32), ("name", DataType::Utf8)];
    let url = server.url();
    for (prefix, target) in [("p:", "string"), ("h:", "hash")] {
        let options = [("address", url.as_str()), ("format", "json"), ("target", target), ("target.key_prefix", prefix)];
        let mut table = open("redis", &spec(&columns, &["k"], &options), HASTY).unwrap();
        table.check().unwrap();
        let answers = table.get(&[texts(&["a", "nosuch", "b", "a", ""])]).unwrap();
        assert_eq!(shown(&answers), ["a|7|grün \"x\"", "-", "b|null|null", "a|7|grün \"x\"", "-"], "{target}");
        assert_eq!(shown(&table.get(&[texts(&[])]).unwrap()), [""; 0]);
    }
    let two = [("a", DataType::Int32), ("b", DataType::Utf8), ("i", DataType::Int64)];
    let mut table = open("redis", &spec(&two, &["a", "b"], &[("address", &url), ("target.key_prefix", "p:")]), HASTY).unwrap();
    let answers = table.get(&[Arc::new(Int32Array::from(vec![1, 2])), texts(&["x", "x"])]).unwrap();
    assert_eq!(shown(&answers), ["1|x|1", "-"]);
    let raw = [("k", DataType::Utf8), ("value", DataType::Utf8)];
    let mut table = open("redis", &spec(&raw, &["k"], &[("address", &url), ("format", "raw_string")]), HASTY).unwrap();
    assert_eq!(shown(&table.get(&[texts(&["word", "wort"])]).unwrap()), ["word|hello", "-"]);
    // Many keys are several commands.
    let many: Vec<String> = (0..2_500).map(|n| format!("many{n}")).collect();
    for key in many.iter().step_by(5) {
        server.ask(&["SET", key, key]).unwrap();
    }
    let answers = table.get(&[Arc::new(StringArray::from_iter_values(&many))]).unwrap();
    assert_eq!((0..2_500).filter(|row| answers.is_found.value(*row)).count(), 500);
    assert_eq!(shown(&answers)[2_495], "many2495|many2495");
}

#[test]
fn postgres_gives_rows_by_their_key() {
    let Some(server) = postgres(
        "CREATE SCHEMA shop; CREATE TABLE shop.\"odd \"\"name\" (k TEXT PRIMARY KEY, b BOOL, i INT, l BIGINT, d FLOAT8, n NUMERIC(12,3), t TEXT, at TIMESTAMPTZ, day DATE, bytes BYTEA);
         INSERT INTO shop.\"odd \"\"name\" VALUES ('a', true, -7, 9007199254740993, 0.1, 123456789.125, E'x\"\\n', '2024-05-01 12:00:00.25+02', '2024-05-01', '\\x00ff'); INSERT INTO shop.\"odd \"\"name\" (k) VALUES ('b');
         CREATE TABLE u (id UUID, n SMALLINT, v VARCHAR(3) NOT NULL, PRIMARY KEY (id, n));
         INSERT INTO u VALUES ('7f0c1b2e-0000-4000-8000-000000000001', 1, 'one');
         CREATE TABLE several (k TEXT, v INT); INSERT INTO several VALUES ('a', 1), ('a', 2), ('b', 3);",
    ) else {
        return;
    };
    let url = server.url("postgres");
    let options = [("url", url.as_str()), ("schema", "shop"), ("table", "odd \"name")];
    let mut table = open("postgres", &spec(&every_type(), &["k"], &options), HASTY).unwrap();
    table.check().unwrap();
    let answers = table.get(&[texts(&["b", "a", "'; DROP TABLE u; --", "a"])]).unwrap();
    let a = "a|true|-7|9007199254740993|0.1|123456789.125|x\"\n|2024-05-01T10:00:00.250|2024-05-01|00ff";
    assert_eq!(shown(&answers), ["b|null|null|null|null|null|null|null|null|null", a, "-", a]);
    // A text that is no value of the key's type is the key of no row; the others are answered.
    let two = [("id", DataType::Utf8), ("n", DataType::Int32), ("v", DataType::Utf8)];
    let mut table = open("postgres", &spec(&two, &["id", "n"], &[("url", &url), ("table", "u")]), HASTY).unwrap();
    let ids = texts(&[
        "no uuid",
        "7f0c1b2e-0000-4000-8000-000000000001",
        "7f0c1b2e-0000-4000-8000-000000000001",
        "7f0c1b2e-0000-4000-8000-000000000001",
    ]);
    let answers = table.get(&[ids, Arc::new(Int32Array::from(vec![1, 1, 2, 70_000]))]).unwrap();
    assert_eq!(shown(&answers), ["-", "7f0c1b2e-0000-4000-8000-000000000001|1|one", "-", "-"]);
    // A key alone, without a column beside it.
    let mut table = open("postgres", &spec(&[("k", DataType::Utf8)], &["k"], &[("url", &url), ("table", "several")]), HASTY).unwrap();
    assert_eq!(shown(&table.get(&[texts(&["b", "c"])]).unwrap()), ["b", "-"]);
    let error = table.get(&[texts(&["b", "a"])]).unwrap_err().to_string();
    assert!(error.contains("table t: \"several\" has several rows with the key (k) = (a)"), "{error}");
    let wrong = |columns: &[(&str, DataType)], name: &str| {
        let mut table = open("postgres", &spec(columns, &["k"], &[("url", &url), ("table", name)]), HASTY).unwrap();
        table.check().unwrap_err().to_string()
    };
    assert!(wrong(&[("k", DataType::Utf8)], "nosuch").contains("there is no table or view \"nosuch\""));
    assert!(wrong(&[("k", DataType::Utf8), ("w", DataType::Utf8)], "several").contains("has no column \"w\"; it has k, v"));
    // More keys than go into one statement.
    let keys: Vec<String> = (0..25_000).map(|n| format!("k{n}")).collect();
    server
        .query(
            "postgres",
            "CREATE TABLE many (k TEXT PRIMARY KEY, v INT); INSERT INTO many SELECT 'k' || n, n FROM generate_series(0, 24999, 2) AS n",
        )
        .unwrap();
    let columns = [("k", DataType::Utf8), ("v", DataType::Int32)];
    let mut table = open("postgres", &spec(&columns, &["k"], &[("url", &url), ("table", "many")]), HASTY).unwrap();
    let answers = table.get(&[Arc::new(StringArray::from_iter_values(&keys))]).unwrap();
    let shown = shown(&answers);
    assert!(shown.iter().enumerate().all(|(n, row)| *row == if n % 2 == 0 { format!("k{n}|{n}") } else { "-".into() }));
}

#[test]
fn answers_are_kept_for_their_time_and_no_longer() {
    let Some(server) = redis() else { return };
    let columns = [("k", DataType::Utf8), ("i", DataType::Int32)];
    let url = server.url();
    let of = |options: &[(&str, &str)]| {
        let options = [&[("address", url.as_str())], options].concat();
        open("redis", &spec(&columns, &["k"], &options), HASTY).unwrap()
    };
    let (mut fresh, mut cached) = (of(&[]), of(&[("lookup.cache.ttl", "400 milliseconds"), ("lookup.cache.max_bytes", "100000")]));
    let mut kept = of(&[("lookup.cache.max_rows", "10")]);
    let ask = |table: &mut LookupTable| shown(&table.get(&[texts(&["a", "b"])]).unwrap());
    server.ask(&["SET", "a", r#"{"i": 1}"#]).unwrap();
    for table in [&mut fresh, &mut cached, &mut kept] {
        assert_eq!(ask(table), ["a|1", "-"]);
    }
    let since = Instant::now();
    server.ask(&["SET", "a", r#"{"i": 2}"#]).unwrap();
    server.ask(&["SET", "b", r#"{"i": 3}"#]).unwrap();
    assert_eq!(ask(&mut fresh), ["a|2", "b|3"], "without a cache every call asks");
    let answer = ask(&mut cached);
    assert!(answer == ["a|1", "-"] || since.elapsed() > Duration::from_millis(350), "{answer:?}");
    std::thread::sleep(Duration::from_millis(450));
    assert_eq!((ask(&mut cached), ask(&mut kept)), (vec!["a|2".into(), "b|3".into()], vec!["a|1".into(), "-".into()]));
}

#[test]
fn a_server_that_is_away_is_waited_for_in_bounds() {
    let Some(mut server) = redis() else { return };
    server.ask(&["SET", "a", r#"{"i": 1}"#]).unwrap();
    let columns = [("k", DataType::Utf8), ("i", DataType::Int32)];
    let url = server.url();
    let spec = spec(&columns, &["k"], &[("address", &url)]);
    let (mut hasty, mut patient) = (open("redis", &spec, HASTY).unwrap(), open("redis", &spec, PATIENT).unwrap());
    assert_eq!(shown(&hasty.get(&[texts(&["a"])]).unwrap()), ["a|1"]);
    assert_eq!(shown(&patient.get(&[texts(&["a"])]).unwrap()), ["a|1"]);
    server.stop().unwrap();
    let error = hasty.get(&[texts(&["a"])]).unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("lookup table t was asked 4 times in vain"), "{error}");
    // Who is stopped does not wait.
    let stop = Arc::new(AtomicBool::new(false));
    let mut stopped = LookupTable::open("redis", &spec, PATIENT, stop.clone()).unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(stopped.get(&[texts(&["a"])]).unwrap_err().to_string().contains("asked 1 times"));
    let waiting = std::thread::spawn(move || shown(&patient.get(&[texts(&["a"])]).unwrap()));
    std::thread::sleep(Duration::from_millis(300));
    server.start_again().unwrap();
    assert_eq!(waiting.join().unwrap(), ["a|1"]);
    assert_eq!(shown(&hasty.get(&[texts(&["a"])]).unwrap()), ["a|1"], "it goes on where it gave up");
}

#[test]
fn postgres_may_come_back() {
    let Some(mut server) = postgres("CREATE TABLE p (k TEXT PRIMARY KEY, i INT); INSERT INTO p VALUES ('a', 1)") else { return };
    let url = server.url("postgres");
    let columns = [("k", DataType::Utf8), ("i", DataType::Int32)];
    let mut table = open("postgres", &spec(&columns, &["k"], &[("url", &url), ("table", "p")]), PATIENT).unwrap();
    assert_eq!(shown(&table.get(&[texts(&["a"])]).unwrap()), ["a|1"]);
    server.query("postgres", "CHECKPOINT; UPDATE p SET i = 2").unwrap();
    server.crash_and_restart().unwrap();
    assert_eq!(shown(&table.get(&[texts(&["a", "b"])]).unwrap()), ["a|2", "-"]);
}

#[test]
fn what_cannot_be_read_is_told_or_left_out() {
    let Some(server) = redis() else { return };
    server.ask(&["SET", "bad", r#"{"i": "seven"}"#]).unwrap();
    server.ask(&["SET", "good", r#"{"i": 7}"#]).unwrap();
    server.ask(&["RPUSH", "list", "1"]).unwrap();
    let columns = [("k", DataType::Utf8), ("i", DataType::Int32)];
    let url = server.url();
    let mut spec = spec(&columns, &["k"], &[("address", &url)]);
    let error = open("redis", &spec, HASTY).unwrap().get(&[texts(&["good", "bad"])]).unwrap_err().to_string();
    assert!(error.contains("table t: the row of the key (bad) cannot be read: i:") && error.contains("bad_data = 'drop'"), "{error}");
    spec.drop_bad = true;
    let answers = open("redis", &spec, HASTY).unwrap().get(&[texts(&["good", "bad", "bad"])]).unwrap();
    assert_eq!((shown(&answers), answers.bad), (vec!["good|7".into(), "-".into(), "-".into()], 1));
    spec.options.insert("target".into(), "hash".into());
    let error = open("redis", &spec, HASTY).unwrap().get(&[texts(&["list"])]).unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("WRONGTYPE"), "{error}");
}

#[test]
fn options_are_read_strictly() {
    let columns = [("k", DataType::Utf8), ("i", DataType::Int32)];
    type Options = [(&'static str, &'static str)];
    let cases: [(&str, &Options, &str); 9] = [
        ("mysql", &[], "no lookup connector 'mysql'; there are redis, postgres"),
        ("redis", &[], "option 'address' is missing"),
        ("redis", &[("address", "redis://h"), ("adress", "x")], "unknown option 'adress'"),
        ("redis", &[("address", "user:secret@h")], "is not of the form redis://"),
        ("redis", &[("address", "redis://h"), ("target", "list")], "neither 'string' nor 'hash'"),
        ("redis", &[("address", "redis://h"), ("format", "debezium_json")], "is of changes"),
        ("redis", &[("address", "redis://h"), ("lookup.cache.ttl", "0 seconds")], "is no time above zero"),
        ("postgres", &[("url", "mysql://user:secret@h"), ("table", "t")], "is not of the form postgres://"),
        ("postgres", &[("url", "postgres://h/d")], "option 'table' is missing"),
    ];
    for (connector, options, expected) in cases {
        let error = open(connector, &spec(&columns, &["k"], options), HASTY).err().unwrap_or_else(|| panic!("{options:?}")).to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{options:?}: {error}");
    }
}
