//! Rows whose keys are all as likely, to measure operators one at a time.

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampNanosecondArray};
use arrow::error::ArrowError;
use std::sync::Arc;

const KEYS: u64 = 1_000_000;
/// Of eleven rows one is of `lot`, while there are more of these.
const LOTS: u64 = 200_000;
const NANOSECONDS_A_ROW: i64 = 10_000;

/// Makes rows, one after another.
pub struct Uniform {
    next: u64,
    next_lot: u64,
}

/// A number that is the same for the same row, and looks like no other's (the end of SplitMix64).
fn mixed(row: u64) -> u64 {
    let value = row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ (value >> 27)
}

impl Uniform {
    pub fn new() -> Self {
        Uniform { next: 0, next_lot: 0 }
    }

    /// The next `rows` rows of `item` and `lot` together.
    pub fn next(&mut self, rows: usize) -> Result<Vec<(&'static str, RecordBatch)>, ArrowError> {
        let lots = (rows as u64 / 11).min(LOTS - self.next_lot);
        let items = self.next..self.next + rows as u64 - lots;
        let numbers = |number: &dyn Fn(u64) -> u64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(items.clone().map(|row| number(row) as i64)))
        };
        let times = TimestampNanosecondArray::from_iter_values(items.clone().map(|row| row as i64 * NANOSECONDS_A_ROW));
        let item = RecordBatch::try_from_iter_with_nullable([
            ("key", numbers(&|row| mixed(row) % KEYS), true),
            ("value", numbers(&|row| mixed(!row) % 10_000), true),
            ("at", Arc::new(times) as ArrayRef, true),
        ])?;
        let ids = self.next_lot..self.next_lot + lots;
        let sellers: ArrayRef = Arc::new(Int64Array::from_iter_values(ids.clone().map(|id| (mixed(id) % 10_000) as i64)));
        let id: ArrayRef = Arc::new(Int64Array::from_iter_values(ids.clone().map(|id| id as i64)));
        let lot = RecordBatch::try_from_iter_with_nullable([("id", id, true), ("seller", sellers, true)])?;
        (self.next, self.next_lot) = (items.end, ids.end);
        Ok(vec![("lot", lot), ("item", item)])
    }
}
