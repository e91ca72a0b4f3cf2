//! Indexes of views: entries are the values of some columns and the row's key, kept in the write that sets the row.
//!
//! An index is registered first, so that every write keeps it from then on, and then built from the rows that are there, in steps between
//! writes. It is read when it is complete. What is being built when the process ends is built anew at the next start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::row::Rows;
use fjall::{Database, Keyspace, OwnedWriteBatch, PersistMode, Readable, Slice};
use serde::{Deserialize, Serialize};

use super::CONNECTOR;
use super::key::KeyEncoder;
use super::moment::decode;
use super::views::{OpenView, Views, failed, keyspace_options};
use crate::{Error, Result};

/// Before the id of each view and the name of its index.
const KEYSPACE: &str = "index.";
/// Rows that are indexed between two writes.
const STEP_ROWS: usize = 2_048;
/// Indexes of one view: each costs a read and a write a change.
const INDEXES_MAX: usize = 8;

/// An index, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexInfo {
    /// Of the view: `schema.view`.
    pub view: String,
    pub name: String,
    pub columns: Vec<String>,
    /// Whether it is complete, and so read.
    pub is_complete: bool,
}

pub(super) struct Index {
    pub(super) name: String,
    pub(super) keys: KeyEncoder,
    pub(super) entries: Keyspace,
    complete: AtomicBool,
    dropped: AtomicBool,
}

/// What is written down of an index.
#[derive(Serialize, Deserialize)]
struct Definition {
    columns: Vec<String>,
    is_complete: bool,
}

impl Index {
    pub(super) fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    pub(super) fn set_complete(&self, complete: bool) {
        self.complete.store(complete, Ordering::Release);
    }
}

fn definition_key(id: &str, name: &str) -> Vec<u8> {
    [id.as_bytes(), b"\0", name.as_bytes()].concat()
}

fn entry(values: &Rows, row: usize, key: &[u8]) -> Vec<u8> {
    [values.row(row).data(), key].concat()
}

impl OpenView {
    /// Before they are removed: they are not built any further, nor kept.
    pub(super) fn stop_indexes(&self) {
        let _publishing = self.publishing.lock();
        self.indexes.write().drain(..).for_each(|index| index.dropped.store(true, Ordering::Release));
    }

    /// Adds to `batch` what a write of rows changes in the indexes. The lock of its writes is held.
    ///
    /// Entries are made of rows as they are stored, which is how they are found again: a row in JSON has no NaN and no nanoseconds.
    pub(super) fn index(&self, batch: &mut OwnedWriteBatch, upserts: &[(Slice, Vec<u8>)], deleted: &[&Slice]) -> Result<()> {
        let indexes = self.indexes.read();
        if indexes.is_empty() {
            return Ok(());
        }
        let stored: Vec<Slice> = upserts.iter().map(|(_, row)| Slice::from(row.as_slice())).collect();
        let rows = decode(&self.schema, stored.iter())?;
        let values = indexes.iter().map(|index| index.keys.encode(&rows)).collect::<Result<Vec<_>>>()?;
        let all: Vec<&Slice> = upserts.iter().map(|(key, _)| key).chain(deleted.iter().copied()).collect();
        for (step, chunk) in all.chunks(STEP_ROWS).enumerate() {
            let mut found = Vec::with_capacity(chunk.len());
            for (at, key) in chunk.iter().enumerate() {
                if let Some(row) = self.rows.get(key).map_err(failed)? {
                    found.push((step * STEP_ROWS + at, row));
                }
            }
            let old = decode(&self.schema, found.iter().map(|(_, row)| row))?;
            for (index, values) in indexes.iter().zip(&values) {
                let old = index.keys.encode(&old)?;
                let mut before = found.iter().enumerate().map(|(row, (at, _))| (*at, entry(&old, row, all[*at]))).peekable();
                for at in step * STEP_ROWS..step * STEP_ROWS + chunk.len() {
                    let old = before.next_if(|(of, _)| *of == at).map(|(_, entry)| entry);
                    let new = (at < upserts.len()).then(|| entry(values, at, all[at]));
                    if old == new {
                        continue;
                    }
                    if let Some(old) = old {
                        batch.remove(&index.entries, old);
                    }
                    if let Some(new) = new {
                        batch.insert(&index.entries, new, all[at].clone());
                    }
                }
            }
        }
        Ok(())
    }
}

