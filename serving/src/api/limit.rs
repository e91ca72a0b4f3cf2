//! The bounds of `limit` and `from`.

use super::problem::{Problem, Result, kinds};

/// Offsets are `int64` to whoever reads them.
pub const MAX_OFFSET: u64 = i64::MAX as u64;

/// `limit`, or `default` if it is not given.
pub fn limit(limit: Option<u32>, default: usize, max: usize) -> Result<usize> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&(limit as usize)) => Ok(limit as usize),
        Some(limit) => Err(Problem::new(&kinds::BAD_PARAMETER, format!("The query: `limit` is {limit}; it goes from 1 to {max}."))),
    }
}

/// `from`, or 0 if it is not given.
pub fn from(from: Option<u64>) -> Result<u64> {
    match from.unwrap_or(0) {
        from if from <= MAX_OFFSET => Ok(from),
        from => Err(Problem::new(&kinds::BAD_PARAMETER, format!("The query: `from` is {from}; it goes to {MAX_OFFSET}."))),
    }
}
