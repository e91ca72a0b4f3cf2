//! A table that changes epoch by epoch, the same way for the same seed, and what it holds after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float32Builder, Float64Array, Int32Array, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chimera_connectors::{Changes, EpochChanges, EpochInfo, Frontier};
use serde_json::Value;
use uuid::Uuid;

pub const DIMENSIONS: usize = 8;

/// A source of numbers that are the same everywhere for the same seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Between −1 and 1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: String,
    pub part: i32,
    pub name: Option<String>,
    /// Thousandths.
    pub amount: i128,
    pub at_us: i64,
    pub quantity: i64,
    pub ratio: Option<f64>,
    pub tags: Vec<String>,
    pub embedding: Vec<f32>,
}

pub type Key = (String, i32);
pub type Table = BTreeMap<Key, Row>;

impl Row {
    pub fn key(&self) -> Key {
        (self.id.clone(), self.part)
    }

    fn random(random: &mut Random, key: &Key) -> Self {
        let words = ["lamp", "Crème brûlée", "a \"quoted\" \\ name", "tab\there", "naïve; DROP TABLE", "'", "{1,2}", "日本"];
        let name = (random.below(8) > 0).then(|| format!("{} {}", words[random.below(8) as usize], random.below(1_000)));
        let tags = (0..random.below(3)).map(|_| words[random.below(8) as usize].to_owned()).collect();
        let fraction = if random.below(2) == 0 { 0 } else { random.below(1_000_000) as i64 };
        Self {
            id: key.0.clone(),
            part: key.1,
            name,
            amount: i128::from(random.below(2_000_000_000)) - 1_000_000_000,
            at_us: random.below(4_000_000_000) as i64 * 1_000_000 + fraction,
            quantity: random.next() as i64 >> 12,
            ratio: (random.below(5) > 0).then(|| random.below(1_000_000) as f64 / 64.0),
            tags,
            embedding: (0..DIMENSIONS).map(|_| random.unit()).collect(),
        }
    }

    /// The row from its agreed JSON form, with the embedding from elsewhere if it is not in there.
    pub fn from_json(row: &Value, embedding: Option<Vec<f32>>) -> Self {
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("{name} of {row} is no text")).to_owned();
        let (whole, fraction) = {
            let amount = text("amount");
            let (whole, fraction) = amount.split_once('.').expect("three decimals");
            assert_eq!(fraction.len(), 3, "{amount}");
            (format!("{whole}{fraction}"), fraction.len())
        };
        assert_eq!(fraction, 3);
        let at = chrono::DateTime::parse_from_rfc3339(&text("at")).expect("a timestamp");
        assert!(text("at").ends_with('Z'));
        let list = |name: &str| row[name].as_array().unwrap_or_else(|| panic!("{name} of {row} is no list")).clone();
        Self {
            id: text("id"),
            part: row["part"].as_i64().expect("a part") as i32,
            name: row["name"].as_str().map(str::to_owned),
            amount: whole.parse().expect("an amount"),
            at_us: at.timestamp_micros(),
            quantity: row["quantity"].as_i64().expect("a quantity"),
            ratio: row["ratio"].as_f64(),
            tags: list("tags").iter().map(|tag| tag.as_str().expect("a tag").to_owned()).collect(),
            embedding: embedding.unwrap_or_else(|| list("embedding").iter().map(|v| v.as_f64().expect("a number") as f32).collect()),
        }
    }
}

pub fn schema() -> SchemaRef {
    let item = |data_type: DataType| DataType::List(Arc::new(Field::new("item", data_type, true)));
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("part", DataType::Int32, false),
        Field::new("name", DataType::Utf8, true),
        Field::new("amount", DataType::Decimal128(12, 3), true),
        Field::new("at", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
        Field::new("quantity", DataType::Int64, true),
        Field::new("ratio", DataType::Float64, true),
        Field::new("tags", item(DataType::Utf8), true),
        Field::new("embedding", item(DataType::Float32), true),
    ]))
}

/// Rows and weights as one epoch.
pub fn epoch(incarnation: Uuid, number: u64, rows: &[(Row, i64)]) -> EpochChanges {
    let (mut tags, mut embeddings) = (ListBuilder::new(StringBuilder::new()), ListBuilder::new(Float32Builder::new()));
    for (row, _) in rows {
        row.tags.iter().for_each(|tag| tags.values().append_value(tag));
        tags.append(true);
        embeddings.values().append_slice(&row.embedding);
        embeddings.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|(row, _)| &row.id))),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|(row, _)| row.part))),
        Arc::new(StringArray::from_iter(rows.iter().map(|(row, _)| row.name.as_deref()))),
        Arc::new(Decimal128Array::from_iter_values(rows.iter().map(|(row, _)| row.amount)).with_precision_and_scale(12, 3).expect("scale")),
        Arc::new(TimestampNanosecondArray::from_iter_values(rows.iter().map(|(row, _)| row.at_us * 1_000))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(row, _)| row.quantity))),
        Arc::new(Float64Array::from_iter(rows.iter().map(|(row, _)| row.ratio))),
        Arc::new(tags.finish()),
        Arc::new(embeddings.finish()),
    ];
    let batch = RecordBatch::try_new(schema(), columns).expect("columns of the schema");
    let info = EpochInfo { incarnation, epoch: number, frontier: Frontier::single("shop", number), committed_ms: 1_000 + number as i64 };
    EpochChanges { info: Arc::new(info), changes: Changes { batch, weights: rows.iter().map(|(_, weight)| *weight).collect() } }
}

/// Makes epochs one after the other.
pub struct History {
    random: Random,
    pub incarnation: Uuid,
    pub table: Table,
    pub number: u64,
    keys: u64,
}

impl History {
    /// `keys`: how many different ids there are at most.
    pub fn new(seed: u64, keys: u64) -> Self {
        let mut random = Random(seed);
        let incarnation = Uuid::from_u64_pair(random.next(), random.next());
        Self { random, incarnation, table: Table::new(), number: 0, keys }
    }

    /// An epoch of about `steps` inserts, updates and deletes.
    pub fn step(&mut self, steps: u64) -> EpochChanges {
        let before = self.table.clone();
        let mut touched: BTreeMap<Key, ()> = BTreeMap::new();
        for _ in 0..steps {
            let key = (format!("id-{}", self.random.below(self.keys)), self.random.below(3) as i32);
            touched.insert(key.clone(), ());
            if self.random.below(4) == 0 {
                self.table.remove(&key);
            } else {
                let row = Row::random(&mut self.random, &key);
                self.table.insert(key, row);
            }
        }
        let mut rows: Vec<(Row, i64)> = Vec::new();
        for key in touched.keys() {
            let (old, new) = (before.get(key), self.table.get(key));
            if old != new {
                rows.extend(old.map(|row| (row.clone(), -1)));
                rows.extend(new.map(|row| (row.clone(), 1)));
            }
        }
        // In any order.
        for last in (1..rows.len()).rev() {
            let other = self.random.below(last as u64 + 1) as usize;
            rows.swap(last, other);
        }
        self.number += 1;
        epoch(self.incarnation, self.number, &rows)
    }
}
