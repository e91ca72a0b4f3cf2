//! What values look like in an envelope.

use serde_json::{Value, json};

use super::support::{Bench, records, server, transactions};

const SCHEMA: &str = r#"
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN cents AS integer CHECK (VALUE >= 0);
CREATE TABLE everything (
  id uuid PRIMARY KEY, b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, n numeric, n2 numeric(12,3), c char(4),
  v varchar(20), t text, y bytea, j json, jb jsonb, d date, tm time, tmz timetz, ts timestamp, tz timestamptz, iv interval, bit1 bit, bits bit(10),
  vb bit varying, ip inet, m mood, dom cents, ta text[], ia integer[], ua uuid[], tza timestamptz[], ba bytea[], ma mood[], ia2 integer[], nothing text,
  "odd ""name""" text, g bigint GENERATED ALWAYS AS (i4::bigint * 2) STORED
);
ALTER TABLE everything REPLICA IDENTITY FULL;
"#;

const ROW: &str = r#"
INSERT INTO everything VALUES (
  '{id}', true, -32768, 2147483647, -9223372036854775808, 1.5, 'NaN', 12345678901234567890.123456789, 12.34, 'ab',
  'vc', E'quote " slash \\ tab \t line \n zero\u0001 žluť 🐎', '\x00ff10', '{"a":  1}', '{"b": 2, "a": [1, null]}',
  '2010-12-01', '08:26:00.5', '10:00:00+02', '2010-12-01 08:26:00.123456', '2010-12-01 08:26:00.000001+00', '1 day 02:00:00', B'1', B'1000000001',
  B'101', '10.0.0.1/24', 'happy', 42, ARRAY['a', 'b "c"', NULL, 'NULL', ''], '{1,NULL,-3}', ARRAY['0a8f6a44-95d6-4a6e-8a2c-5b8d1c0f3a77'::uuid],
  ARRAY['2010-12-01 08:26:00+00'::timestamptz], ARRAY['\x01'::bytea], ARRAY['sad', 'happy']::mood[], '{{1,2},{3,4}}', NULL, 'x'
);
"#;

