//! All live views of a process: one embedded database, a keyspace a view.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Slice, Snapshot};
use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;

use super::CONNECTOR;
use super::index::Index;
use super::key::KeyEncoder;
use super::moment::{AtMoment, Moment};
use crate::sink::{Applied, SinkSpec};
use crate::{Error, Result};

/// All views share this much memory for blocks read from disk.
const CACHE_BYTES: u64 = 16 << 20;
const MEMTABLE_BYTES: u64 = 4 << 20;
const JOURNAL_BYTES: u64 = 64 << 20;
/// A subscriber that falls behind by more updates than this has to take a new snapshot.
const UPDATES_KEPT: usize = 64;
/// An update of more rows than this is sent as [`ViewUpdate::resync`].
pub(super) const UPDATE_ROWS_MAX: usize = 4_096;
const MARKS: &str = "chimera.marks";
const INDEXES: &str = "chimera.indexes";
/// Before the id of each view.
pub(super) const KEYSPACE: &str = "view.";

/// What happened to a view in one step.
#[derive(Debug, Serialize)]
pub struct ViewUpdate {
    /// The view's epoch after the step.
    pub epoch: u64,
    /// Commit time of the newest change in the step, in milliseconds since 1970; 0 if it holds none.
    pub committed_ms: i64,
    /// Rows that are new or changed, whole.
    pub upserts: Vec<Value>,
    /// Keys of rows that are gone, as objects of the key's columns.
    pub deletes: Vec<Value>,
    /// The step was too large to be sent, or the view was reset: take a new snapshot. `upserts` and `deletes` are empty.
    pub resync: bool,
}

/// A column as its table declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    pub name: String,
    /// The Arrow type, as text.
    #[serde(rename = "type")]
    pub data_type: String,
}

/// A view, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// `pipeline.table`.
    pub name: String,
    pub columns: Vec<Column>,
    pub primary_key: Vec<String>,
}

/// A snapshot and every update after it, without a gap and without one twice.
pub struct Subscription {
    pub applied: Option<Applied>,
    /// The first rows in key order, up to the limit that was asked for.
    pub rows: Vec<Value>,
    /// Whether the view has more rows than were asked for.
    pub truncated: bool,
    /// Updates with a higher epoch than `applied`. `RecvError::Lagged` means: subscribe again.
    pub updates: broadcast::Receiver<Arc<ViewUpdate>>,
}

pub(super) struct OpenView {
    /// Names its keyspace and its mark.
    pub(super) id: String,
    view: View,
    pub(super) schema: SchemaRef,
    pub(super) keys: KeyEncoder,
    pub(super) rows: Keyspace,
    updates: broadcast::Sender<Arc<ViewUpdate>>,
    /// Cleared while it holds a part of what it will: then it cannot be read.
    pub(super) filled: AtomicBool,
    /// Held while a write and its update go out, while a subscriber takes its snapshot, and while rows that are there are indexed.
    pub(super) publishing: Arc<Mutex<()>>,
    pub(super) indexes: Arc<RwLock<Vec<Arc<Index>>>>,
}

/// All live views below one folder. Opened once a process.
pub struct Views {
    pub(super) database: Database,
    pub(super) marks: Keyspace,
    /// By name: what readers find.
    pub(super) open: RwLock<BTreeMap<String, Arc<OpenView>>>,
    /// By id: views that will take the place of another one of their name.
    pub(super) shadows: RwLock<BTreeMap<String, Arc<OpenView>>>,
    /// What indexes there are, by view and name.
    pub(super) definitions: Keyspace,
    /// Set when the process is done with them: indexes are not built any further.
    pub(super) stop: Arc<AtomicBool>,
}

impl Drop for Views {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

pub(super) fn failed(error: fjall::Error) -> Error {
    Error::corrupt(CONNECTOR, format!("its database: {error}"))
}

pub(super) fn keyspace_options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
}

