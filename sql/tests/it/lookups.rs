//! Lookup joins: with tables that stay as they are, against DataFusion's joins; with tables that change, against what each row was given.

use crate::data::Random;
use crate::harness::{Bag, block_on, config, texts};
use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take;
use chimera_sql::{DataflowConfig, Delta, Found, Functions, Lookup, Lookups, Program};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const TABLES: &str = "CREATE TABLE s (id INT PRIMARY KEY, k TEXT, r INT, at TIMESTAMP, WATERMARK FOR at) WITH (connector = 'single_file', format = 'FORMAT');
    CREATE TEMPORARY TABLE p (k TEXT METADATA FROM 'key' PRIMARY KEY, r BIGINT, name TEXT)
        WITH (connector = 'redis', type = 'lookup', address = 'redis://nowhere', 'lookup.cache.ttl' = INTERVAL '5' second);
    CREATE TABLE q (a INT, b TEXT, v BIGINT, PRIMARY KEY (a, b)) WITH (connector = 'postgres', type = 'lookup');\n";

fn parse(format: &str, sql: &str) -> Result<Program, String> {
    let sql = TABLES.replace("FORMAT", format) + sql;
    Program::parse_script(&sql, &Functions::new(), &|_| None).map_err(|error| error.to_string())
}

fn program(format: &str, sql: &str) -> Program {
    parse(format, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// A table in memory; its first columns are its key. Counts how often it was asked.
#[derive(Debug)]
struct Kept {
    key: usize,
    rows: Mutex<RecordBatch>,
    asked: Mutex<Vec<usize>>,
}

impl Kept {
    fn new(key: usize, rows: RecordBatch) -> Arc<Self> {
        Arc::new(Kept { key, rows: Mutex::new(rows), asked: Mutex::default() })
    }
}

impl Lookup for Kept {
    fn get(&self, keys: &[ArrayRef]) -> Result<Found, String> {
        let rows = self.rows.lock().unwrap();
        assert_eq!(keys.len(), self.key);
        assert!(keys.iter().zip(rows.columns()).all(|(asked, own)| asked.data_type() == own.data_type() && asked.null_count() == 0));
        self.asked.lock().unwrap().push(keys[0].len());
        let known = texts(&rows.columns()[..self.key]);
        let places: UInt32Array =
            texts(keys).iter().map(|key| known.iter().position(|known| known == key).map(|place| place as u32)).collect();
        let columns = rows.columns().iter().map(|column| take(column, &places, None).unwrap()).collect();
        Ok(Found { is_found: (0..places.len()).map(|row| Some(places.is_valid(row))).collect::<BooleanArray>(), columns })
    }
}

fn p(rows: &[(&str, Option<i64>, Option<&str>)]) -> RecordBatch {
    let k: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)));
    let r: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>());
    let name: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([("k", k, true), ("r", r, true), ("name", name, true)]).unwrap()
}

fn q(rows: &[(i32, &str, i64)]) -> RecordBatch {
    let a: ArrayRef = Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.0)));
    let b: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1)));
    let v: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2)));
    RecordBatch::try_from_iter_with_nullable([("a", a, true), ("b", b, true), ("v", v, true)]).unwrap()
}

fn s(rows: &[(i32, Option<&str>, Option<i32>)]) -> RecordBatch {
    let id: ArrayRef = Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.0)));
    let k: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>());
    let r: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Int32Array>());
    let at: ArrayRef =
        Arc::new(arrow::array::TimestampNanosecondArray::from_iter_values(rows.iter().map(|row| i64::from(row.0) * 1_000_000_000)));
    RecordBatch::try_from_iter_with_nullable([("id", id, true), ("k", k, true), ("r", r, true), ("at", at, true)]).unwrap()
}

fn with(workers: usize, tables: &[(&str, &Arc<Kept>)]) -> DataflowConfig {
    let lookups: Lookups = tables.iter().map(|(name, kept)| (name.to_string(), (*kept).clone() as Arc<dyn Lookup>)).collect();
    DataflowConfig { lookups, ..config(workers, None) }
}

