//! How fast pipelines are maintained, and in how much memory: `cargo run --release -p chimera-sql --example throughput -- [lines]`.
//!
//! A synthetic year of a shop (as many lines, orders and stock codes as the Online Retail data) goes through each pipeline of
//! `pipelines/` on its own, then through all of them in turn, in epochs of 20,000 lines; then a checkpoint and a restart.

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Int32Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{Field, Schema};
use chimera_sql::{Dataflow, DataflowConfig, Delta, Functions, Program};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: dbsp::mimalloc::MiMalloc = dbsp::mimalloc::MiMalloc;

const SKUS: u64 = 4_070;
const ORDERS: u64 = 25_900;
const EPOCH_LINES: usize = 20_000;
const PIPELINES: [&str; 4] = ["inventory", "co_purchase", "sales", "search_index"];
const GROUP_BY: &str = "CREATE TABLE order_items (order_id TEXT, sku TEXT, quantity INT, unit_price DECIMAL(12, 3));
    CREATE TABLE out (order_id TEXT, sku TEXT, n BIGINT, units BIGINT, revenue DECIMAL(38, 3), PRIMARY KEY (order_id, sku)) WITH (type = 'sink');
    INSERT INTO out SELECT order_id, sku, count(*), sum(quantity), sum(quantity * unit_price) FROM order_items GROUP BY order_id, sku;";
const JOIN: &str = "CREATE TABLE order_items (order_id TEXT, line_no INT, sku TEXT, quantity INT); CREATE TABLE orders (id TEXT, country TEXT);
    CREATE TABLE out (order_id TEXT, line_no INT, sku TEXT, quantity INT, country TEXT, PRIMARY KEY (order_id, line_no)) WITH (type = 'sink');
    INSERT INTO out SELECT i.order_id, i.line_no, i.sku, i.quantity, o.country FROM order_items i JOIN orders o ON o.id = i.order_id;";

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    /// Small numbers are more likely: a few products sell most.
    fn skewed(&mut self, n: u64) -> u64 {
        let unit = self.below(1 << 30) as f64 / (1u64 << 30) as f64;
        (unit * unit * n as f64) as u64
    }
}

fn uuid(kind: u64, n: u64) -> String {
    format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", n.wrapping_mul(2_654_435_761) as u32, kind, n & 0xfff, kind, n)
}

fn sku(n: u64) -> String {
    format!("{}{}", 10_000 + n, (b'A' + (n % 26) as u8) as char)
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, Box<dyn Error>> {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())?)
}

