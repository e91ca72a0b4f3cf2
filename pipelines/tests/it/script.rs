//! Scripts from their files to their files, and through Kafka.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chimera_local::KafkaBroker;
use chimera_pipelines::script::{self, Options, Summary};
use chimera_sql::Functions;
use serde_json::{Value, json};

use crate::registry::Registry;

pub type Shown = Arc<Mutex<Vec<(String, usize)>>>;

pub fn options(shown: &Shown) -> Options {
    let shown = shown.clone();
    Options {
        workers: 1,
        preview: Box::new(move |query, _, changes| {
            shown.lock().unwrap().push((query.to_owned(), changes.weights.len()));
            Ok(())
        }),
        stop: Arc::new(AtomicBool::new(false)),
        late: None,
    }
}

pub fn run(sql: &str) -> Result<Summary, String> {
    let program = script::parse(sql, &Functions::new()).map_err(|error| error.to_string())?;
    script::run(&program, options(&Shown::default())).map_err(|error| error.to_string())
}

pub fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Orders of three customers, one a second; each costs its number.
fn orders(path: &Path, orders: u64) {
    let mut file = std::fs::File::create(path).unwrap();
    for n in 0..orders {
        let at = format!("2024-05-01T{:02}:{:02}:{:02}Z", n / 3_600, n / 60 % 60, n % 60);
        let line = json!({"id": n, "customer": {"name": format!("c{}", n % 3), "tags": ["a", null]}, "cents": n, "at": at, "unknown": [1]});
        writeln!(file, "{line}").unwrap();
    }
}

const ORDERS: &str = "CREATE TABLE orders (id BIGINT, customer STRUCT<name TEXT, tags TEXT[]>, cents INT, at TIMESTAMP, WATERMARK FOR at)
    WITH (connector = 'single_file', format = 'json', path = 'DIR/orders.json', type = 'source');\n";

fn in_folder(dir: &Path, sql: &str) -> String {
    (ORDERS.to_owned() + sql).replace("DIR", dir.to_str().unwrap())
}

#[test]
fn a_file_is_read_to_its_end_and_all_windows_are_written() {
    let dir = tempfile::tempdir().unwrap();
    orders(&dir.path().join("orders.json"), 7_205);
    let sql = in_folder(
        dir.path(),
        "CREATE TABLE hours (start TIMESTAMP, name TEXT, n BIGINT, cents BIGINT) WITH (connector = 'single_file', format = 'json', path = 'DIR/hours.json');
         INSERT INTO hours SELECT w['start'], name, n, cents FROM (
             SELECT tumble(INTERVAL '1 hour') AS w, customer['name'] AS name, count(*) AS n, sum(cents) AS cents FROM orders GROUP BY 1, 2) AS h;",
    );
    let summary = run(&sql).unwrap();
    assert_eq!((summary.read["orders"], summary.written["hours"], summary.bad, summary.ended), (7_205, 9, 0, true));
    let mut expected: BTreeMap<(u64, u64), (u64, u64)> = BTreeMap::new();
    for n in 0..7_205 {
        let (count, cents) = expected.entry((n / 3_600, n % 3)).or_default();
        (*count, *cents) = (*count + 1, *cents + n);
    }
    let mut found: Vec<String> = read(&dir.path().join("hours.json")).iter().map(Value::to_string).collect();
    found.sort();
    let mut rows: Vec<String> = expected
        .iter()
        .map(|((hour, customer), (n, cents))| {
            json!({"start": format!("2024-05-01T{hour:02}:00:00Z"), "name": format!("c{customer}"), "n": n, "cents": cents}).to_string()
        })
        .collect();
    rows.sort();
    assert_eq!(found, rows);
}