fn add(bag: &mut Bag, outputs: &[chimera_sql::Output]) {
    for output in outputs {
        for (row, text) in texts(output.changes.batch.columns()).into_iter().enumerate() {
            *bag.entry(text).or_default() += output.changes.weight(row);
        }
    }
    bag.retain(|_, weight| *weight != 0);
}

fn afresh(query: &str, tables: &[(&str, RecordBatch)]) -> Bag {
    let batches = block_on(async {
        let context = SessionContext::new();
        for (name, batch) in tables {
            context.register_table(*name, Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch.clone()]]).unwrap())).unwrap();
        }
        context.sql(query).await.unwrap_or_else(|e| panic!("{query}: {e}")).collect().await.unwrap()
    });
    let mut bag = Bag::new();
    batches.iter().for_each(|batch| texts(batch.columns()).into_iter().for_each(|row| *bag.entry(row).or_default() += 1));
    bag
}

#[test]
fn a_table_that_stays_as_it_is_gives_an_ordinary_join() {
    let of_p = p(&[("a", Some(1), Some("one")), ("b", Some(2), None), ("c", None, Some("three")), ("", Some(4), Some("empty"))]);
    let of_q = q(&[(1, "a", 10), (1, "b", 11), (2, "a", 20)]);
    let keys = [Some("a"), Some("b"), Some("c"), Some("d"), Some(""), None];
    let mut rows = vec![];
    for (index, key) in keys.iter().cycle().take(40).enumerate() {
        rows.push((index as i32, *key, [Some(1), Some(2), None, Some(3)][index / 3 % 4]));
    }
    let of_s = s(&rows);
    let queries = [
        "SELECT s.id, p.name FROM s JOIN p ON s.k = p.k",
        "SELECT s.id, p.k, p.r, p.name FROM s LEFT JOIN p ON s.k = p.k",
        "SELECT s.id, p.r + 1, coalesce(p.name, 'none') FROM p RIGHT JOIN s ON p.k = s.k",
        "SELECT p.name, s.id FROM p JOIN s ON p.k = s.k AND p.r = s.r",
        "SELECT s.id, p.r, p.name FROM s LEFT JOIN p ON s.k = p.k AND p.r >= s.r",
        "SELECT s.id, p.name FROM s LEFT JOIN p ON s.k = p.k WHERE p.name <> 'one'",
        "SELECT s.id, p.name FROM s LEFT JOIN p ON s.k = p.k WHERE p.k IS NULL",
        "SELECT s.id, x.n FROM s LEFT JOIN (SELECT k, coalesce(name, 'none') AS n FROM p WHERE r > 1) AS x ON s.k = x.k",
        "SELECT s.id, p.name FROM s JOIN p ON upper(lower(s.k)) = upper('a') AND s.k = p.k",
        "SELECT id, k FROM s WHERE EXISTS (SELECT 1 FROM p WHERE p.k = s.k AND p.name IS NOT NULL)",
        "SELECT id, k FROM s WHERE NOT EXISTS (SELECT 1 FROM p WHERE p.k = s.k)",
        "SELECT id FROM s WHERE r = 1 OR EXISTS (SELECT 1 FROM p WHERE p.k = s.k AND p.r > 1)",
        "SELECT s.id, q.v FROM s LEFT JOIN q ON s.r = q.a AND s.k = q.b",
        "SELECT s.id, q.v FROM s JOIN q ON CAST(s.r AS BIGINT) = q.a AND q.b = s.k WHERE q.v > 10",
        "SELECT s.id, p.name, o.name, q.v FROM s LEFT JOIN p ON s.k = p.k LEFT JOIN p AS o ON p.name = o.k JOIN q ON s.r = q.a AND q.b = p.k",
        "SELECT p.name, count(*), max(s.id) FROM s JOIN p ON s.k = p.k GROUP BY p.name",
        "SELECT c.n, p.name FROM (SELECT k, count(*) AS n FROM s GROUP BY k) AS c LEFT JOIN p ON c.k = p.k",
        "SELECT a.id, b.id, p.name FROM s AS a JOIN s AS b ON a.r = b.r AND a.id < b.id LEFT JOIN p ON a.k = p.k",
    ];
    for query in queries {
        let expected = afresh(query, &[("s", of_s.clone()), ("p", of_p.clone()), ("q", of_q.clone())]);
        assert!(!expected.is_empty(), "{query}: no row");
        for (format, workers) in [("json", 1), ("json", 2), ("debezium_json", 1), ("debezium_json", 3)] {
            let (kept_p, kept_q) = (Kept::new(1, of_p.clone()), Kept::new(2, of_q.clone()));
            let mut dataflow = program(format, &format!("{query};")).start(with(workers, &[("p", &kept_p), ("q", &kept_q)])).unwrap();
            let mut bag = Bag::new();
            for start in (0..of_s.num_rows()).step_by(7) {
                let part = of_s.slice(start, 7.min(of_s.num_rows() - start));
                dataflow.push("s", Delta::insert(part)).unwrap();
                add(&mut bag, &dataflow.step().unwrap());
            }
            assert_eq!(bag, expected, "{format}, {workers} workers: {query}");
            assert_eq!(dataflow.take_row_errors(), []);
            dataflow.stop();
        }
    }
}

