//! Any bytes are rows of the table or a bad record, in every format; what is read can be written and read again.
#![no_main]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use chimera_connectors::format::{Decoder, Encoder, Format, transaction_id};
use chimera_connectors::log::{Entry, Record};
use libfuzzer_sys::fuzz_target;

fn schema() -> SchemaRef {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let list = DataType::List(Arc::new(field("item", DataType::Utf8)));
    let object = Fields::from(vec![field("x", DataType::Int64), field("y", list)]);
    Arc::new(Schema::new(vec![
        field("b", DataType::Boolean),
        field("i", DataType::Int16),
        field("n", DataType::Int64),
        field("f", DataType::Float64),
        field("t", DataType::Utf8),
        field("d", DataType::Decimal128(12, 3)),
        field("at", DataType::Timestamp(TimeUnit::Nanosecond, None)),
        field("day", DataType::Date32),
        field("raw", DataType::Binary),
        field("o", DataType::Struct(object)),
    ]))
}

fn entry(bytes: &[u8]) -> Entry {
    Entry { offset: 0, record: Record::new(None, Some(bytes.to_vec().into()), 0) }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = transaction_id(bytes);
    for format in [Format::Json, Format::DebeziumJson] {
        let decoder = Decoder::new(format, schema(), Default::default()).expect("every column can be read");
        let decoded = decoder.decode("t", 0, &[entry(bytes)]);
        assert!(decoded.bad.len() <= 1 && decoded.changes.weights.len() <= 2);
        if decoded.bad.is_empty() && decoded.changes.weights == [1] {
            let encoder = Encoder::new(format, &schema(), &[]).expect("every column can be written");
            let written = encoder.encode(&decoded.changes, &mut |record| {
                let again = decoder.decode("t", 0, &[entry(record)]);
                assert!(again.bad.is_empty(), "{:?} of {:?}", again.bad, String::from_utf8_lossy(record));
                Ok(())
            });
            written.expect("what was read can be written");
        }
    }
    for (format, data_type) in [(Format::RawString, DataType::Utf8), (Format::RawBytes, DataType::Binary)] {
        let schema = Arc::new(Schema::new(vec![Field::new("value", data_type, true)]));
        Decoder::new(format, schema, Default::default()).expect("one column").decode("t", 0, &[entry(bytes)]);
    }
});
