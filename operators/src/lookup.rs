//! Rows that are asked for by their key, of tables that are kept elsewhere.

use arrow::array::{ArrayRef, BooleanArray};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

/// A table that is asked for rows by its key. Shared by all workers of a circuit.
pub trait Lookup: Debug + Send + Sync {
    /// The row of each key as it is now. `keys` are the key's columns, of one length, without nulls. May wait.
    ///
    /// Fails when there is no answer: the dataflow ends with this message.
    fn get(&self, keys: &[ArrayRef]) -> Result<Found, String>;
}

/// Answers to keys, in their order.
#[derive(Debug)]
pub struct Found {
    /// Whether there is a row of the key.
    pub is_found: BooleanArray,
    /// All columns of the table; null where there is no row.
    pub columns: Vec<ArrayRef>,
}

/// Tables that are asked, by name.
pub type Lookups = BTreeMap<String, Arc<dyn Lookup>>;

/// Why a table did not answer. Shared by all workers of a circuit.
#[derive(Clone, Default, Debug)]
pub(crate) struct Failure(Arc<Mutex<Option<String>>>);

impl Failure {
    /// The first one counts.
    pub fn set(&self, message: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
    }

    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