impl Views {
    /// All indexes, by view and name.
    pub fn indexes(&self) -> Vec<IndexInfo> {
        let open = self.open.read();
        let all = open.iter().flat_map(|(view, open)| {
            let info = |index: &Arc<Index>| IndexInfo {
                view: view.clone(),
                name: index.name.clone(),
                columns: index.keys.names(),
                is_complete: index.is_complete(),
            };
            let mut infos: Vec<IndexInfo> = open.indexes.read().iter().map(info).collect();
            infos.sort_by(|a, b| a.name.cmp(&b.name));
            infos
        });
        all.collect()
    }

    /// Makes an index of a view's columns, which is complete a while later. Errors where it cannot be, and when there is one of its name.
    pub fn create_index(&self, view: &str, name: &str, columns: &[String]) -> Result<()> {
        let open = self.find(view).ok_or_else(|| Error::config(CONNECTOR, format!("there is no view {view}")))?;
        self.register(&open, name, columns, false)
    }

    fn register(&self, open: &Arc<OpenView>, name: &str, columns: &[String], is_complete: bool) -> Result<()> {
        let refused = |message: String| Err(Error::config(CONNECTOR, message));
        let mut positions = Vec::new();
        for column in columns {
            let Ok(position) = open.schema.index_of(column) else { return refused(format!("the view has no column '{column}'")) };
            if positions.contains(&position) {
                return refused(format!("column '{column}' is there twice"));
            }
            positions.push(position);
        }
        let keys = KeyEncoder::new(open.schema.clone(), positions)?;
        let index = {
            let _publishing = open.publishing.lock();
            let mut indexes = open.indexes.write();
            if indexes.iter().any(|index| index.name == name) {
                return refused(format!("there is an index {name} already"));
            }
            if indexes.len() == INDEXES_MAX {
                return refused(format!("a view has {INDEXES_MAX} indexes at most"));
            }
            let entries = self.database.keyspace(&format!("{KEYSPACE}{}:{name}", open.id), keyspace_options).map_err(failed)?;
            let (complete, dropped) = (AtomicBool::new(is_complete), AtomicBool::new(false));
            let index = Arc::new(Index { name: name.to_owned(), keys, entries, complete, dropped });
            self.define(&open.id, &index, is_complete)?;
            indexes.push(index.clone());
            index
        };
        if !is_complete {
            let builder = Builder { database: self.database.clone(), definitions: self.definitions.clone(), view: open.clone(), index };
            let stop = self.stop.clone();
            let spawned = std::thread::Builder::new().name("view-index".to_owned()).spawn(move || builder.run(&stop));
            spawned.map_err(|source| Error::Io { what: "cannot start a thread".to_owned(), source })?;
        }
        Ok(())
    }

    fn define(&self, id: &str, index: &Index, is_complete: bool) -> Result<()> {
        let definition = Definition { columns: index.keys.names(), is_complete };
        let text = serde_json::to_vec(&definition).map_err(|error| Error::corrupt(CONNECTOR, error))?;
        self.definitions.insert(definition_key(id, &index.name), text).map_err(failed)?;
        self.flush()
    }

    /// Removes an index. `false`: there is none of that name.
    pub fn drop_index(&self, view: &str, name: &str) -> Result<bool> {
        let Some(open) = self.find(view) else { return Ok(false) };
        let _publishing = open.publishing.lock();
        let mut indexes = open.indexes.write();
        let Some(at) = indexes.iter().position(|index| index.name == name) else { return Ok(false) };
        let index = indexes.remove(at);
        index.dropped.store(true, Ordering::Release);
        self.definitions.remove(definition_key(&open.id, name)).map_err(failed)?;
        self.database.delete_keyspace(index.entries.clone()).map_err(failed)?;
        self.flush()?;
        Ok(true)
    }

