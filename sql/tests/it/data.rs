//! Tables that change at random, as Arrow batches.

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chimera_sql::Delta;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Int(i32),
    Bool(bool),
    /// In units of its type's last digit.
    Decimal(i128),
    /// Nanoseconds since 1970.
    Time(i64),
    Double(f64),
}

pub type Row = Vec<Value>;

/// xorshift: the same numbers on every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn text(&mut self, prefix: &str, n: u64) -> Value {
        Value::Text(format!("{prefix}{}", self.below(n)))
    }

    fn or_null(&mut self, one_in: u64, value: Value) -> Value {
        if self.one_in(one_in) { Value::Null } else { value }
    }
}

/// A table of the test schema: its declaration, and how a row of a given key is made up.
pub struct Kind {
    pub name: &'static str,
    pub ddl: &'static str,
    pub keys: u64,
    make: fn(u64, &mut Random) -> Row,
}

/// 2020-01-01T00:00:00Z.
const EPOCH_NS: i64 = 1_577_836_800_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;

pub const KINDS: [Kind; 6] = [
    Kind {
        name: "orders",
        ddl: "id TEXT PRIMARY KEY, customer TEXT, country TEXT, kind TEXT, placed_at TIMESTAMP, WATERMARK FOR placed_at AS placed_at",
        keys: 30,
        make: |key, random| {
            let customer = random.text("c", 6);
            let kind = if random.one_in(4) { "cancellation" } else { "order" };
            vec![
                Value::Text(format!("o{key}")),
                random.or_null(5, customer),
                random.text("country", 4),
                Value::Text(kind.into()),
                Value::Time(EPOCH_NS + random.below(600) as i64 * SECOND_NS),
            ]
        },
    },
    Kind {
        name: "items",
        ddl: "order_id TEXT, line_no INT, sku TEXT, quantity INT, price DECIMAL(12, 3), PRIMARY KEY (order_id, line_no)",
        keys: 120,
        make: |key, random| {
            let sku = random.text("s", 12);
            let price = Value::Decimal(random.below(90_000) as i128 - 5_000);
            vec![
                Value::Text(format!("o{}", key % 40)),
                Value::Int((key / 40) as i32),
                random.or_null(15, sku),
                Value::Int(random.below(12) as i32 - 3),
                random.or_null(9, price),
            ]
        },
    },
    Kind {
        name: "products",
        ddl: "id TEXT PRIMARY KEY, sku TEXT, name TEXT, category_id TEXT, brand_id TEXT, active BOOLEAN",
        keys: 14,
        make: |key, random| {
            let (category, brand) = (random.text("k", 5), random.text("b", 4));
            vec![
                Value::Text(format!("p{key}")),
                Value::Text(format!("s{key}")),
                random.text("name ", 9),
                random.or_null(4, category),
                random.or_null(4, brand),
                Value::Bool(!random.one_in(5)),
            ]
        },
    },
    Kind {
        name: "categories",
        ddl: "id TEXT PRIMARY KEY, name TEXT",
        keys: 5,
        make: |key, random| vec![Value::Text(format!("k{key}")), random.text("category ", 4)],
    },
    Kind {
        name: "brands",
        ddl: "id TEXT PRIMARY KEY, name TEXT",
        keys: 4,
        make: |key, random| vec![Value::Text(format!("b{key}")), random.text("brand ", 3)],
    },
    Kind {
        name: "variants",
        ddl: "id TEXT PRIMARY KEY, product_id TEXT, sku TEXT, cents INT",
        keys: 40,
        make: |key, random| {
            let cents = Value::Int(random.below(2000) as i32);
            vec![Value::Text(format!("v{key}")), random.text("p", 15), random.text("x", 100), random.or_null(6, cents)]
        },
    },
];

/// The current rows of every table, by key.
pub struct Shop {
    random: Random,
    tables: Vec<BTreeMap<u64, Row>>,
}