/// The catalogue, and the epochs of orders with their lines.
struct Year {
    catalogue: Vec<(&'static str, RecordBatch)>,
    epochs: Vec<Vec<(&'static str, RecordBatch)>>,
    lines: usize,
}

fn year(lines: usize) -> Result<Year, Box<dyn Error>> {
    let mut random = Random(88_172_645_463_325_252);
    let skus = || 0..SKUS;
    let products = batch(vec![
        ("id", texts(skus().map(|n| uuid(1, n)))),
        ("sku", texts(skus().map(sku))),
        ("name", texts(skus().map(|n| format!("PRODUCT NUMBER {n} IN RED")))),
        ("description", texts(skus().map(|n| format!("A product, number {n}, that is red and useful in the kitchen.")))),
        ("category_id", texts(skus().map(|n| uuid(2, n % 12)))),
        ("brand_id", texts(skus().map(|n| uuid(3, n % 40)))),
        ("base_price_cents", Arc::new(Int32Array::from_iter_values(skus().map(|n| n as i32)))),
        ("currency", texts(skus().map(|_| "GBP".into()))),
        ("is_active", Arc::new(BooleanArray::from(vec![true; SKUS as usize]))),
    ])?;
    let named =
        |kind: u64, n: u64| batch(vec![("id", texts((0..n).map(|n| uuid(kind, n)))), ("name", texts((0..n).map(|n| format!("name {n}"))))]);
    let movements = batch(vec![
        ("id", texts(skus().map(|n| uuid(4, n)))),
        ("sku", texts(skus().map(sku))),
        ("quantity", Arc::new(Int32Array::from(vec![5_000; SKUS as usize]))),
    ])?;
    let points = batch(vec![("sku", texts(skus().map(sku))), ("threshold", Arc::new(Int32Array::from(vec![4_000; SKUS as usize])))])?;
    let variants = batch(vec![
        ("id", texts(skus().map(|n| uuid(5, n)))),
        ("product_id", texts(skus().map(|n| uuid(1, n / 3)))),
        ("variant_sku", texts(skus().map(|n| format!("{}-{n}", sku(n / 3))))),
        ("attributes", texts(skus().map(|_| "{\"colour\": \"red\"}".into()))),
        ("price_cents", Arc::new(Int32Array::from_iter_values(skus().map(|n| n as i32)))),
    ])?;
    let images = batch(vec![
        ("id", texts(skus().map(|n| uuid(6, n)))),
        ("product_id", texts(skus().map(|n| uuid(1, n)))),
        ("position", Arc::new(Int32Array::from(vec![0; SKUS as usize]))),
    ])?;
    let catalogue = vec![
        ("products", products.clone()),
        ("catalog_products", products),
        ("categories", named(2, 12)?),
        ("brands", named(3, 40)?),
        ("stock_movements", movements),
        ("reorder_points", points),
        ("product_variants", variants),
        ("product_images", images),
    ];
    let mut epochs = vec![];
    let (mut line, mut order) = (0, 0);
    while line < lines {
        let (mut ids, mut orders, mut numbers, mut codes, mut quantities, mut prices) = (vec![], vec![], vec![], vec![], vec![], vec![]);
        while ids.len() < EPOCH_LINES && line < lines {
            let size = random.skewed(3 * 541_909 / ORDERS) + 1;
            for number in 0..size {
                ids.push(uuid(7, order));
                numbers.push(number as i32);
                codes.push(sku(random.skewed(SKUS)));
                let quantity = random.below(24) as i32 + 1;
                quantities.push(if order % 12 == 0 { -quantity } else { quantity });
                prices.push(random.below(20_000) as i128);
            }
            line += size as usize;
            orders.push(order);
            order += 1;
        }
        let minute = |n: &u64| 1_290_000_000_000_000_000 + *n as i64 * 20 * 60_000_000_000;
        let headers = batch(vec![
            ("id", texts(orders.iter().map(|n| uuid(7, *n)))),
            ("number", texts(orders.iter().map(|n| n.to_string()))),
            ("kind", texts(orders.iter().map(|n| if n % 12 == 0 { "cancellation".into() } else { "order".into() }))),
            ("customer_id", texts(orders.iter().map(|n| (n % 4_372).to_string()))),
            ("country", texts(orders.iter().map(|n| format!("country {}", n % 38)))),
            ("placed_at", Arc::new(TimestampNanosecondArray::from_iter_values(orders.iter().map(minute)))),
        ])?;
        let items = batch(vec![
            ("order_id", texts(ids.into_iter())),
            ("line_no", Arc::new(Int32Array::from(numbers))),
            ("sku", texts(codes.into_iter())),
            ("quantity", Arc::new(Int32Array::from(quantities))),
            ("unit_price", Arc::new(Decimal128Array::from(prices).with_precision_and_scale(12, 3)?)),
        ])?;
        epochs.push(vec![("orders", headers), ("order_items", items)]);
    }
    Ok(Year { catalogue, epochs, lines: line })
}

fn push(dataflow: &mut Dataflow, program: &Program, tables: &[(&str, RecordBatch)]) -> Result<(), Box<dyn Error>> {
    for (table, batch) in tables {
        if program.sources.iter().any(|source| source.name == *table) {
            dataflow.push(table, Delta::insert(batch.clone()))?;
        }
    }
    Ok(())
}

/// Resident memory in MiB.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn config(folder: &Path) -> DataflowConfig {
    DataflowConfig { workers: 1, storage: Some(folder.to_path_buf()), ..DataflowConfig::default() }
}

fn measure(name: &str, sql: &str, year: &Year) -> Result<(), Box<dyn Error>> {
    let program = Program::parse(sql, &Functions::new())?;
    let folder = tempfile::tempdir()?;
    let before = resident_mib();
    let mut dataflow = program.start(config(folder.path()))?;
    push(&mut dataflow, &program, &year.catalogue)?;
    dataflow.step()?;
    let (mut busy, mut slowest, mut changes) = (Duration::ZERO, Duration::ZERO, 0);
    for epoch in &year.epochs {
        let start = Instant::now();
        push(&mut dataflow, &program, epoch)?;
        changes += dataflow.step()?.iter().map(|output| output.changes.len()).sum::<usize>();
        busy += start.elapsed();
        slowest = slowest.max(start.elapsed());
    }
    let resident = resident_mib();
    let mut latencies: Vec<Duration> = vec![];
    for index in 0..200usize {
        let one: Vec<_> = year.epochs[index % year.epochs.len()]
            .iter()
            .map(|(table, batch)| (*table, batch.slice(index % batch.num_rows(), 1)))
            .collect();
        let start = Instant::now();
        push(&mut dataflow, &program, &one)?;
        dataflow.step()?;
        latencies.push(start.elapsed());
    }
    latencies.sort();
    let start = Instant::now();
    let checkpoint = dataflow.checkpoint()?;
    let checkpointed = start.elapsed();
    dataflow.stop();
    let start = Instant::now();
    let dataflow = program.start(DataflowConfig { checkpoint: Some(checkpoint), ..config(folder.path()) })?;
    let restarted = start.elapsed();
    dataflow.stop();
    let disk: u64 = size_bytes(folder.path())?;
    println!(
        "{name:12} {:>8.0} lines/s, {changes:>8} changes, slowest epoch {:>5} ms, one order line p50 {:>6.2} ms p99 {:>6.2} ms, \
         memory {before} -> {resident} MiB, on disk {} MiB, checkpoint {} ms, restart {} ms",
        year.lines as f64 / busy.as_secs_f64(),
        slowest.as_millis(),
        latencies[100].as_secs_f64() * 1e3,
        latencies[197].as_secs_f64() * 1e3,
        disk >> 20,
        checkpointed.as_millis(),
        restarted.as_millis(),
    );
    Ok(())
}

fn size_bytes(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        total += if entry.file_type()?.is_dir() { size_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(total)
}

fn main() -> Result<(), Box<dyn Error>> {
    let lines = std::env::args().nth(1).map_or(Ok(541_909), |text| text.parse())?;
    let year = year(lines)?;
    println!("{} lines in {} epochs, {} MiB before the first pipeline", year.lines, year.epochs.len(), resident_mib());
    measure("group by", GROUP_BY, &year)?;
    measure("join", JOIN, &year)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines");
    for name in PIPELINES {
        measure(name, &std::fs::read_to_string(folder.join(name).join("pipeline.sql"))?, &year)?;
    }
    // All at once, as the platform runs them.
    let start = Instant::now();
    let mut running = vec![];
    for name in PIPELINES {
        let program = Program::parse(&std::fs::read_to_string(folder.join(name).join("pipeline.sql"))?, &Functions::new())?;
        let folder = tempfile::tempdir()?;
        let mut dataflow = program.start(config(folder.path()))?;
        push(&mut dataflow, &program, &year.catalogue)?;
        running.push((program, dataflow, folder));
    }
    for epoch in &year.epochs {
        for (program, dataflow, _) in &mut running {
            push(dataflow, program, epoch)?;
            dataflow.step()?;
        }
    }
    println!("all together {:.0} lines/s, memory {} MiB", year.lines as f64 / start.elapsed().as_secs_f64(), resident_mib());
    running.into_iter().for_each(|(_, dataflow, _)| dataflow.stop());
    Ok(())
}