#[test]
fn a_changelog_adds_up_to_the_result() {
    let dir = tempfile::tempdir().unwrap();
    orders(&dir.path().join("orders.json"), 30_000);
    let totals = "CREATE TABLE totals (name TEXT PRIMARY KEY, n BIGINT, cents BIGINT)
         WITH (connector = 'single_file', format = 'debezium_json', path = 'DIR/totals.json', type = 'TYPE');";
    let written = in_folder(
        dir.path(),
        &(totals.replace("TYPE", "sink") + "INSERT INTO totals SELECT customer['name'], count(*), sum(cents) FROM orders GROUP BY 1;"),
    );
    run(&written).unwrap();
    // What was written is read again as a table, and joined with itself.
    let again = totals.replace("TYPE", "source").replace("DIR", dir.path().to_str().unwrap())
        + "CREATE TABLE sum (one INT PRIMARY KEY, n BIGINT, cents BIGINT) WITH (connector = 'single_file', format = 'debezium_json', path = 'SUM');
           INSERT INTO sum SELECT 1, sum(a.n), sum(b.cents) FROM totals AS a JOIN totals AS b ON a.name = b.name;";
    let sum = dir.path().join("sum.json");
    run(&again.replace("SUM", sum.to_str().unwrap())).unwrap();
    let last = read(&sum).pop().unwrap();
    assert_eq!(last["after"], json!({"one": 1, "n": 30_000, "cents": 30_000u64 * 29_999 / 2}), "{last}");
}

#[test]
fn columns_survive_parquet() {
    let dir = tempfile::tempdir().unwrap();
    orders(&dir.path().join("orders.json"), 5_000);
    let columns = "(id BIGINT, customer STRUCT<name TEXT, tags TEXT[]>, cents INT, at TIMESTAMP)";
    let folder = format!("CREATE TABLE lake {columns} WITH (connector = 'filesystem', format = 'parquet', path = 'DIR/lake', TYPE);");
    let into =
        folder.replace("TYPE", "type = 'sink', rollover_rows = '1000'") + "INSERT INTO lake SELECT id, customer, cents, at FROM orders;";
    run(&in_folder(dir.path(), &into)).unwrap();
    let parts: Vec<_> = std::fs::read_dir(dir.path().join("lake")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(parts.iter().all(|name| !name.to_string_lossy().starts_with('.')), "unfinished files: {parts:?}");
    let back = folder.replace("TYPE", "type = 'source'")
        + &format!(
            "CREATE TABLE copy {columns} WITH (connector = 'single_file', format = 'json', path = 'DIR/copy.json'); INSERT INTO copy SELECT * FROM lake;"
        );
    run(&back.replace("DIR", dir.path().to_str().unwrap())).unwrap();
    let mut copy = read(&dir.path().join("copy.json"));
    copy.sort_by_key(|row| row["id"].as_u64());
    let mut original = read(&dir.path().join("orders.json"));
    original.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("unknown")));
    assert_eq!(copy, original);
}

#[test]
fn compressed_lines_are_read_and_bad_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("n.json.gz");
    let mut file = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    file.write_all(b"{\"n\": 1}\n\n{\"n\": \"two\"}\r\n{\"n\": 3}").unwrap();
    file.finish().unwrap();
    let sql = |bad: &str| {
        format!(
            "CREATE TABLE n (n INT) WITH (connector = 'single_file', format = 'json', path = '{}', bad_data = '{bad}');
             CREATE TABLE out (n INT) WITH (connector = 'blackhole', format = 'json'); INSERT INTO out SELECT n FROM n;",
            path.display()
        )
    };
    let summary = run(&sql("drop")).unwrap();
    assert_eq!((summary.read["n"], summary.bad, summary.written["out"]), (2, 1, 2));
    let error = run(&sql("fail")).unwrap_err();
    assert!(error.contains("line 3: n: expected an integer") && error.contains("bad_data"), "{error}");
    assert!(run(&sql("perhaps")).unwrap_err().contains("must be fail or drop"));
}

