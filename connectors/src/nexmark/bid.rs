//! Bids.

use super::columns::{TIME, Texts, integers, schema, times};
use super::ids::{self, FIRST_ID};
use super::random::Random;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use std::io::Write as _;

const AVERAGE_BYTES: usize = 100;
/// Half of the bids come through one of these.
const HOT_CHANNELS: [(&str, &str); 4] = [
    ("Google", "https://www.nexmark.com/googl/search/items/item.htm?query=1"),
    ("Facebook", "https://www.nexmark.com/faceb/friend/likes/item.htm?query=1"),
    ("Baidu", "https://www.nexmark.com/baidu/zhida/found/item.htm?query=1"),
    ("Apple", "https://www.nexmark.com/apple/store/front/item.htm?query=1"),
];
const CHANNELS: u64 = 10_000;

pub(super) fn columns() -> SchemaRef {
    use DataType::{Int64, Utf8};
    schema(&[
        ("auction", &Int64),
        ("bidder", &Int64),
        ("price", &Int64),
        ("channel", &Utf8),
        ("url", &Utf8),
        ("date_time", &TIME),
        ("extra", &Utf8),
    ])
}

pub(super) struct Bids {
    seed: u64,
    auction: Vec<i64>,
    bidder: Vec<i64>,
    price: Vec<i64>,
    channel: Texts,
    url: Texts,
    date_time: Vec<i64>,
    extra: Texts,
}

impl Bids {
    pub fn new(seed: u64, rows: usize) -> Self {
        Bids {
            seed,
            auction: Vec::with_capacity(rows),
            bidder: Vec::with_capacity(rows),
            price: Vec::with_capacity(rows),
            channel: Texts::new(rows, 10),
            url: Texts::new(rows, 64),
            date_time: Vec::with_capacity(rows),
            extra: Texts::new(rows, AVERAGE_BYTES),
        }
    }

    pub fn push(&mut self, event: u64, time: i64, mut random: Random) {
        self.auction.push(ids::auction(event, &mut random) + FIRST_ID);
        self.bidder.push(ids::bidder(event, &mut random) + FIRST_ID);
        self.price.push(random.price());
        if random.is_hot(2) {
            let (channel, url) = random.one_of(&HOT_CHANNELS);
            self.channel.push(channel);
            self.url.push(url);
        } else {
            self.channel(random.below(CHANNELS));
        }
        self.date_time.push(time);
        self.extra.write(|out| random.extra(4 * 8, AVERAGE_BYTES, out));
    }

    /// A channel has one address; nine of ten name the channel in it.
    fn channel(&mut self, number: u64) {
        // Writing into memory never fails.
        self.channel.write(|out| drop(write!(out, "channel-{number}")));
        let mut random = Random::of(!self.seed, number);
        self.url.write(|out| {
            out.extend_from_slice(b"https://www.nexmark.com/");
            for _ in 0..3 {
                random.word(6, out);
                out.push(b'/');
            }
            out.extend_from_slice(b"item.htm?query=1");
            if random.is_hot(10) {
                drop(write!(out, "&channel_id={}", (number as u32).reverse_bits() >> 1));
            }
        });
    }

    pub fn finish(self) -> Result<RecordBatch, ArrowError> {
        let arrays = vec![
            integers(self.auction),
            integers(self.bidder),
            integers(self.price),
            self.channel.finish()?,
            self.url.finish()?,
            times(self.date_time),
            self.extra.finish()?,
        ];
        RecordBatch::try_new(columns(), arrays)
    }
}
