//! Which records a pipeline's tables have put aside: the only ones that it takes when they come again from the dead-letter queue.
//!
//! A topic may be read by several tables, and what one cannot take another one has taken already. A pipeline that is built anew, with a text
//! that fits the record, takes it at its first place. So what is put aside belongs to the state of the pipeline, and is saved with it.

use std::collections::{BTreeMap, BTreeSet};

use chimera_connectors::Changes;
use serde::{Deserialize, Serialize};

use crate::inputs::Brought;

/// Offsets by topic of each table, as [`place`] names both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PutAside(BTreeMap<String, BTreeSet<u64>>);

impl PutAside {
    /// What `table` takes of what an epoch brings of `topic`; remembers what it puts aside.
    pub fn take<'a>(&mut self, table: &str, topic: &str, brought: &'a Brought) -> Vec<&'a Changes> {
        let mut taken = Vec::new();
        if !brought.changes.is_empty() {
            taken.push(&brought.changes);
        }
        if brought.put_aside.is_empty() && brought.replayed.is_empty() {
            return taken;
        }
        // As it was saved when a table had one topic.
        if let Some(offsets) = self.0.remove(table) {
            self.0.insert(place(table, topic), offsets);
        }
        let offsets = self.0.entry(place(table, topic)).or_default();
        offsets.extend(&brought.put_aside);
        for replayed in &brought.replayed {
            if offsets.remove(&replayed.original) {
                match &replayed.changes {
                    Some(changes) => taken.push(changes),
                    None => drop(offsets.insert(replayed.offset)),
                }
            }
        }
        taken
    }
}

/// A topic of a table, which may have several: one a database that it is spread over.
fn place(table: &str, topic: &str) -> String {
    format!("{table} < {topic}")
}
