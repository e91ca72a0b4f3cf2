//! Runs a query incrementally and afresh, and compares after every epoch.

use crate::data::{KINDS, Shop};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use chimera_sql::{Budget, Dataflow, DataflowConfig, Functions, Memory, Output, Program};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Rows as text, and how often each is there.
pub type Bag = BTreeMap<Vec<String>, i64>;

/// A query, the views it reads, and the query as DataFusion knows it where that differs.
pub struct Shape {
    pub name: &'static str,
    pub views: &'static [(&'static str, &'static str)],
    pub query: &'static str,
    pub reference: Option<&'static str>,
}

impl Shape {
    pub const fn new(name: &'static str, query: &'static str) -> Self {
        Shape { name, views: &[], query, reference: None }
    }

    pub const fn with_views(mut self, views: &'static [(&'static str, &'static str)]) -> Self {
        self.views = views;
        self
    }

    pub const fn equals(mut self, reference: &'static str) -> Self {
        self.reference = Some(reference);
        self
    }

    /// The program that keeps the query's result in a sink.
    pub fn program(&self) -> Program {
        let mut sql = sources();
        for (name, query) in self.views {
            sql += &format!("CREATE VIEW {name} AS {query};\n");
        }
        let schema = block_on(async {
            let context = context(&Shop::new(1), self.views).await;
            context.sql(self.reference.unwrap_or(self.query)).await.unwrap().schema().as_arrow().clone()
        });
        // A constant key, so that no column of the query has to be one: rows are compared as a bag.
        let columns: Vec<_> =
            schema.fields().iter().enumerate().map(|(i, field)| format!("c{i} {}", sql_type(field.data_type()))).collect();
        sql += &format!("CREATE TABLE result (pk TEXT PRIMARY KEY, {}) WITH (type = 'sink');\n", columns.join(", "));
        sql += &format!("INSERT INTO result SELECT 'pk', * FROM ({}) AS q;\n", self.query);
        Program::parse(&sql, &Functions::new()).unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// What DataFusion computes from the tables as they are.
    pub fn afresh(&self, shop: &Shop) -> Bag {
        let batches = block_on(async {
            let context = context(shop, self.views).await;
            context.sql(self.reference.unwrap_or(self.query)).await.unwrap().collect().await.unwrap()
        });
        let mut bag = Bag::new();
        for batch in &batches {
            for row in texts(batch.columns()) {
                *bag.entry(row).or_default() += 1;
            }
        }
        bag
    }
}

/// The declarations of the test tables.
pub fn sources() -> String {
    KINDS.iter().map(|kind| format!("CREATE TABLE {} ({}) WITH (connector = 'kafka', type = 'source');\n", kind.name, kind.ddl)).collect()
}

/// With two workers there is so little memory that, where there is a folder, groups go to disk and come back all the time.
pub fn config(workers: usize, folder: Option<&Path>) -> DataflowConfig {
    let memory = if workers == 2 { little_memory(1 << 10) } else { Memory::default() };
    DataflowConfig { workers, storage: folder.map(Path::to_path_buf), memory, ..DataflowConfig::default() }
}

/// So many bytes for tables.
pub fn little_memory(bytes: usize) -> Memory {
    Memory { tables: Budget::new(bytes), spill_bytes: 64 << 10, ..Memory::default() }
}

/// Adds outputs up, and checks that each row comes once and deletes come first.
pub fn integrate(outputs: &[Output], table: &str, bag: &mut Bag) {
    for output in outputs.iter().filter(|output| output.table == table) {
        let columns = output.changes.batch.columns();
        let skip = usize::from(output.changes.batch.schema().field(0).name() == "pk");
        let mut seen = Bag::new();
        let mut inserts = false;
        for (row, text) in texts(&columns[skip..]).into_iter().enumerate() {
            let weight = output.changes.weight(row);
            assert_ne!(weight, 0);
            assert!(!(inserts && weight < 0), "a delete comes after an insert");
            inserts |= weight > 0;
            assert_eq!(seen.insert(text.clone(), weight), None, "a row comes twice in one epoch: {text:?}");
            let total = bag.entry(text).or_default();
            *total += weight;
        }
    }
    bag.retain(|_, weight| *weight != 0);
}

pub fn push_all(dataflow: &mut Dataflow, shop: &mut Shop, empty: bool) {
    for (table, delta) in shop.change(empty) {
        dataflow.push(table, delta).unwrap();
    }
}

/// Runs `shape` for some epochs of random changes; half way it is stopped and started again from a checkpoint.
pub fn check(shape: &Shape, workers: usize, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let program = shape.program();
    let mut dataflow = program.start(config(workers, Some(folder.path()))).unwrap();
    let mut shop = Shop::new(seed);
    let mut bag = Bag::new();
    const EPOCHS: usize = 9;
    for epoch in 0..EPOCHS {
        // The first epoch is empty (constants come out), the last empties every table.
        if epoch > 0 {
            push_all(&mut dataflow, &mut shop, epoch == EPOCHS - 1);
        }
        let outputs = dataflow.step().unwrap_or_else(|e| panic!("{}: {e}", shape.name));
        integrate(&outputs, "result", &mut bag);
        assert_eq!(dataflow.take_row_errors(), vec![], "{}", shape.name);
        let expected = shape.afresh(&shop);
        if bag != expected {
            let missing: Vec<_> = expected.iter().filter(|(row, n)| bag.get(*row) != Some(*n)).take(5).collect();
            let extra: Vec<_> = bag.iter().filter(|(row, n)| expected.get(*row) != Some(*n)).take(5).collect();
            panic!(
                "{} with {workers} worker(s), epoch {epoch}:\nmissing {missing:#?}\nextra {extra:#?}\n{}",
                shape.name,
                program.explain()
            );
        }
        if epoch == EPOCHS / 2 {
            let checkpoint = dataflow.checkpoint().unwrap_or_else(|e| panic!("{}: {e}", shape.name));
            let fingerprint = dataflow.fingerprint();
            dataflow.stop();
            let config = DataflowConfig { checkpoint: Some(checkpoint), ..config(workers, Some(folder.path())) };
            dataflow = shape.program().start(config).unwrap_or_else(|e| panic!("{}: {e}", shape.name));
            assert_eq!(dataflow.fingerprint(), fingerprint, "{}", shape.name);
        }
    }
    dataflow.stop();
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// DataFusion, computing on one thread and with the types that programs have.
pub fn batch_context() -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(1);
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    SessionContext::new_with_config(config)
}

async fn context(shop: &Shop, views: &[(&str, &str)]) -> SessionContext {
    let context = batch_context();
    for (index, kind) in KINDS.iter().enumerate() {
        let batch = shop.table(index);
        context.register_table(kind.name, Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap())).unwrap();
    }
    for (name, query) in views {
        context.sql(&format!("CREATE VIEW {name} AS {query}")).await.unwrap();
    }
    context
}

