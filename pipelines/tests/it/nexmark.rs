//! Each Nexmark query, kept up to date push by push, gives what DataFusion answers once over the same events.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::queries::{QUERIES, Query, side_input};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use chimera_connectors::nexmark::{Config, Generator};
use chimera_sql::{DataflowConfig, Delta, Functions, Program};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};

const EVENTS: usize = 24_000;
/// Of different sizes.
const PUSHES: [usize; 5] = [1, 7_000, 499, 12_500, 4_000];

/// Rows as text, and how often each is there.
type Bag = BTreeMap<Vec<String>, i64>;

/// A hundred seconds, so that windows of ten seconds come and go.
fn generator() -> Generator {
    Generator::new(Config { events_per_second: EVENTS as u64 / 100, ..Config::default() })
}

fn texts(column: &ArrayRef) -> Vec<String> {
    // The last digits of an average may differ.
    if column.data_type() == &DataType::Float64 {
        return column.as_primitive::<Float64Type>().iter().map(|value| value.map_or("null".into(), |v| format!("{v:.9e}"))).collect();
    }
    let column = cast(column, &DataType::Utf8).expect("text");
    column.as_string::<i32>().iter().map(|value| value.unwrap_or("null").to_string()).collect()
}

fn add(bag: &mut Bag, columns: &[ArrayRef], weight: impl Fn(usize) -> i64) {
    let columns: Vec<Vec<String>> = columns.iter().map(texts).collect();
    for row in 0..columns.first().map_or(0, Vec::len) {
        *bag.entry(columns.iter().map(|column| column[row].clone()).collect()).or_default() += weight(row);
    }
    bag.retain(|_, weight| *weight != 0);
}

async fn afresh(query: &Query, types: Option<&[DataType]>, tables: Vec<(&str, RecordBatch)>) -> (Bag, arrow::datatypes::Schema) {
    let mut config = SessionConfig::new().with_target_partitions(1);
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let context = SessionContext::new_with_config(config);
    for (name, batch) in tables {
        context.register_table(name, Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]]).expect("a table"))).expect("a table");
    }
    let result = context.sql(query.batch()).await.unwrap_or_else(|error| panic!("{}: {error}", query.name));
    let schema = result.schema().as_arrow().clone();
    let mut bag = Bag::new();
    for batch in result.collect().await.unwrap_or_else(|error| panic!("{}: {error}", query.name)) {
        // In the types of the sink, where they are given.
        let column = |(place, column): (usize, &ArrayRef)| match types {
            Some(types) => cast(column, &types[place]).expect("the sink's type"),
            None => column.clone(),
        };
        add(&mut bag, &batch.columns().iter().enumerate().map(column).collect::<Vec<_>>(), |_| 1);
    }
    (bag, schema)
}

/// With tables whose rows may be deleted, those of the last push are deleted again.
fn check(query: &Query, append_only: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let side = || side_input().expect("a batch");
    let all = |events: usize| {
        let mut tables = generator().next(events).expect("events").tables();
        tables.push(("side_input", side()));
        tables
    };
    let (_, schema) = runtime.block_on(afresh(query, None, all(0)));
    let mut sql = query.program(&schema);
    if !append_only {
        sql = sql.replace("format = 'json'", "format = 'debezium_json'");
    }
    let program = Program::parse(&sql, &Functions::new()).unwrap_or_else(|error| panic!("{}: {error}", query.name));
    let mut dataflow = program.start(DataflowConfig::default()).expect("a dataflow");
    let types: Vec<_> = program.sinks[0].schema.fields().iter().skip(1).map(|field| field.data_type().clone()).collect();
    dataflow.push("side_input", Delta::insert(side())).expect("pushed");
    let mut generator = generator();
    let mut bag = Bag::new();
    let mut last = vec![];
    let step = |dataflow: &mut chimera_sql::Dataflow, bag: &mut Bag| {
        for output in dataflow.step().unwrap_or_else(|error| panic!("{}: {error}", query.name)) {
            let changes = &output.changes;
            add(bag, &changes.batch.columns()[1..], |row| changes.weight(row));
        }
        assert_eq!(dataflow.take_row_errors(), vec![], "{}", query.name);
    };
    for events in PUSHES {
        last = generator.next(events).expect("events").tables();
        for (table, batch) in &last {
            dataflow.push(table, Delta::insert(batch.clone())).expect("pushed");
        }
        step(&mut dataflow, &mut bag);
    }
    let events = PUSHES.iter().sum();
    let differs = |bag: &Bag, events: usize| {
        let expected = runtime.block_on(afresh(query, Some(&types), all(events))).0;
        assert!(!expected.is_empty() || query.name == "q2", "{}: nothing to compare", query.name);
        let few = |a: &Bag, b: &Bag| {
            a.iter().filter(|(row, n)| b.get(*row) != Some(*n)).take(3).map(|row| format!("{row:?}")).collect::<Vec<_>>()
        };
        (&expected != bag)
            .then(|| format!("{} after {events}: missing {:#?}, extra {:#?}", query.name, few(&expected, bag), few(bag, &expected)))
    };
    if let Some(difference) = differs(&bag, events) {
        panic!("{difference}");
    }
    if !append_only {
        for (table, batch) in last {
            dataflow.push(table, Delta::delete(batch)).expect("pushed");
        }
        step(&mut dataflow, &mut bag);
        if let Some(difference) = differs(&bag, events - PUSHES[4]) {
            panic!("{difference}");
        }
    }
    dataflow.stop();
}

#[test]
fn every_query_kept_up_to_date_equals_one_batch() {
    QUERIES.iter().filter(|query| !query.is_uniform).for_each(|query| check(query, true));
}

#[test]
fn every_query_follows_events_that_are_deleted_again() {
    QUERIES.iter().filter(|query| !query.is_uniform).for_each(|query| check(query, false));
}