#[test]
fn what_goes_takes_the_answer_along_that_it_was_given() {
    const KEYS: [&str; 4] = ["a", "b", "c", "d"];
    for (query, inner, workers) in [
        ("SELECT s.id % 3, s.k, p.name FROM s LEFT JOIN p ON s.k = p.k;", false, 1),
        ("SELECT s.id % 3, s.k, p.name FROM s JOIN p ON s.k = p.k;", true, 3),
    ] {
        let kept = Kept::new(1, p(&[]));
        let mut dataflow = program("debezium_json", query).start(with(workers, &[("p", &kept)])).unwrap();
        let mut random = Random(77 + workers as u64);
        let (mut bag, mut expected) = (Bag::new(), Bag::new());
        // By row: the name that it was given.
        let mut rows: BTreeMap<i32, (&str, Option<String>)> = BTreeMap::new();
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        for round in 0..60 {
            for key in KEYS {
                match random.below(4) {
                    0 => drop(names.insert(key, format!("{key}{round}"))),
                    1 => drop(names.remove(key)),
                    _ => {}
                }
            }
            let table: Vec<_> = names.iter().map(|(key, name)| (*key, Some(1), Some(name.as_str()))).collect();
            *kept.rows.lock().unwrap() = p(&table);
            let mut line = |id: i32, key: &str, name: &Option<String>, weight: i64| {
                if !(inner && name.is_none()) {
                    let shown = name
                        .clone()
                        .unwrap_or_else(|| texts(&[arrow::array::new_null_array(&arrow::datatypes::DataType::Utf8, 1)])[0][0].clone());
                    *expected.entry(vec![(id % 3).to_string(), key.to_string(), shown]).or_default() += weight;
                }
            };
            let (mut batches, mut weights) = (vec![], vec![]);
            for id in 0..12 {
                if random.below(3) > 0 {
                    continue;
                }
                if let Some((key, name)) = rows.remove(&id) {
                    line(id, key, &name, -1);
                    batches.push((id, Some(key), None));
                    weights.push(-1);
                    if random.below(2) == 0 {
                        continue;
                    }
                    // An update; one that changes nothing leaves the row what it was given.
                    let next = KEYS[random.below(4) as usize];
                    let given = if next == key { name } else { names.get(next).cloned() };
                    line(id, next, &given, 1);
                    rows.insert(id, (next, given));
                    batches.push((id, Some(next), None));
                    weights.push(1);
                } else {
                    let key = KEYS[random.below(4) as usize];
                    let given = names.get(key).cloned();
                    line(id, key, &given, 1);
                    rows.insert(id, (key, given));
                    batches.push((id, Some(key), None));
                    weights.push(1);
                }
            }
            expected.retain(|_, weight| *weight != 0);
            dataflow.push("s", Delta { batch: s(&batches), weights: Some(weights) }).unwrap();
            add(&mut bag, &dataflow.step().unwrap());
            assert_eq!(bag, expected, "round {round}: {query}");
        }
        assert_eq!(dataflow.take_row_errors(), []);
        dataflow.stop();
    }
}