fn expected(id: &str) -> Value {
    json!({
        "id": id, "b": true, "i2": -32768, "i4": 2147483647, "i8": i64::MIN, "f4": 1.5, "f8": "NaN", "n": "12345678901234567890.123456789", "n2": "12.340",
        "c": "ab  ", "v": "vc", "t": "quote \" slash \\ tab \t line \n zero\u{1} žluť 🐎", "y": "AP8Q", "j": "{\"a\":  1}", "jb": "{\"a\": [1, null], \"b\": 2}",
        "d": 14944, "tm": 30_360_500_000_i64, "tmz": "08:00:00Z", "ts": 1_291_191_960_123_456_i64, "tz": "2010-12-01T08:26:00.000001Z",
        "iv": 93_600_000_000_i64, "bit1": true, "bits": "AQI=", "vb": "BQ==", "ip": "10.0.0.1/24", "m": "happy", "dom": 42,
        "ta": ["a", "b \"c\"", null, "NULL", ""], "ia": [1, null, -3], "ua": ["0a8f6a44-95d6-4a6e-8a2c-5b8d1c0f3a77"], "tza": ["2010-12-01T08:26:00Z"],
        "ba": ["AQ=="], "ma": ["sad", "happy"], "ia2": [[1, 2], [3, 4]], "nothing": null, "odd \"name\"": "x",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_looks_alike_in_snapshot_and_stream() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    // Whatever a server's defaults are.
    for (setting, value) in [
        ("timezone", "America/New_York"),
        ("datestyle", "SQL, DMY"),
        ("intervalstyle", "sql_standard"),
        ("bytea_output", "escape"),
        ("extra_float_digits", "-5"),
    ] {
        bench.execute(&format!("ALTER DATABASE {} SET {setting} = '{value}'", bench.service)).await;
    }
    let ids = ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"];
    bench.execute(&ROW.replace("{id}", ids[0])).await;
    let running = bench.start(&["public.everything"]);
    bench.caught_up(&running.handle).await;
    bench.execute(&ROW.replace("{id}", ids[1])).await;
    bench.caught_up(&running.handle).await;
    running.stop().await;
    let logged = transactions(&*bench.log, &bench.service).await;
    let changes: Vec<&Value> = logged.iter().flat_map(|transaction| &transaction.changes).collect();
    assert_eq!(changes.len(), 2);
    for (change, (op, id)) in changes.iter().zip([("r", ids[0]), ("c", ids[1])]) {
        assert_eq!((&change["op"], &change["before"]), (&json!(op), &Value::Null));
        let (after, expected) = (&change["after"], expected(id));
        for (column, value) in expected.as_object().expect("an object") {
            assert_eq!(&after[column], value, "{op} {column}");
        }
        assert_eq!(
            after.as_object().map(serde_json::Map::len),
            expected.as_object().map(serde_json::Map::len),
            "generated columns are not published"
        );
    }
    let source = &changes[1]["source"];
    for (field, value) in [
        ("connector", json!("postgresql")),
        ("name", json!(bench.service)),
        ("db", json!(bench.service)),
        ("schema", json!("public")),
        ("table", json!("everything")),
        ("snapshot", json!("false")),
        ("xmin", Value::Null),
    ] {
        assert_eq!(source[field], value, "{field}");
    }
    let xid = logged
        .iter()
        .find(|transaction| !transaction.id.starts_with("snapshot:") && !transaction.changes.is_empty())
        .map(|t| t.id.split(':').next().map(str::to_owned));
    assert_eq!(xid.flatten(), Some(source["txId"].to_string()));
    assert_eq!(changes[0]["source"]["snapshot"], "last");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_change_and_values_that_are_not_sent() {
    let Some(server) = server() else { return };
    let schema = "CREATE TABLE whole (a integer, b text, big text, n integer, PRIMARY KEY (b, a)); ALTER TABLE whole REPLICA IDENTITY FULL;
                  CREATE TABLE part (id integer PRIMARY KEY, big text, n integer); CREATE TABLE keyless (n integer); ALTER TABLE keyless REPLICA IDENTITY FULL;
                  ALTER TABLE whole ALTER big SET STORAGE EXTERNAL; ALTER TABLE part ALTER big SET STORAGE EXTERNAL;";
    let bench = Bench::new(server, schema).await;
    let running = bench.start(&["public.whole", "public.part", "public.keyless"]);
    bench.caught_up(&running.handle).await;
    let big = "x".repeat(20_000);
    bench
        .execute(&format!(
            "INSERT INTO whole VALUES (1, 'k', '{big}', 1); INSERT INTO part VALUES (1, '{big}', 1); INSERT INTO keyless VALUES (1)"
        ))
        .await;
    bench.execute("UPDATE whole SET n = 2; UPDATE part SET n = 2; UPDATE keyless SET n = 2").await;
    bench.execute("UPDATE whole SET a = 5; UPDATE part SET id = 5").await;
    bench.execute("DELETE FROM whole; DELETE FROM part; DELETE FROM keyless").await;
    bench.caught_up(&running.handle).await;
    running.stop().await;
    transactions(&*bench.log, &bench.service).await;

    let of = async |table: &str| {
        let records = records(&*bench.log, &format!("{}.public.{table}", bench.service)).await;
        let short = |row: &Value| if row["big"] == big.as_str() { format!("{}", row).replace(&big, "BIG") } else { row.to_string() };
        let line = |(key, value): &(Option<Value>, Option<Value>)| {
            let value = value.as_ref().map_or("tombstone".to_owned(), |v| {
                format!("{} {} -> {}", v["op"].as_str().expect("op"), short(&v["before"]), short(&v["after"]))
            });
            format!("{} {value}", key.as_ref().map_or("-".to_owned(), sorted))
        };
        records.iter().map(line).collect::<Vec<_>>()
    };
    let row = |pairs: &str| sorted(&serde_json::from_str(pairs).expect("JSON"));
    let (k1, k5) = (row(r#"{"b":"k","a":1}"#), row(r#"{"b":"k","a":5}"#));
    let whole = |a: i32, n: i32| row(&format!(r#"{{"a":{a},"b":"k","big":"BIG","n":{n}}}"#));
    assert_eq!(
        of("whole").await,
        [
            format!("{k1} c null -> {}", whole(1, 1)),
            format!("{k1} u {} -> {}", whole(1, 1), whole(1, 2)),
            format!("{k1} d {} -> null", whole(1, 2)),
            format!("{k1} tombstone"),
            format!("{k5} c null -> {}", whole(5, 2)),
            format!("{k5} d {} -> null", whole(5, 2)),
            format!("{k5} tombstone"),
        ]
    );
    let part = |id: i32, big: &str, n: &str| row(&format!(r#"{{"id":{id},"big":{big},"n":{n}}}"#));
    assert_eq!(
        of("part").await,
        [
            format!(r#"{{"id":1}} c null -> {}"#, part(1, "\"BIG\"", "1")),
            format!(r#"{{"id":1}} u null -> {}"#, part(1, "\"__debezium_unavailable_value\"", "2")),
            format!(r#"{{"id":1}} d {} -> null"#, part(1, "null", "null")),
            r#"{"id":1} tombstone"#.to_owned(),
            format!(r#"{{"id":5}} c null -> {}"#, part(5, "\"__debezium_unavailable_value\"", "2")),
            format!(r#"{{"id":5}} d {} -> null"#, part(5, "null", "null")),
            r#"{"id":5} tombstone"#.to_owned(),
        ]
    );
    assert_eq!(of("keyless").await, [r#"- c null -> {"n":1}"#, r#"- u {"n":1} -> {"n":2}"#, r#"- d {"n":2} -> null"#]);
}

/// A value's text, the same whatever order serde_json keeps.
fn sorted(value: &Value) -> String {
    value.to_string()
}
