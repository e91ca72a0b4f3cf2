//! Hashes of rows and of bytes. They differ from process to process: nobody outside can make rows that all have one.

use super::{Codec, Values};
use arrow::array::ArrayRef;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// Stands for a null, so that it is not taken for a zero.
const NULL_WORD: u64 = 0xa076_1d64_78bd_642f;

/// Both halves of a product: every bit of it depends on all bits of `hash` and `word`.
#[inline]
fn mixed(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word) * u128::from(FACTOR);
    (product as u64 ^ (product >> 64) as u64).wrapping_add(STEP)
}

#[inline]
fn mixed_bytes(hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(mixed(hash, bytes.len() as u64), |hash, word| mixed(hash, u64::from_le_bytes(*word)));
    let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mixed(hash, last)
}

/// The hash of some bytes.
#[inline]
pub(crate) fn of_bytes(bytes: &[u8]) -> u64 {
    mixed_bytes(*SEED, bytes)
}

impl Codec {
    /// A hash of each of the `rows` rows of `columns`: equal for rows whose bytes would be equal.
    pub(crate) fn hashes(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<u64>, String> {
        let mut hashes = vec![*SEED; rows];
        for (column, array) in self.columns.iter().zip(columns) {
            let writer = column.writer(array)?;
            let nulls = writer.nulls.as_ref();
            let is_null = |row: usize| nulls.is_some_and(|nulls| nulls.is_null(row));
            let each = hashes.iter_mut().enumerate();
            match &writer.values {
                Values::Words(words) if nulls.is_none() => each.for_each(|(row, hash)| *hash = mixed(*hash, words[row] as u64)),
                Values::Words(words) => {
                    each.for_each(|(row, hash)| *hash = mixed(*hash, if is_null(row) { NULL_WORD } else { words[row] as u64 }));
                }
                Values::Decimals(values) => each.for_each(|(row, hash)| {
                    let value = if is_null(row) { i128::from(NULL_WORD) } else { values[row] };
                    *hash = mixed(mixed(*hash, value as u64), (value >> 64) as u64);
                }),
                Values::Text(texts) => each.for_each(|(row, hash)| {
                    *hash = if is_null(row) { mixed(*hash, NULL_WORD) } else { mixed_bytes(*hash, texts.value(row).as_bytes()) };
                }),
                Values::Bytes(values) => each.for_each(|(row, hash)| {
                    *hash = if is_null(row) { mixed(*hash, NULL_WORD) } else { mixed_bytes(*hash, values.value(row)) };
                }),
                Values::Other(values) => each.for_each(|(row, hash)| {
                    *hash = if is_null(row) { mixed(*hash, NULL_WORD) } else { mixed_bytes(*hash, values.row(row).data()) };
                }),
            }
        }
        Ok(hashes)
    }
}
