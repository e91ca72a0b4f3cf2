//! The bounds of `limit` and `offset`.

use super::problem::{Problem, Result, kinds};

/// `limit`, or `default` if it is not given.
pub fn limit(limit: Option<u32>, default: usize, max: usize) -> Result<usize> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&(limit as usize)) => Ok(limit as usize),
        Some(limit) => Err(Problem::new(&kinds::BAD_PARAMETER, format!("The query: `limit` is {limit}; it goes from 1 to {max}."))),
    }
}