#[test]
fn what_cannot_work_is_said_before_anything_runs() {
    let cases = [
        ("CREATE TABLE t (a INT); SELECT a FROM t;", "the option `connector` is missing"),
        (
            "CREATE TABLE t (a INT) WITH (connector = 'nosuch'); SELECT a FROM t;",
            "there are single_file, filesystem, kafka, sse, impulse, nexmark",
        ),
        ("CREATE TABLE t (a INT) WITH (connector = 'single_file', format = 'json'); SELECT a FROM t;", "option 'path' is missing"),
        (
            "CREATE TABLE t (a INT) WITH (connector = 'single_file', format = 'xml', path = '/dev/null'); SELECT a FROM t;",
            "there is no format `xml`",
        ),
        (
            "CREATE TABLE t (a INT) WITH (connector = 'single_file', format = 'json', path = '/nosuch.json'); SELECT a FROM t;",
            "cannot read `/nosuch.json`",
        ),
        ("CREATE TABLE t (a INT) WITH (connector = 'impulse'); SELECT a FROM t;", "its columns are counter, subtask_index, _timestamp"),
        ("CREATE TABLE t WITH (connector = 'impulse', event_rate = '-1'); SELECT counter FROM t;", "must be above zero"),
        ("CREATE TABLE t WITH (connector = 'impulse', evnt_rate = '1'); SELECT counter FROM t;", "unknown option 'evnt_rate'"),
        (
            "CREATE TABLE t WITH (connector = 'impulse'); CREATE TABLE s (a INT PRIMARY KEY) WITH (connector = 'tantivy'); INSERT INTO s SELECT counter::INT FROM t;",
            "does not keep rows by key",
        ),
    ];
    for (sql, expected) in cases {
        let error = run(sql).unwrap_err();
        assert!(error.contains(expected), "{sql}: {error}");
    }
}

#[test]
fn generated_rows_come_to_their_number() {
    let sql = "CREATE TABLE numbers WITH (connector = 'impulse', event_rate = '100000', message_count = '20000');
        CREATE TABLE events WITH (connector = 'nexmark', event_rate = '1000', message_count = '50000', paced = false);
        CREATE TABLE a (n BIGINT, m BIGINT) WITH (connector = 'blackhole', format = 'json');
        CREATE TABLE b (p BIGINT, a BIGINT, b BIGINT) WITH (connector = 'blackhole', format = 'json');
        INSERT INTO a SELECT count(*), max(counter) FROM numbers GROUP BY tumble(INTERVAL '10 ms', _timestamp);
        INSERT INTO b SELECT count(person['id']), count(auction['id']), count(bid['auction']) FROM events GROUP BY hop(INTERVAL '5 seconds', INTERVAL '10 seconds', _timestamp);
        SELECT bid['price'] FROM events WHERE bid IS NOT NULL;";
    let program = script::parse(sql, &Functions::new()).unwrap_or_else(|error| panic!("{error}"));
    let shown = Shown::default();
    let summary = script::run(&program, options(&shown)).unwrap();
    assert_eq!((summary.read["numbers"], summary.read["events"]), (20_000, 50_000));
    // Twenty thousand numbers, 10 ms of a thousand each; 50 seconds of events in windows that begin every five.
    assert!((20..=21).contains(&summary.written["a"]), "{summary:?}");
    assert_eq!(summary.written["b"], 11);
    assert_eq!(summary.written["preview"], 46_000);
    assert!(shown.lock().unwrap().iter().all(|(query, _)| query == "preview"));
}

#[test]
fn a_script_that_never_ends_is_stopped() {
    let sql = "CREATE TABLE numbers WITH (connector = 'impulse', event_rate = '1000'); SELECT counter FROM numbers;";
    let program = script::parse(sql, &Functions::new()).unwrap();
    let shown = Shown::default();
    let options = options(&shown);
    let stop = options.stop.clone();
    let running = std::thread::spawn(move || script::run(&program, options).unwrap());
    while shown.lock().unwrap().len() < 3 {
        std::thread::sleep(Duration::from_millis(10));
    }
    stop.store(true, Ordering::Relaxed);
    assert!(!running.join().unwrap().ended);
}