impl Shop {
    pub fn new(seed: u64) -> Self {
        Shop { random: Random(seed * 2 + 1), tables: KINDS.iter().map(|_| BTreeMap::new()).collect() }
    }

    /// Inserts, updates and deletes in every table; `empty` deletes all rows.
    pub fn change(&mut self, empty: bool) -> Vec<(&'static str, Delta)> {
        let mut deltas = vec![];
        for (kind, rows) in KINDS.iter().zip(&mut self.tables) {
            let (mut changed, mut weights) = (vec![], vec![]);
            if empty {
                for row in std::mem::take(rows).into_values() {
                    changed.push(row);
                    weights.push(-1);
                }
            }
            let changes = if empty { 0 } else { kind.keys / 4 + 1 };
            for _ in 0..changes {
                let key = self.random.below(kind.keys);
                if let Some(old) = rows.remove(&key) {
                    changed.push(old);
                    weights.push(-1);
                    if self.random.one_in(3) {
                        continue;
                    }
                }
                let new = (kind.make)(key, &mut self.random);
                rows.insert(key, new.clone());
                changed.push(new);
                weights.push(1);
            }
            if !changed.is_empty() {
                deltas.push((kind.name, Delta { batch: batch(&schema(kind.name), &changed), weights: Some(weights) }));
            }
        }
        deltas
    }

    /// A table as it is now.
    pub fn table(&self, index: usize) -> RecordBatch {
        let rows: Vec<Row> = self.tables[index].values().cloned().collect();
        batch(&schema(KINDS[index].name), &rows)
    }
}

pub fn schema(table: &str) -> SchemaRef {
    let time = || DataType::Timestamp(TimeUnit::Nanosecond, None);
    let columns: &[(&str, DataType)] = match table {
        "orders" => &[
            ("id", DataType::Utf8),
            ("customer", DataType::Utf8),
            ("country", DataType::Utf8),
            ("kind", DataType::Utf8),
            ("placed_at", time()),
        ],
        "items" => &[
            ("order_id", DataType::Utf8),
            ("line_no", DataType::Int32),
            ("sku", DataType::Utf8),
            ("quantity", DataType::Int32),
            ("price", DataType::Decimal128(12, 3)),
        ],
        "products" => &[
            ("id", DataType::Utf8),
            ("sku", DataType::Utf8),
            ("name", DataType::Utf8),
            ("category_id", DataType::Utf8),
            ("brand_id", DataType::Utf8),
            ("active", DataType::Boolean),
        ],
        "variants" => &[("id", DataType::Utf8), ("product_id", DataType::Utf8), ("sku", DataType::Utf8), ("cents", DataType::Int32)],
        _ => &[("id", DataType::Utf8), ("name", DataType::Utf8)],
    };
    Arc::new(Schema::new(columns.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect::<Vec<_>>()))
}

pub fn batch(schema: &SchemaRef, rows: &[Row]) -> RecordBatch {
    let columns = schema.fields().iter().enumerate().map(|(i, field)| column(field.data_type(), rows.iter().map(|row| &row[i])));
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn column<'r>(data_type: &DataType, values: impl Iterator<Item = &'r Value>) -> ArrayRef {
    macro_rules! collected {
        ($variant:ident) => {
            values.map(|value| if let Value::$variant(value) = value { Some(value.clone()) } else { None })
        };
    }
    match data_type {
        DataType::Utf8 => Arc::new(collected!(Text).collect::<StringArray>()),
        DataType::Int32 => Arc::new(collected!(Int).collect::<Int32Array>()),
        DataType::Boolean => Arc::new(collected!(Bool).collect::<BooleanArray>()),
        DataType::Decimal128(p, s) => Arc::new(collected!(Decimal).collect::<Decimal128Array>().with_precision_and_scale(*p, *s).unwrap()),
        DataType::Float64 => Arc::new(collected!(Double).collect::<Float64Array>()),
        DataType::Timestamp(..) => Arc::new(collected!(Time).collect::<TimestampNanosecondArray>()),
        other => panic!("no column of type {other}"),
    }
}