#[test]
fn rows_that_only_come_keep_nothing_and_ask_once_a_step() {
    let kept = Kept::new(1, p(&[("a", Some(1), Some("old"))]));
    let program = program("json", "SELECT s.id, p.name FROM s LEFT JOIN p ON s.k = p.k;");
    assert!(program.explain().contains("keeps nothing, since rows of its input only ever come"), "{}", program.explain());
    assert!(program.explain().contains("runs on Arroyo: yes"), "{}", program.explain());
    let mut dataflow = program.start(with(1, &[("p", &kept)])).unwrap();
    let mut bag = Bag::new();
    dataflow.push("s", Delta::insert(s(&[(1, Some("a"), None), (2, None, None)]))).unwrap();
    dataflow.push("s", Delta::insert(s(&[(3, Some("b"), None)]))).unwrap();
    add(&mut bag, &dataflow.step().unwrap());
    *kept.rows.lock().unwrap() = p(&[("a", Some(1), Some("new"))]);
    add(&mut bag, &dataflow.step().unwrap());
    dataflow.push("s", Delta::insert(s(&[(4, Some("a"), None)]))).unwrap();
    add(&mut bag, &dataflow.step().unwrap());
    let names: Vec<_> = bag.keys().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert!(names.contains(&("1", "old")) && names.contains(&("4", "new")) && names.len() == 4, "{names:?}");
    assert_eq!(*kept.asked.lock().unwrap(), [2, 1], "nulls are not asked for, and a step asks once");
    dataflow.stop();
    let changing = parse("debezium_json", "SELECT s.id, p.name FROM s LEFT JOIN p ON s.k = p.k;").unwrap().explain();
    assert!(changing.contains("the answer that each row was given"), "{changing}");
}

#[test]
fn closed_windows_are_looked_up_and_looked_up_rows_are_windowed() {
    let kept = Kept::new(1, p(&[("a", Some(1), Some("one")), ("b", Some(2), Some("two"))]));
    let rows: Vec<_> = (0..95).map(|n| (n, [Some("a"), Some("b"), Some("c")][n as usize % 3], Some(n))).collect();
    for query in [
        "INSERT INTO o SELECT p.name, count(*) FROM s LEFT JOIN p ON s.k = p.k GROUP BY tumble(INTERVAL '10 seconds'), p.name",
        "INSERT INTO o SELECT p.name, w.n FROM (SELECT k, count(*) AS n FROM s GROUP BY tumble(INTERVAL '10 seconds'), k) AS w LEFT JOIN p ON w.k = p.k",
    ] {
        let sink = "CREATE TABLE o (name TEXT, n BIGINT) WITH (connector = 'blackhole', format = 'json');";
        let mut dataflow = program("json", &format!("{sink}{query};")).start(with(2, &[("p", &kept)])).unwrap();
        let (mut bag, mut totals) = (Bag::new(), BTreeMap::new());
        for part in rows.chunks(9) {
            dataflow.push("s", Delta::insert(s(part))).unwrap();
            add(&mut bag, &dataflow.step().unwrap());
        }
        dataflow.end("s");
        add(&mut bag, &dataflow.step().unwrap());
        assert!(bag.values().all(|weight| *weight > 0));
        bag.iter().for_each(|(row, times)| *totals.entry(row[0].clone()).or_insert(0) += times * row[1].parse::<i64>().unwrap());
        let mut totals: Vec<i64> = totals.into_values().collect();
        totals.sort();
        assert_eq!((totals, bag.values().sum::<i64>()), (vec![31, 32, 32], 30), "{query}");
        assert_eq!(dataflow.take_row_errors(), []);
        dataflow.stop();
    }
}

