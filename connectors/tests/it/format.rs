//! Decoding, against answers written by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use chimera_connectors::format::{Decoded, Decoder, Format};
use chimera_connectors::log::{Entry, Record};
use serde_json::{Value, json};

fn schema(fields: &[(&str, DataType, bool)]) -> SchemaRef {
    Arc::new(Schema::new(fields.iter().map(|(name, kind, nullable)| Field::new(*name, kind.clone(), *nullable)).collect::<Vec<_>>()))
}

fn decoder(format: Format, schema: SchemaRef) -> Decoder {
    Decoder::new(format, schema, BTreeMap::new()).expect("a table that can be decoded")
}

fn entries<V: AsRef<[u8]>>(values: &[Option<V>]) -> Vec<Entry> {
    let record = |value: &Option<V>| {
        let value = value.as_ref().map(|value| Bytes::copy_from_slice(value.as_ref()));
        Record::new(Some(Bytes::from_static(b"{\"id\":1}")), value, 1_291_191_960_000)
    };
    values.iter().enumerate().map(|(nth, value)| Entry { offset: 100 + nth as u64, record: record(value) }).collect()
}

/// Rows as text: the weight, then the columns.
fn rows(decoded: &Decoded) -> Vec<String> {
    let batch: &RecordBatch = &decoded.changes.batch;
    let options = FormatOptions::new().with_null("NULL");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).expect("a printable column")).collect();
    let row = |nth: usize| columns.iter().map(|column| column.value(nth).to_string()).collect::<Vec<_>>().join("|");
    decoded.changes.weights.iter().enumerate().map(|(nth, weight)| format!("{weight:+} {}", row(nth))).collect()
}

fn errors(decoded: &Decoded) -> Vec<String> {
    decoded.bad.iter().map(|bad| format!("{}@{} {}", bad.index, bad.offset, bad.error)).collect()
}

fn envelope(op: &str, before: Value, after: Value) -> Option<String> {
    let source = json!({"version": "1", "connector": "postgresql", "sequence": "[\"1\",\"2\"]", "table": "items", "nested": {"deep": [1, {"a": "}"}]}});
    Some(json!({"before": before, "after": after, "source": source, "transaction": {"id": "7:99"}, "op": op, "ts_ms": 1}).to_string())
}

fn items() -> SchemaRef {
    schema(&[("id", DataType::Utf8, false), ("quantity", DataType::Int32, true), ("price", DataType::Decimal128(12, 3), true)])
}

#[test]
fn changes_become_weighted_rows_in_order() {
    let (one, two) = (json!({"id": "a", "quantity": 1, "price": "1.500"}), json!({"id": "a", "quantity": -2, "price": null}));
    let values = [
        envelope("r", Value::Null, one.clone()),
        envelope("u", one.clone(), two.clone()),
        None,
        envelope("c", Value::Null, json!({"id": "b", "unknown": [1, {"x": null}], "price": "2"})),
        envelope("d", two, Value::Null),
        envelope("m", Value::Null, Value::Null),
    ];
    let decoded = decoder(Format::DebeziumJson, items()).decode("orders.public.items", 0, &entries(&values));
    assert_eq!(errors(&decoded), [""; 0]);
    assert_eq!(rows(&decoded), ["+1 a|1|1.500", "-1 a|1|1.500", "+1 a|-2|NULL", "+1 b|NULL|2.000", "-1 a|-2|NULL"]);
    assert_eq!(decoded.origins, [0, 1, 1, 3, 4]);
}