impl Views {
    /// Opens or makes the database in folder `path`; fails if another process has it open.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { what: format!("cannot make the folder {}", path.display()), source };
        std::fs::create_dir_all(path).map_err(io)?;
        let database = Database::builder(path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(|error| Error::corrupt(CONNECTOR, format!("cannot open the views in {}: {error}", path.display())))?;
        let marks = database.keyspace(MARKS, keyspace_options).map_err(failed)?;
        let definitions = database.keyspace(INDEXES, keyspace_options).map_err(failed)?;
        Ok(Self { database, marks, open: RwLock::default(), shadows: RwLock::default(), definitions, stop: Arc::default() })
    }

    /// The views that sinks have opened, by name.
    pub fn list(&self) -> Vec<View> {
        self.open.read().iter().map(|(name, open)| View { name: name.clone(), ..open.view.clone() }).collect()
    }

    /// Whether the view is still being filled, and so cannot be read yet.
    pub fn is_filling(&self, name: &str) -> bool {
        self.find(name).is_some_and(|open| !open.filled.load(Ordering::Acquire))
    }

    /// Up to `limit` rows in key order, or from the last key back; and the epoch that they show. `None`: no such view.
    pub fn scan(&self, name: &str, limit: usize, reverse: bool) -> Result<Option<(Option<Applied>, Vec<Value>)>> {
        let Some(open) = self.readable(name)? else { return Ok(None) };
        let snapshot = self.database.snapshot();
        let rows = snapshot.iter(&open.rows);
        let rows = if reverse { parse(rows.rev().take(limit))? } else { parse(rows.take(limit))? };
        Ok(Some((self.mark(&snapshot, &open.id)?, rows)))
    }

    /// The row with the key of these values, given as text. `Ok(None)`: no such view or no such row.
    pub fn get(&self, name: &str, key: &[&str]) -> Result<Option<Value>> {
        let Some(open) = self.readable(name)? else { return Ok(None) };
        let key = open.keys.parse(key)?;
        let row = self.database.snapshot().get(&open.rows, key).map_err(failed)?;
        row.map(|row| parse_row(&row)).transpose()
    }

    /// How far the view is. `Ok(None)` also if there is no such view.
    pub fn applied(&self, name: &str) -> Result<Option<Applied>> {
        let Some(open) = self.find(name) else { return Ok(None) };
        self.stands_at(&open)
    }

    pub(super) fn stands_at(&self, view: &OpenView) -> Result<Option<Applied>> {
        self.mark(&self.database.snapshot(), &view.id)
    }

    /// Updates from now on; see [`Views::snapshot_and_subscribe`] for a start without a gap. `None`: no such view.
    pub fn subscribe(&self, name: &str) -> Option<broadcast::Receiver<Arc<ViewUpdate>>> {
        self.find(name).map(|open| open.updates.subscribe())
    }

    /// The first `limit` rows, and every update after the moment at which they were read. `None`: no such view.
    pub fn snapshot_and_subscribe(&self, name: &str, limit: usize) -> Result<Option<Subscription>> {
        let Some(open) = self.readable(name)? else { return Ok(None) };
        let (snapshot, updates) = {
            let _publishing = open.publishing.lock();
            (self.database.snapshot(), open.updates.subscribe())
        };
        let mut rows = parse(snapshot.iter(&open.rows).take(limit.saturating_add(1)))?;
        let truncated = rows.len() > limit;
        rows.truncate(limit);
        Ok(Some(Subscription { applied: self.mark(&snapshot, &open.id)?, rows, truncated, updates }))
    }

    /// The columns of a view as Arrow. `None`: no such view.
    pub fn schema(&self, name: &str) -> Option<SchemaRef> {
        self.find(name).map(|open| open.schema.clone())
    }

