//! The part of a table that has not been touched for long: rows by key in a trace of dbsp's, which goes to disk by itself.

use crate::budget::Budget;
use crate::row::Row;
use dbsp::dynamic::{DowncastTrait, Erase};
use dbsp::storage::backend::StoragePath;
use dbsp::trace::{Batch as _, BatchReader as _, Cursor as _, Spine, Trace as _};
use dbsp::typed_batch::BatchReader as TypedReader;
use dbsp::utils::Tup2;
use dbsp::{OrdIndexedZSet, ZWeight};
use feldera_storage::FileCommitter;
use std::collections::HashSet;
use std::sync::Arc;

/// Where tables move what is too much for memory.
#[derive(Clone)]
pub(crate) struct Disk {
    pub budget: Budget,
    /// What is at least this large is written at once.
    pub spill_bytes: usize,
}

type Map = OrdIndexedZSet<Row, Row>;
type Inner = <Map as TypedReader>::Inner;
type Change = Tup2<Tup2<Row, Row>, ZWeight>;

/// Rows by key. A key has one row, or none.
pub(super) struct Cold {
    name: Arc<String>,
    trace: Option<Spine<Inner>>,
    /// What the trace has not taken in yet.
    changes: Vec<Change>,
    /// Keys that were taken out, and are in the trace still.
    taken: HashSet<Row>,
    /// Changes of at least so many bytes are written to disk at once.
    spill_bytes: usize,
}

impl Cold {
    pub fn new(name: &str, spill_bytes: usize) -> Self {
        Cold { name: Arc::new(name.into()), trace: None, changes: vec![], taken: HashSet::new(), spill_bytes }
    }

    /// Nothing was ever put here: nothing need be looked for.
    pub fn is_unused(&self) -> bool {
        self.trace.is_none()
    }

    /// Takes out the rows of those of `keys` that have one, in ascending order. Repeated keys are taken as one.
    pub fn take(&mut self, mut keys: Vec<Row>, mut found: impl FnMut(&Row, &[u8])) {
        let Some(trace) = self.trace.as_ref().filter(|_| !keys.is_empty()) else { return };
        keys.sort_unstable();
        keys.dedup();
        let mut cursor = trace.cursor();
        for key in keys {
            // What was taken out, and then forgotten, is not there.
            if self.taken.contains(&key) || !cursor.seek_key_exact(key.erase(), None) {
                continue;
            }
            // SAFETY: keys and values of this trace are rows.
            let row = unsafe { cursor.val().downcast::<Row>() }.clone();
            found(&key, row.bytes());
            self.taken.insert(key.clone());
            self.changes.push(Tup2(Tup2(key, row), -1));
        }
    }

    /// Puts a row, which can be taken once it is settled.
    pub fn put(&mut self, key: Row, row: Row) {
        self.changes.push(Tup2(Tup2(key, row), 1));
    }

    /// Changes that wait, in bytes, about.
    pub fn waiting_bytes(&self) -> usize {
        self.changes.len() * size_of::<Change>() + self.taken.len() * size_of::<Row>()
    }

    /// Brings all changes into the trace.
    pub async fn settle(&mut self) {
        if let Some(batch) = self.batch() {
            self.trace().insert(batch).await;
        }
    }

    /// The changes that wait, as a batch; one that is large enough is on disk.
    fn batch(&mut self) -> Option<Inner> {
        let changes = std::mem::take(&mut self.changes);
        self.taken = HashSet::new();
        if changes.is_empty() {
            return None;
        }
        let batch = Map::from_tuples((), changes).into_inner();
        // As long as memory is plenty, dbsp itself would leave it there until it has several batches to merge.
        let stored = if batch.approximate_byte_size() >= self.spill_bytes { batch.persisted() } else { None };
        Some(stored.unwrap_or(batch))
    }

    fn trace(&mut self) -> &mut Spine<Inner> {
        self.trace.get_or_insert_with(|| Spine::new(&<Map as TypedReader>::factories(), self.name.clone()))
    }

    /// Makes it part of a checkpoint: what earlier ones wrote is not written again.
    pub fn save(&mut self, base: &StoragePath, id: &str, files: &mut Vec<Arc<dyn FileCommitter>>) -> Result<(), dbsp::Error> {
        if let Some(batch) = self.batch() {
            self.trace().insert_without_blocking(batch);
        }
        self.trace().save(base, id, files)
    }

    pub fn restore(&mut self, base: &StoragePath, id: &str) -> Result<(), dbsp::Error> {
        self.clear();
        self.trace().restore(base, id)
    }

    pub fn clear(&mut self) {
        self.trace = None;
        self.changes.clear();
        self.taken.clear();
    }
}

/// Only broken storage damages a row; dbsp reports the panic as a failed step.
pub(super) fn whole<T>(taken: Option<T>) -> T {
    taken.unwrap_or_else(|| panic!("a row that was moved to disk is damaged"))
}

/// Goes round the places of a table again and again, and lets those stay that were used since it last came by.
#[derive(Default)]
pub(super) struct Clock {
    used: Vec<bool>,
    hand: usize,
}

impl Clock {
    #[inline]
    pub fn touch(&mut self, place: usize) {
        if self.used.len() <= place {
            self.used.resize(place + 1, false);
        }
        self.used[place] = true;
    }

    /// The next place of `places` that was not used lately.
    pub fn next(&mut self, places: usize) -> usize {
        self.used.resize(places.max(self.used.len()), false);
        loop {
            self.hand = if self.hand + 1 < places { self.hand + 1 } else { 0 };
            if !std::mem::take(&mut self.used[self.hand]) {
                return self.hand;
            }
        }
    }
}