#[test]
fn an_envelope_may_come_with_its_schema() {
    let envelope = envelope("c", Value::Null, json!({"id": "a"})).expect("an envelope");
    let wrapped = format!(r#"{{"schema":{{"type":"struct","fields":[]}},"payload":{envelope}}}"#);
    let decoded = decoder(Format::DebeziumJson, items()).decode("orders.public.items", 0, &entries(&[Some(wrapped)]));
    assert_eq!((rows(&decoded), errors(&decoded).len()), (vec!["+1 a|NULL|NULL".to_owned()], 0));
}

#[test]
fn every_type_from_what_debezium_writes() {
    let list = |kind| DataType::List(Arc::new(Field::new("item", kind, true)));
    let table = schema(&[
        ("b", DataType::Boolean, true),
        ("i2", DataType::Int16, true),
        ("i8", DataType::Int64, true),
        ("f4", DataType::Float32, true),
        ("f8", DataType::Float64, true),
        ("t", DataType::Utf8, true),
        ("n", DataType::Decimal128(38, 10), true),
        ("ts", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
        ("tz", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
        ("d", DataType::Date32, true),
        ("y", DataType::Binary, true),
        ("l", list(DataType::Utf8), true),
        ("e", list(DataType::Float32), true),
    ]);
    let after = json!({
        "b": true, "i2": -32768, "i8": i64::MAX, "f4": 1.5, "f8": "NaN", "t": "žluť \"q\"\n", "n": "1234567890123456789012345678.0123456789",
        "ts": 1_291_191_960_123_456_i64, "tz": "2010-12-01T08:26:00.123456Z", "d": 14_944, "y": "AAH/", "l": ["a", null, ""], "e": [0.25, -1, 1e3],
    });
    let decoded = decoder(Format::DebeziumJson, table).decode("s.public.t", 0, &entries(&[envelope("c", Value::Null, after)]));
    assert_eq!(errors(&decoded), [""; 0]);
    let expected = "+1 true|-32768|9223372036854775807|1.5|NaN|žluť \"q\"\n|1234567890123456789012345678.0123456789|2010-12-01T08:26:00.123456|\
                    2010-12-01T08:26:00.123456|2010-12-01|0001ff|[a, NULL, ]|[0.25, -1.0, 1000.0]";
    assert_eq!(rows(&decoded), [expected]);
}

#[test]
fn a_bad_record_is_named_and_the_others_are_decoded() {
    let good = json!({"id": "a", "quantity": 1, "price": "1"});
    let values = [
        envelope("c", Value::Null, json!({"id": "a", "quantity": "one"})),
        envelope("c", Value::Null, json!({"id": "a", "quantity": 3_000_000_000_i64})),
        envelope("c", Value::Null, json!({"id": "a", "price": "0.12345"})),
        envelope("c", Value::Null, json!({"quantity": 1})),
        envelope("u", Value::Null, good.clone()),
        envelope("c", Value::Null, json!({"id": "a", "price": "__debezium_unavailable_value"})),
        envelope("c", Value::Null, Value::Null),
        envelope("x", Value::Null, good.clone()),
        envelope("t", Value::Null, Value::Null),
        Some("poison".to_owned()),
        Some(r#"{"op":"c","after":{"id":"a""#.to_owned()),
        Some("{}".to_owned()),
        envelope("u", json!({"id": "a", "quantity": {"v": 1}}), good.clone()),
        envelope("c", Value::Null, good),
    ];
    let decoded = decoder(Format::DebeziumJson, items()).decode("orders.public.items", 0, &entries(&values));
    assert_eq!(rows(&decoded), ["+1 a|1|1.000"]);
    let expected = [
        "0@100 after.quantity: expected an integer of 32 bits, found one",
        "1@101 after.quantity: expected an integer of 32 bits, found 3000000000",
        "2@102 after.price: expected a decimal(12, 3), found 0.12345",
        "3@103 after.id: is missing or null, and the column is NOT NULL",
        "4@104 an update does not say what the row was before: ALTER TABLE public.items REPLICA IDENTITY FULL, then take a new snapshot",
        "5@105 PostgreSQL did not send every value (one kept out of line and untouched): ALTER TABLE public.items REPLICA IDENTITY FULL, then update \
         the row",
        "6@106 `after` is missing in a change with op `c`",
        "7@107 there is no op `x`; c, r, u and d are known",
        "8@108 public.items was truncated, which an envelope does not tell the rows of: DELETE the rows instead",
        "9@109 expected an object at byte 0",
        "10@110 expected `,` or `}` at byte 27",
        "11@111 `op` is missing: not a Debezium envelope",
        "12@112 before.quantity: expected an integer of 32 bits, found an object",
    ];
    assert_eq!(errors(&decoded), expected);
}

#[test]
fn events_are_rows_and_milliseconds_are_times() {
    let table = schema(&[
        ("type", DataType::Utf8, false),
        ("sku", DataType::Utf8, true),
        ("occurred_at", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
        ("context", DataType::Utf8, true),
    ]);
    let values = [
        Some(r#"{"type":"view","sku":"85123A","occurred_at":"2010-12-01T09:26:00+01:00","context":{"a": [1, 2.50]}}"#),
        Some(r#" {"occurred_at":1291191960500,"type":"__debezium_unavailable_value"} "#),
        Some(r#"{"type":7}"#),
        Some(r#"{"type":"view"} trailing"#),
        None,
    ];
    let decoded = decoder(Format::Json, table).decode("clickstream", 0, &entries(&values));
    let expected =
        [r#"+1 view|85123A|2010-12-01T08:26:00|{"a": [1, 2.50]}"#, "+1 __debezium_unavailable_value|NULL|2010-12-01T08:26:00.500|NULL"];
    assert_eq!(rows(&decoded), expected);
    assert_eq!(errors(&decoded), ["2@102 type: expected a string, found 7", "3@103 something follows the value at byte 16"]);
}

#[test]
fn what_is_known_about_a_record_fills_columns() {
    let table = schema(&[
        ("position", DataType::Int64, false),
        ("line", DataType::Utf8, false),
        ("part", DataType::Int32, false),
        ("topic", DataType::Utf8, false),
        ("at_ms", DataType::Int64, false),
        ("at", DataType::Timestamp(TimeUnit::Nanosecond, None), false),
        ("key", DataType::Utf8, true),
        ("tx", DataType::Utf8, true),
    ]);
    let metadata = [
        ("position", "offset"),
        ("part", "partition"),
        ("topic", "topic"),
        ("at_ms", "timestamp"),
        ("at", "timestamp"),
        ("key", "key"),
        ("tx", "transaction_id"),
    ];
    let metadata: BTreeMap<String, String> = metadata.map(|(column, key)| (column.to_owned(), key.to_owned())).into();
    let decoder = Decoder::new(Format::RawString, table.clone(), metadata.clone()).expect("a table that can be decoded");
    let value = r#"{"topic":"not this one","transaction":{"id":"7:99","total_order":1},"op":"c"}"#;
    let decoded = decoder.decode("audit", 3, &entries(&[Some(value.as_bytes()), Some(b"\xff")]));
    let expected = format!("+1 100|{value}|3|audit|1291191960000|2010-12-01T08:26:00|{{\"id\":1}}|7:99");
    assert_eq!(rows(&decoded), [expected]);
    assert_eq!(errors(&decoded), ["1@101 the text is not UTF-8 at byte 0"]);

    let refused = |table: SchemaRef, metadata: BTreeMap<String, String>| {
        Decoder::new(Format::RawString, table, metadata).err().map(|error| error.to_string())
    };
    let mut unfit = metadata.clone();
    unfit.insert("line".to_owned(), "offset".to_owned());
    assert!(refused(table.clone(), unfit).is_some_and(|error| error.contains("`line`")));
    let mut unknown = metadata;
    unknown.insert("key".to_owned(), "colour".to_owned());
    assert!(refused(table, unknown).is_some_and(|error| error.contains("`colour`")));
    let float16 = schema(&[("x", DataType::Float16, true)]);
    assert!(refused(float16, BTreeMap::new()).is_some_and(|error| error.contains("Float16")));
}

/// Says how fast envelopes are decoded; asks only for what no machine misses.
#[test]
fn envelopes_are_decoded_fast() {
    let row = json!({"id": "0a8f6a44-95d6-4a6e-8a2c-5b8d1c0f3a77", "quantity": 12, "price": "2.550", "sku": "85123A", "line_no": 3});
    let values: Vec<_> = (0..20_000).map(|_| envelope("u", row.clone(), row.clone())).collect();
    let (entries, decoder) = (entries(&values), decoder(Format::DebeziumJson, items()));
    let start = std::time::Instant::now();
    let decoded = decoder.decode("orders.public.items", 0, &entries);
    let rate = entries.len() as f64 / start.elapsed().as_secs_f64();
    eprintln!("decoded {rate:.0} update envelopes/s on one core");
    assert_eq!(decoded.changes.weights.len(), 40_000);
    assert!(rate > 20_000.0, "{rate} envelopes/s");
}
