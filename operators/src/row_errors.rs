//! Rows that an expression refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many different messages are kept between two readings; rows beyond are counted under one of them.
const MAX_MESSAGES: usize = 100;
const OTHERS: &str = "other errors";

/// Counts rows that were dropped, by cause. Shared by all workers of a circuit.
#[derive(Clone, Default, Debug)]
pub struct RowErrors(Arc<Mutex<BTreeMap<String, u64>>>);

impl RowErrors {
    pub fn add(&self, message: &str, rows: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counts.contains_key(message) || counts.len() < MAX_MESSAGES;
        *counts.entry(if known { message } else { OTHERS }.to_string()).or_default() += rows;
    }

    /// The counts since the last call.
    pub fn take(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
