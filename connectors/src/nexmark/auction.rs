//! Things put up for auction.

use super::columns::{TIME, Texts, integers, schema, times};
use super::ids::{self, FIRST_ID, last_auction};
use super::random::Random;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

const AVERAGE_BYTES: usize = 500;
const FIRST_CATEGORY: i64 = 10;
const CATEGORIES: u64 = 5;

pub(super) fn columns() -> SchemaRef {
    use DataType::{Int64, Utf8};
    schema(&[
        ("id", &Int64),
        ("item_name", &Utf8),
        ("description", &Utf8),
        ("initial_bid", &Int64),
        ("reserve", &Int64),
        ("date_time", &TIME),
        ("expires", &TIME),
        ("seller", &Int64),
        ("category", &Int64),
        ("extra", &Utf8),
    ])
}

pub(super) struct Auctions {
    id: Vec<i64>,
    item_name: Texts,
    description: Texts,
    initial_bid: Vec<i64>,
    reserve: Vec<i64>,
    date_time: Vec<i64>,
    expires: Vec<i64>,
    seller: Vec<i64>,
    category: Vec<i64>,
    extra: Texts,
}

impl Auctions {
    pub fn new(rows: usize) -> Self {
        Auctions {
            id: Vec::with_capacity(rows),
            item_name: Texts::new(rows, 12),
            description: Texts::new(rows, 52),
            initial_bid: Vec::with_capacity(rows),
            reserve: Vec::with_capacity(rows),
            date_time: Vec::with_capacity(rows),
            expires: Vec::with_capacity(rows),
            seller: Vec::with_capacity(rows),
            category: Vec::with_capacity(rows),
            extra: Texts::new(rows, AVERAGE_BYTES),
        }
    }

    /// `horizon` is the time in which as many auctions begin as are open at once: how long they last on average, in nanoseconds.
    pub fn push(&mut self, event: u64, time: i64, horizon: i64, mut random: Random) {
        self.id.push(last_auction(event) + FIRST_ID);
        let item_name = self.item_name.write(|out| random.word(20, out));
        let description = self.description.write(|out| random.word(100, out));
        let initial_bid = random.price();
        self.initial_bid.push(initial_bid);
        self.reserve.push(initial_bid + random.price());
        self.date_time.push(time);
        self.expires.push(time + 1 + random.below(2 * horizon.max(1) as u64) as i64);
        self.seller.push(ids::seller(event, &mut random) + FIRST_ID);
        self.category.push(FIRST_CATEGORY + random.below(CATEGORIES) as i64);
        self.extra.write(|out| random.extra(6 * 8 + item_name + description, AVERAGE_BYTES, out));
    }

    pub fn finish(self) -> Result<RecordBatch, ArrowError> {
        let arrays = vec![
            integers(self.id),
            self.item_name.finish()?,
            self.description.finish()?,
            integers(self.initial_bid),
            integers(self.reserve),
            times(self.date_time),
            times(self.expires),
            integers(self.seller),
            integers(self.category),
            self.extra.finish()?,
        ];
        RecordBatch::try_new(columns(), arrays)
    }
}