    /// The indexes of a view that was declared, as they were written down.
    pub(super) fn restore_indexes(&self, open: &Arc<OpenView>) -> Result<()> {
        let mut found = Vec::new();
        for row in self.definitions.prefix(definition_key(&open.id, "")) {
            let (key, value) = row.into_inner().map_err(failed)?;
            let name = String::from_utf8_lossy(&key[open.id.len() + 1..]).into_owned();
            let definition = serde_json::from_slice::<Definition>(&value);
            found.push((name, definition.map_err(|error| Error::corrupt(CONNECTOR, format!("the definition of an index: {error}")))?));
        }
        for (name, definition) in found {
            if definition.columns.iter().all(|column| open.schema.index_of(column).is_ok()) {
                self.register(open, &name, &definition.columns, definition.is_complete)?;
            } else {
                // Its pipeline is another one now, without the column.
                self.definitions.remove(definition_key(&open.id, &name)).map_err(failed)?;
                self.forget_entries(&open.id, &name)?;
            }
        }
        Ok(())
    }

    /// Of a view that takes the place of another one: the indexes of that one, where it has their columns.
    pub(super) fn inherit_indexes(&self, old: &OpenView, new: &Arc<OpenView>) -> Result<()> {
        let indexes: Vec<Arc<Index>> = old.indexes.read().clone();
        for index in indexes {
            let columns = index.keys.names();
            let fits = columns.iter().all(|column| new.schema.index_of(column).is_ok());
            if fits && !new.indexes.read().iter().any(|other| other.name == index.name) {
                self.register(new, &index.name, &columns, false)?;
            }
        }
        Ok(())
    }

    /// Removes all indexes of the view kept under `id`, whether it is open or not.
    pub(super) fn forget_indexes(&self, id: &str) -> Result<()> {
        let keys: Vec<_> =
            self.definitions.prefix(definition_key(id, "")).map(|row| row.key()).collect::<Result<_, _>>().map_err(failed)?;
        for key in keys {
            let name = String::from_utf8_lossy(&key[id.len() + 1..]).into_owned();
            self.definitions.remove(key).map_err(failed)?;
            self.forget_entries(id, &name)?;
        }
        Ok(())
    }

    fn forget_entries(&self, id: &str, name: &str) -> Result<()> {
        let entries = self.database.keyspace(&format!("{KEYSPACE}{id}:{name}"), keyspace_options).map_err(failed)?;
        self.database.delete_keyspace(entries).map_err(failed)
    }
}

/// Fills an index with the rows that are there.
struct Builder {
    database: Database,
    definitions: Keyspace,
    view: Arc<OpenView>,
    index: Arc<Index>,
}

impl Builder {
    fn run(&self, stop: &AtomicBool) {
        let mut from = Some(Vec::new());
        while let Some(start) = from {
            if stop.load(Ordering::Acquire) || self.index.dropped.load(Ordering::Acquire) {
                return;
            }
            from = match self.step(&start) {
                Ok(next) => next,
                // It stays incomplete, and is built at the next start.
                Err(error) => return tracing::error!(%error, index = self.index.name, "an index of a view cannot be built"),
            };
        }
    }

    /// Indexes the next rows, as they are now: nothing is written to the view meanwhile. The key to go on from; `None`: it is complete.
    fn step(&self, start: &[u8]) -> Result<Option<Vec<u8>>> {
        let _publishing = self.view.publishing.lock();
        if self.index.dropped.load(Ordering::Acquire) {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for row in self.database.snapshot().range::<&[u8], _>(&self.view.rows, start..).take(STEP_ROWS) {
            rows.push(row.into_inner().map_err(failed)?);
        }
        let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), rows.len() + 1);
        let values = self.index.keys.encode(&decode(&self.view.schema, rows.iter().map(|(_, row)| row))?)?;
        for (row, (key, _)) in rows.iter().enumerate() {
            batch.insert(&self.index.entries, entry(&values, row, key), key.clone());
        }
        let next = if rows.len() < STEP_ROWS { None } else { rows.last().map(|(key, _)| [key, &b"\0"[..]].concat()) };
        if next.is_none() {
            let definition = Definition { columns: self.index.keys.names(), is_complete: true };
            let text = serde_json::to_vec(&definition).map_err(|error| Error::corrupt(CONNECTOR, error))?;
            batch.insert(&self.definitions, definition_key(&self.view.id, &self.index.name), text);
        }
        batch.durability(Some(PersistMode::Buffer)).commit().map_err(failed)?;
        if next.is_none() {
            self.index.set_complete(true);
        }
        Ok(next)
    }
}