/// Every row of `columns` as text.
pub fn texts(columns: &[ArrayRef]) -> Vec<Vec<String>> {
    let columns: Vec<Vec<String>> = columns.iter().map(column_texts).collect();
    let rows = columns.first().map_or(0, Vec::len);
    (0..rows).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

fn column_texts(column: &ArrayRef) -> Vec<String> {
    if column.data_type().is_floating() {
        // The order of additions differs, and with it the last digits.
        let doubles = cast(column, &DataType::Float64).unwrap();
        let doubles = doubles.as_primitive::<Float64Type>();
        return doubles.iter().map(|value| value.map_or("null".into(), |value| rounded(value).to_string())).collect();
    }
    if matches!(column.data_type(), DataType::Struct(_) | DataType::List(_)) {
        let rows = (0..column.len()).map(|row| arrow::util::display::array_value_to_string(column, row).unwrap());
        return rows.collect();
    }
    let text = cast(column, &DataType::Utf8).unwrap();
    text.as_string::<i32>().iter().map(|value| value.unwrap_or("null").to_string()).collect()
}

/// Ten digits of `value`; zero has no sign.
pub fn rounded(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { format!("{value:.9e}").parse().unwrap_or(value) }
}

pub fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => "TEXT".into(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "SMALLINT".into(),
        DataType::Int32 | DataType::UInt16 => "INT".into(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "BIGINT".into(),
        DataType::Float32 => "REAL".into(),
        DataType::Date32 => "DATE".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Decimal128(p, s) => format!("DECIMAL({p}, {s})"),
        DataType::Timestamp(..) => "TIMESTAMP".into(),
        DataType::List(field) => format!("{}[]", sql_type(field.data_type())),
        other => panic!("no SQL type for {other}"),
    }
}

/// A batch of one table by columns, for tests that write their rows out.
pub fn rows(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let schema = Schema::new(
        columns.iter().map(|(name, column)| arrow::datatypes::Field::new(*name, column.data_type().clone(), true)).collect::<Vec<_>>(),
    );
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect()).unwrap()
}
