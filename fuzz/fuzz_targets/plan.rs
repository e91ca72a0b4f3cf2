//! Any query over some tables is planned or refused; one that is planned runs, and says of its rows what it cannot compute.
#![no_main]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use chimera_sql::{DataflowConfig, Delta, Functions, Program};
use libfuzzer_sys::fuzz_target;

const TABLES: &str =
    "CREATE TABLE l (id INT PRIMARY KEY, k TEXT, x INT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1 second') WITH (type = 'source');
CREATE TABLE r (id INT, k TEXT, x INT, at TIMESTAMP) WITH (type = 'source', format = 'debezium_json');\n";

fn rows() -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), Some(2), Some(i32::MAX), None])),
        Arc::new(StringArray::from(vec![Some("a"), None, Some("1.5"), Some("é%_")])),
        Arc::new(Int32Array::from(vec![None, Some(0), Some(-7), Some(i32::MIN)])),
        Arc::new(TimestampNanosecondArray::from(vec![Some(0), Some(1_500_000_000), None, Some(i64::MAX)])),
    ];
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let time = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let schema =
        Schema::new(vec![field("id", DataType::Int32), field("k", DataType::Utf8), field("x", DataType::Int32), field("at", time)]);
    RecordBatch::try_new(Arc::new(schema), columns).expect("the columns are those of the schema")
}

fuzz_target!(|query: &str| {
    // What computes for long is no finding.
    if query.len() > 400 || query.matches(',').count() > 30 {
        return;
    }
    let Ok(program) = Program::parse_script(&format!("{TABLES}{query}"), &Functions::new(), &|_| None) else { return };
    if program.sinks.is_empty() {
        return;
    }
    let mut dataflow = program.start(DataflowConfig::default()).expect("what is planned can be started");
    for table in ["l", "r"] {
        dataflow.push(table, Delta::insert(rows())).expect("the rows fit the table");
    }
    dataflow.step().expect("a row is computed or left out");
    dataflow.push("r", Delta::delete(rows())).expect("the rows fit the table");
    dataflow.end("l");
    dataflow.end("r");
    dataflow.step().expect("a row is computed or left out");
    dataflow.stop();
});