/// A broker, or a word on why there is none.
fn broker() -> Option<KafkaBroker> {
    match KafkaBroker::start() {
        Ok(broker) => Some(broker),
        Err(error) if error.is_missing() => {
            println!("skipped: no Kafka: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn late_rows_are_in_their_file() {
    let dir = tempfile::tempdir().unwrap();
    // More rows than a step takes, so that the watermark moves before the last two come, hours late.
    orders(&dir.path().join("orders.json"), 75_000);
    let mut file = std::fs::OpenOptions::new().append(true).open(dir.path().join("orders.json")).unwrap();
    for id in [75_001, 75_002] {
        writeln!(file, "{}", json!({"id": id, "customer": {"name": "late"}, "cents": id, "at": "2024-05-01T00:00:01Z"})).unwrap();
    }
    let sql = in_folder(
        dir.path(),
        "CREATE TABLE hours (name TEXT, n BIGINT) WITH (connector = 'blackhole', format = 'json');
         INSERT INTO hours SELECT customer['name'], count(*) FROM orders GROUP BY tumble(INTERVAL '1 hour'), 1;",
    );
    let late = dir.path().join("late.json");
    let program = script::parse(&sql, &Functions::new()).unwrap_or_else(|error| panic!("{error}"));
    let summary = script::run(&program, Options { late: Some(late.clone()), ..options(&Shown::default()) }).unwrap();
    let lines = read(&late);
    assert_eq!((summary.late, summary.refused.values().sum::<u64>(), lines.len()), (2, 2, 2), "{summary:?}");
    for line in &lines {
        assert_eq!(line["sinks"], json!(["hours"]));
        assert!(line["watermark"].as_str().unwrap().starts_with("2024-05-01T") && line["row"].to_string().contains("late"), "{line}");
    }
    let nowhere = Options { late: Some(dir.path().join("no/such/folder")), ..options(&Shown::default()) };
    assert!(script::run(&program, nowhere).unwrap_err().to_string().contains("no/such/folder"));
}

#[test]
fn windows_may_be_of_the_time_of_arrival() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("n.json"), "{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n").unwrap();
    let sql = format!(
        "CREATE TABLE n (n INT) WITH (connector = 'single_file', format = 'json', path = '{}/n.json');
         SELECT count(*), sum(n) FROM n GROUP BY tumble(INTERVAL '1 day');",
        dir.path().display()
    );
    let summary = run(&sql).unwrap();
    // Two days, at midnight.
    assert!(summary.read["n"] == 3 && (1..=2).contains(&summary.written["preview"]) && summary.ended, "{summary:?}");
}

#[test]
fn a_script_whose_source_is_silent_is_stopped_and_completes_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let sql = format!(
        "CREATE TABLE numbers WITH (connector = 'impulse', event_rate = '0.01');
         CREATE TABLE out (n BIGINT) WITH (connector = 'filesystem', format = 'parquet', path = '{}');
         INSERT INTO out SELECT counter FROM numbers; INSERT INTO out SELECT 7;",
        dir.path().display()
    );
    let program = script::parse(&sql, &Functions::new()).unwrap();
    let options = options(&Shown::default());
    let stop = options.stop.clone();
    let running = std::thread::spawn(move || script::run(&program, options).unwrap());
    std::thread::sleep(Duration::from_millis(300));
    stop.store(true, Ordering::Relaxed);
    assert!(!running.join().unwrap().ended);
}

#[test]
fn a_value_that_does_not_fit_its_column_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let table = |columns: &str, of: &str| {
        format!(
            "CREATE TABLE n ({columns}) WITH (connector = 'single_file', format = 'parquet', path = '{}/n.parquet', type = '{of}');",
            dir.path().display()
        )
    };
    run(&(table("n BIGINT", "sink") + "INSERT INTO n SELECT 5000000000;")).unwrap();
    let error = run(&(table("n INT", "source") + "SELECT n FROM n;")).unwrap_err();
    assert!(error.contains("`n`, which is Int64, is no Int32"), "{error}");
}

