//! `FOR SYSTEM_TIME AS OF`: the version of a row that was valid at a time.

use crate::data::Random;
use crate::harness::{Bag, block_on, config, integrate, texts};
use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray, TimestampNanosecondArray};
use chimera_sql::{Delta, Functions, Program};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use std::sync::Arc;

const TABLES: &str = "CREATE TABLE o (id INT, c TEXT, at TIMESTAMP) WITH (connector = 'single_file', format = 'json');
    CREATE TABLE rates (c TEXT PRIMARY KEY, id INT, since TIMESTAMP, WATERMARK FOR since) WITH (connector = 'single_file', format = 'json');
    CREATE TABLE present (c TEXT PRIMARY KEY, id INT) WITH (connector = 'single_file', format = 'debezium_json');
    CREATE TABLE timeless (c TEXT PRIMARY KEY, id INT) WITH (connector = 'single_file', format = 'json');
    CREATE TABLE asked (c TEXT PRIMARY KEY, id INT) WITH (connector = 'redis', type = 'lookup');
    CREATE VIEW v AS SELECT c, id, since FROM rates;\n";

fn parse(sql: &str) -> Result<Program, String> {
    Program::parse_script(&format!("{TABLES}{sql};"), &Functions::new(), &|_| None).map_err(|error| error.to_string())
}

fn rows(ids: std::ops::Range<i32>, random: &mut Random, time: &str) -> RecordBatch {
    let keys = ids.clone().map(|_| Some(["a", "b", "c"][random.below(3) as usize]).filter(|_| !random.one_in(9)));
    let c: ArrayRef = Arc::new(keys.collect::<Vec<_>>().into_iter().collect::<StringArray>());
    let id: ArrayRef = Arc::new(Int32Array::from_iter_values(ids.clone()));
    // Times that come once, so that each has one answer.
    let at: ArrayRef =
        Arc::new(TimestampNanosecondArray::from_iter_values(ids.map(|id| (random.below(500) as i64 * 1_000 + i64::from(id)) * 1_000_000)));
    RecordBatch::try_from_iter_with_nullable([("id", id, true), ("c", c, true), (time, at, true)]).unwrap()
}

fn afresh(query: &str, tables: &[(&str, &[RecordBatch])]) -> Bag {
    let batches = block_on(async {
        let context = SessionContext::new();
        for (name, batches) in tables {
            context.register_table(*name, Arc::new(MemTable::try_new(batches[0].schema(), vec![batches.to_vec()]).unwrap())).unwrap();
        }
        context.sql(query).await.unwrap_or_else(|e| panic!("{query}: {e}")).collect().await.unwrap()
    });
    let mut bag = Bag::new();
    batches.iter().for_each(|batch| texts(batch.columns()).into_iter().for_each(|row| *bag.entry(row).or_default() += 1));
    bag
}

#[test]
fn the_version_of_a_time_is_the_last_one_before_it() {
    let reference = |kind: &str| {
        format!(
            "WITH m AS (SELECT o.id AS oid, max(r.since) AS since FROM o JOIN rates r ON o.c = r.c AND r.since <= o.at GROUP BY o.id)
             SELECT o.id, r.id FROM o {kind} JOIN (SELECT m.oid, r.c, r.id FROM m JOIN rates r ON r.since = m.since) AS r ON r.oid = o.id AND r.c = o.c"
        )
    };
    let queries = [
        ("SELECT o.id, r.id FROM o LEFT JOIN rates r FOR SYSTEM_TIME AS OF o.at ON o.c = r.c", "LEFT"),
        ("SELECT o.id, r.id FROM o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.at AS r ON r.c = o.c", "LEFT"),
        ("SELECT o.id, rates.id FROM o LEFT JOIN rates FOR system_time AS OF o.at ON o.c = rates.c", "LEFT"),
        ("SELECT o.id, r.id FROM o JOIN rates FOR SYSTEM_TIME AS OF o.at r ON o.c = r.c", "INNER"),
        (
            "SELECT x, y FROM (SELECT o.id AS x, r.id AS y FROM o INNER JOIN rates AS r FOR SYSTEM_TIME AS OF o.at ON o.c = r.c WHERE o.id >= 0 OR o.id < 0) AS q",
            "INNER",
        ),
    ];
    for (query, kind) in queries {
        for workers in [1, 3] {
            let mut dataflow = parse(query).unwrap_or_else(|error| panic!("{query}: {error}")).start(config(workers, None)).unwrap();
            let mut random = Random(workers as u64 + 5);
            let (mut bag, mut orders, mut rates) = (Bag::new(), vec![], vec![]);
            for round in 0..8 {
                orders.push(rows(round * 100..round * 100 + 12, &mut random, "at"));
                rates.push(rows(round * 100 + 50..round * 100 + 58, &mut random, "since"));
                dataflow.push("o", Delta::insert(orders[round as usize].clone())).unwrap();
                dataflow.push("rates", Delta::insert(rates[round as usize].clone())).unwrap();
                integrate(&dataflow.step().unwrap(), "preview", &mut bag);
                let expected = afresh(&reference(kind), &[("o", &orders), ("rates", &rates)]);
                assert!(expected.len() > 3, "hardly a row");
                assert_eq!(bag, expected, "{workers} worker(s), round {round}: {query}");
            }
            assert_eq!(dataflow.take_row_errors(), []);
            dataflow.stop();
        }
    }
}

#[test]
fn a_lookup_table_has_the_version_of_when_it_is_asked() {
    let plain = parse("SELECT o.id, a.id FROM o LEFT JOIN asked AS a ON o.c = a.c").unwrap().explain();
    let versioned = parse("SELECT o.id, a.id FROM o LEFT JOIN asked FOR SYSTEM_TIME AS OF o.at AS a ON o.c = a.c").unwrap().explain();
    assert!(plain.contains("look up") && plain == versioned, "{plain}\n{versioned}");
}

#[test]
fn versions_that_are_not_there_are_refused() {
    let cases = [
        (
            "SELECT o.id FROM o LEFT JOIN present p FOR SYSTEM_TIME AS OF o.at ON o.c = p.c",
            "`present` is a table of changes",
            "format = 'json'",
        ),
        ("SELECT o.id FROM o LEFT JOIN timeless p FOR SYSTEM_TIME AS OF o.at ON o.c = p.c", "has no time", "WATERMARK FOR"),
        ("SELECT o.id FROM o LEFT JOIN v FOR SYSTEM_TIME AS OF o.at ON o.c = v.c", "`v` is no table", "ASOF JOIN"),
        ("SELECT r.id FROM rates r FOR SYSTEM_TIME AS OF now()", "is of the right side of a join", "LEFT JOIN"),
        ("SELECT o.id FROM o RIGHT JOIN rates r FOR SYSTEM_TIME AS OF o.at ON o.c = r.c", "keeps rows of `rates`", "LEFT JOIN"),
        ("SELECT o.id FROM o JOIN rates r FOR SYSTEM_TIME AS OF o.at USING (c)", "names its key with ON", "ON l.k = r.k"),
        ("SELECT o.id FROM o LEFT JOIN rates r FOR SYSTEM_TIME AS OF ON o.c = r.c", "needs a time", "AS OF o.at"),
    ];
    for (query, expected, way_out) in cases {
        let message = parse(query).err().unwrap_or_else(|| panic!("accepted: {query}"));
        assert!(message.contains(expected) && message.contains(way_out) && message.contains("line 7"), "{query}: {message}");
    }
}