#[test]
fn a_lookup_that_fails_ends_the_dataflow() {
    #[derive(Debug)]
    struct Away;
    impl Lookup for Away {
        fn get(&self, _: &[ArrayRef]) -> Result<Found, String> {
            Err("nobody is there".into())
        }
    }
    let program = program("json", "SELECT s.id, p.name FROM s JOIN p ON s.k = p.k;");
    assert!(program.start(config(1, None)).err().unwrap().to_string().contains("`p` is asked for rows by key, and nothing answers"));
    let lookups = Lookups::from([("p".to_string(), Arc::new(Away) as Arc<dyn Lookup>)]);
    let mut dataflow = program.start(DataflowConfig { lookups, ..config(2, None) }).unwrap();
    dataflow.push("s", Delta::insert(s(&[(1, Some("a"), None)]))).unwrap();
    assert_eq!(dataflow.step().unwrap_err().to_string(), "nobody is there");
    dataflow.stop();
}

#[test]
fn what_cannot_be_looked_up_is_refused_with_a_way_out() {
    let cases = [
        ("SELECT s.id, p.name\nFROM p LEFT JOIN s ON s.k = p.k;", "keeps rows of the lookup table `p`", "line 6, column 13"),
        ("SELECT s.id FROM s FULL JOIN p ON s.k = p.k;", "a Full join keeps rows of the lookup table", "line 5, column 25"),
        ("SELECT s.id FROM s JOIN p ON s.k = p.name;", "`p` is looked up by its key (k)", "line 5, column 25"),
        ("SELECT s.id FROM s JOIN q ON s.r = q.a;", "looked up by its key (a, b)", "line 5, column 25"),
        ("SELECT s.id FROM s, p;", "looked up by its key (k)", "line 5, column 21"),
        ("SELECT name FROM p;", "`p` is a lookup table: it can only be asked", "line 5, column 18"),
        (
            "SELECT max(x.name) FROM s JOIN (SELECT k, max(name) AS name FROM p GROUP BY k) AS x ON s.k = x.k;",
            "`p` is a lookup table",
            "line 5, column 66",
        ),
        ("SELECT p.name FROM p JOIN q ON p.k = q.b AND p.r = q.a;", "neither tells which rows", "line 5, column 27"),
        ("INSERT INTO p SELECT k, r, k FROM s;", "cannot be written to", "line 5, column 13"),
    ];
    for (query, expected, place) in cases {
        let message = parse("json", query).err().unwrap_or_else(|| panic!("accepted: {query}"));
        assert!(message.contains(expected) && message.contains(place), "{query}: {message}");
        assert!(message.contains("help: ") || message.contains('\n'), "no way out: {message}");
    }
    let declared = [
        ("CREATE TABLE t (a INT) WITH (type = 'lookup', connector = 'redis');", "has no PRIMARY KEY"),
        ("CREATE TABLE t (a INT PRIMARY KEY, b INT GENERATED ALWAYS AS (a) STORED) WITH (type = 'lookup');", "cannot be generated"),
        ("CREATE TABLE t (a INT PRIMARY KEY, b TEXT METADATA FROM 'key') WITH (type = 'lookup');", "METADATA FROM 'key'"),
        ("CREATE TABLE t (a INT PRIMARY KEY, t TIMESTAMP, WATERMARK FOR t) WITH (type = 'lookup');", "no watermark"),
        ("CREATE TEMPORARY VIEW t AS SELECT id FROM s;", "expected TABLE"),
        ("CREATE TABLE t (a INT PRIMARY KEY) WITH (type = 'lookup', 'lookup.cache.ttl' = interval 5);", "an interval in single quotes"),
    ];
    for (table, expected) in declared {
        let message = parse("json", table).err().unwrap_or_else(|| panic!("accepted: {table}"));
        assert!(message.contains(expected), "{table}: {message}");
    }
    let stores = "CREATE TABLE p (k TEXT PRIMARY KEY) WITH (connector = 'redis', type = 'lookup');";
    let message = Program::parse(stores, &Functions::new()).err().unwrap().to_string();
    assert!(
        message.contains("a store that is kept would differ") && message.contains("debezium_json") && message.contains("line 1, column 14"),
        "{message}"
    );
}