#[test]
fn columns_of_a_file_that_nobody_reads_are_not_decoded() {
    let dir = tempfile::tempdir().unwrap();
    let table = |columns: &str, of: &str| {
        let path = dir.path().join("n.parquet");
        format!(
            "CREATE TABLE n ({columns}) WITH (connector = 'single_file', format = 'parquet', path = '{}', type = '{of}');",
            path.display()
        )
    };
    run(&(table("a BIGINT, b BIGINT, c BIGINT", "sink") + "INSERT INTO n SELECT 1, 5000000000, 3;")).unwrap();
    let out = dir.path().join("out.json");
    let sql = |query: &str| {
        table("a BIGINT, b INT, c BIGINT", "source")
            + &format!(
                "CREATE TABLE out (x BIGINT) WITH (connector = 'single_file', format = 'json', path = '{}'); INSERT INTO out {query};",
                out.display()
            )
    };
    // `b` does not fit its column.
    for (query, expected) in [("SELECT c FROM n", 3), ("SELECT c - a FROM n", 2)] {
        run(&sql(query)).unwrap();
        assert_eq!(read(&out), [json!({"x": expected})]);
    }
    assert!(run(&sql("SELECT b FROM n")).unwrap_err().contains("`b`, which is Int64, is no Int32"));
}

#[test]
fn topics_are_read_and_written() {
    let Some(broker) = broker() else { return };
    records_of_a_topic(&broker);
    arrivals(&broker);
    avro(&broker);
}

/// A window of the time of arrival closes though no record comes any more.
fn arrivals(broker: &KafkaBroker) {
    let topic =
        format!("WITH (connector = 'kafka', bootstrap_servers = '{}', topic = 'arrivals', format = 'json'", broker.bootstrap_servers());
    run(&format!("CREATE TABLE out (n INT) {topic}, type = 'sink'); INSERT INTO out SELECT 1; INSERT INTO out SELECT 2;")).unwrap();
    let sql = format!("CREATE TABLE n (n INT) {topic}); SELECT count(*), sum(n) FROM n GROUP BY tumble(INTERVAL '500 ms');");
    let program = script::parse(&sql, &Functions::new()).unwrap_or_else(|error| panic!("{error}"));
    let shown = Shown::default();
    let options = options(&shown);
    let stop = options.stop.clone();
    let running = std::thread::spawn(move || script::run(&program, options).unwrap());
    while shown.lock().unwrap().is_empty() {
        assert!(!running.is_finished());
        std::thread::sleep(Duration::from_millis(10));
    }
    stop.store(true, Ordering::Relaxed);
    let summary = running.join().unwrap();
    assert!(summary.read["n"] == 2 && !summary.ended && summary.refused.is_empty(), "{summary:?}");
}

fn records_of_a_topic(broker: &KafkaBroker) {
    let dir = tempfile::tempdir().unwrap();
    orders(&dir.path().join("orders.json"), 3_000);
    let topic =
        format!("WITH (connector = 'kafka', bootstrap_servers = '{}', topic = 'cents', format = 'json'", broker.bootstrap_servers());
    let into = format!("CREATE TABLE out (cents INT) {topic}, type = 'sink'); INSERT INTO out SELECT cents FROM orders;");
    run(&in_folder(dir.path(), &into)).unwrap();
    let back = format!(
        "CREATE TABLE cents (cents INT, at BIGINT METADATA FROM 'offset') {topic}, 'source.until' = 'latest');
         CREATE TABLE sum (n BIGINT, cents BIGINT, offsets BIGINT) WITH (connector = 'single_file', format = 'debezium_json', path = '{}');
         INSERT INTO sum SELECT count(*), sum(cents), count(DISTINCT at) FROM cents;",
        dir.path().join("sum.json").display()
    );
    run(&back).unwrap();
    let last = read(&dir.path().join("sum.json")).pop().unwrap();
    assert_eq!(last["after"], json!({"n": 3_000, "cents": 3_000 * 2_999 / 2, "offsets": 3_000}));
}