    /// All views as they are now.
    pub fn moment(&self) -> Moment {
        // Which views there are is asked first: what is filled then is filled in the snapshot.
        let at_now = |(name, open): (&String, &Arc<OpenView>)| {
            let indexes = open.indexes.read().iter().filter(|index| index.is_complete()).cloned().collect();
            (name.clone(), AtMoment { view: open.clone(), is_filled: open.check_filled(name).is_ok(), indexes })
        };
        let open = self.open.read().iter().map(at_now).collect();
        Moment::new(open, self.database.snapshot())
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<OpenView>> {
        self.open.read().get(name).cloned()
    }

    /// Refuses a view that is still being filled.
    fn readable(&self, name: &str) -> Result<Option<Arc<OpenView>>> {
        self.find(name).map(|open| open.check_filled(name).map(|()| open.clone())).transpose()
    }

    fn mark(&self, snapshot: &Snapshot, id: &str) -> Result<Option<Applied>> {
        let Some(mark) = snapshot.get(&self.marks, id).map_err(failed)? else { return Ok(None) };
        Applied::decode(CONNECTOR, &String::from_utf8_lossy(&mark)).map(Some)
    }

    /// Makes the view of a sink table known, and its keyspace if it is new. Under an `id`, it cannot be read before [`Views::set_filled`],
    /// and stands in the shadow of another one of its name until [`Views::replace`].
    pub(super) fn declare(&self, spec: &SinkSpec, id: Option<String>, keys: KeyEncoder) -> Result<Arc<OpenView>> {
        let name = format!("{}.{}", spec.pipeline, spec.table);
        let column = |field: &Arc<arrow::datatypes::Field>| Column { name: field.name().clone(), data_type: field.data_type().to_string() };
        let columns = spec.schema.fields().iter().map(column).collect();
        let view = View { name: name.clone(), columns, primary_key: spec.primary_key.clone() };
        let id = id.unwrap_or_else(|| name.clone());
        let rows = self.database.keyspace(&format!("{KEYSPACE}{id}"), keyspace_options).map_err(failed)?;
        let mut views = self.open.write();
        let there = views.get(&name).cloned();
        let shadow = self.shadows.read().get(&id).cloned();
        // A sink that is opened again keeps the channel, so that its subscribers go on.
        let same = there.as_ref().filter(|open| open.id == id).or(shadow.as_ref());
        let updates = same.map_or_else(|| broadcast::Sender::new(UPDATES_KEPT), |open| open.updates.clone());
        let schema = spec.schema.clone();
        // Of one that has an id it is to be said.
        let filled = AtomicBool::new(id == name);
        let (publishing, indexes) = same.map(|open| (open.publishing.clone(), open.indexes.clone())).unwrap_or_default();
        let is_new = same.is_none();
        let open = Arc::new(OpenView { id: id.clone(), view, schema, keys, rows, updates, filled, publishing, indexes });
        match there {
            Some(other) if other.id != id => drop(self.shadows.write().insert(id, open.clone())),
            _ => drop(views.insert(name, open.clone())),
        }
        drop(views);
        if is_new {
            self.restore_indexes(&open)?;
        }
        if self.stands_at(&open)?.is_none() && !self.database.snapshot().is_empty(&open.rows).map_err(failed)? {
            // A reset was cut short.
            self.reset(&open)?;
        }
        Ok(open)
    }

    /// Sets and removes rows, keeps their indexes and moves the mark, in one write; then tells subscribers.
    pub(super) fn write(
        &self,
        view: &OpenView,
        upserts: Vec<(Slice, Vec<u8>)>,
        deletes: Vec<(Slice, Vec<u8>)>,
        mark: Applied,
        committed_ms: i64,
    ) -> Result<()> {
        let heard = view.updates.receiver_count() > 0;
        let mut update = ViewUpdate { epoch: mark.epoch, committed_ms, upserts: Vec::new(), deletes: Vec::new(), resync: false };
        if heard && upserts.len() + deletes.len() > UPDATE_ROWS_MAX {
            update.resync = true;
        } else if heard {
            update.upserts = upserts.iter().map(|(_, row)| parse_row(row)).collect::<Result<_>>()?;
            update.deletes = deletes.iter().map(|(_, key)| parse_row(key)).collect::<Result<_>>()?;
        }
        let mut batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), upserts.len() + deletes.len() + 1);
        let _publishing = view.publishing.lock();
        let deleted: Vec<&Slice> = deletes.iter().map(|(key, _)| key).collect();
        view.index(&mut batch, &upserts, &deleted)?;
        for (key, row) in upserts {
            batch.insert(&view.rows, key, row);
        }
        for (key, _) in deletes {
            batch.remove(&view.rows, key);
        }
        batch.insert(&self.marks, view.id.as_str(), mark.encode());
        // To the operating system: survives this process. `flush` makes it survive the machine.
        let batch = batch.durability(Some(fjall::PersistMode::Buffer));
        batch.commit().map_err(failed)?;
        if !heard && view.updates.receiver_count() > 0 {
            // Someone came after the update had been left out, with a snapshot from before this write.
            update.resync = true;
        }
        // An error only says that nobody listens.
        let _ = view.updates.send(Arc::new(update));
        Ok(())
    }

    /// Forgets the mark, then removes all rows: a crash in between leaves a store that says that it is new.
    pub(super) fn reset(&self, view: &OpenView) -> Result<()> {
        const CHUNK_ROWS: usize = 8_192;
        let _publishing = view.publishing.lock();
        self.marks.remove(view.id.as_str()).map_err(failed)?;
        let indexes = view.indexes.read();
        // Not read while entries are missing; the rows go last, so that a reset that is cut short is seen at the next start.
        let complete: Vec<bool> = indexes.iter().map(|index| index.is_complete()).collect();
        indexes.iter().for_each(|index| index.set_complete(false));
        for keyspace in indexes.iter().map(|index| &index.entries).chain([&view.rows]) {
            let snapshot = self.database.snapshot();
            let mut keys = snapshot.iter(keyspace).map(|row| row.key());
            loop {
                let mut batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), CHUNK_ROWS);
                for key in keys.by_ref().take(CHUNK_ROWS) {
                    batch.remove(keyspace, key.map_err(failed)?);
                }
                if batch.is_empty() {
                    break;
                }
                batch.durability(Some(fjall::PersistMode::Buffer)).commit().map_err(failed)?;
            }
        }
        indexes.iter().zip(complete).for_each(|(index, complete)| index.set_complete(complete));
        drop(indexes);
        view.tell_resync();
        self.flush()
    }

    /// To the disk.
    pub(super) fn flush(&self) -> Result<()> {
        self.database.persist(fjall::PersistMode::SyncData).map_err(failed)
    }

    /// Counts the rows by reading them all.
    pub(super) fn len(&self, view: &OpenView) -> Result<u64> {
        Ok(self.database.snapshot().len(&view.rows).map_err(failed)? as u64)
    }
}

impl OpenView {
    fn check_filled(&self, name: &str) -> Result<()> {
        if self.filled.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(still_filling(name))
    }

    /// Subscribers are to take a new snapshot.
    pub(super) fn tell_resync(&self) {
        let update = ViewUpdate { epoch: 0, committed_ms: 0, upserts: Vec::new(), deletes: Vec::new(), resync: true };
        let _ = self.updates.send(Arc::new(update));
    }
}

pub(super) fn still_filling(name: &str) -> Error {
    Error::unavailable(CONNECTOR, format!("{name} is still being filled; read it when it has caught up"))
}

fn parse(rows: impl Iterator<Item = fjall::Guard>) -> Result<Vec<Value>> {
    rows.map(|row| parse_row(&row.value().map_err(failed)?)).collect()
}

fn parse_row(row: &[u8]) -> Result<Value> {
    serde_json::from_slice(row).map_err(|error| Error::corrupt(CONNECTOR, format!("a stored row is not JSON: {error}")))
}