/// What is written can be read byte by byte as Avro's specification has it, and what others wrote is read by their schema.
fn avro(broker: &KafkaBroker) {
    let registry = Registry::start();
    let dir = tempfile::tempdir().unwrap();
    let table = |name: &str, columns: &str, format: &str, rest: &str| {
        let registry = if format == "avro" { format!(", 'schema_registry.endpoint' = '{}'", registry.endpoint) } else { String::new() };
        let servers = broker.bootstrap_servers();
        format!(
            "CREATE TABLE {name} ({columns}) WITH (connector = 'kafka', bootstrap_servers = '{servers}', topic = 'avro', format = '{format}'{registry}{rest});\n"
        )
    };
    let file = |name: &str, columns: &str| {
        format!(
            "CREATE TABLE {name} ({columns}) WITH (connector = 'single_file', format = 'json', path = '{}/{name}.json');\n",
            dir.path().display()
        )
    };
    let columns = "name TEXT, n INT NOT NULL, at TIMESTAMP";
    let until = ", type = 'source', 'source.until' = 'latest'";
    run(&(table("out", columns, "avro", "")
        + "INSERT INTO out SELECT 'Zoe', 70, TIMESTAMP '1970-01-01 00:00:01'; INSERT INTO out SELECT NULL AS name, -1, NULL AS at;"))
    .unwrap();
    // Another program's record, with other fields in another order; one of a schema that nobody knows; and one that ends too early.
    let other = registry.register(r#"{"type":"record","name":"r","fields":[{"name":"n","type":"long"},{"name":"more","type":"string"},{"name":"name","type":"string"}]}"#);
    let others = [format!("00{other:08x}06046869026f"), "0000000063".to_owned(), format!("00{other:08x}0604")];
    let select = others.map(|record| format!("INSERT INTO raw SELECT decode('{record}', 'hex');")).concat();
    run(&(table("raw", "v BYTEA", "raw_bytes", ", type = 'sink'") + &select)).unwrap();

    let raw = table("raw", "v BYTEA", "raw_bytes", until) + &file("hex", "v TEXT") + "INSERT INTO hex SELECT encode(v, 'hex') FROM raw;";
    run(&raw).unwrap();
    let mut hex: Vec<String> = read(&dir.path().join("hex.json")).iter().map(|row| row["v"].as_str().unwrap().to_owned()).collect();
    hex.sort();
    // A null is the first of a union's kinds, a text its length and bytes; numbers are zigzagged: 70 is 140, a second is two million microseconds' worth.
    assert!(hex.contains(&"000000000102065a6f658c010280897a".to_owned()) && hex.contains(&"0000000001000100".to_owned()), "{hex:?}");

    let back = table("back", columns, "avro", &format!("{until}, bad_data = 'drop'"))
        + &file("rows", columns)
        + "INSERT INTO rows SELECT * FROM back;";
    let summary = run(&back).unwrap();
    let mut rows = read(&dir.path().join("rows.json"));
    rows.sort_by_key(|row| row["n"].as_i64());
    let expected = [
        json!({"name": null, "n": -1, "at": null}),
        json!({"name": "o", "n": 3, "at": null}),
        json!({"name": "Zoe", "n": 70, "at": "1970-01-01T00:00:01Z"}),
    ];
    assert_eq!((rows, summary.bad), (expected.to_vec(), 2));
    let error = run(&back.replace("'drop'", "'fail'")).unwrap_err();
    assert!(error.contains("no schema 99") || error.contains("ends too early"), "{error}");
}
