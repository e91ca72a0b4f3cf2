//! The rows of a vector index on disk: the truth, of which the graph is a view.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable, Slice, Snapshot};

use super::CONNECTOR;
use crate::sink::Applied;
use crate::{Error, Result};

const CACHE_BYTES: u64 = 8 << 20;
const MEMTABLE_BYTES: u64 = 8 << 20;
const JOURNAL_BYTES: u64 = 64 << 20;
const MARK: &str = "mark";
const DIMENSIONS: &str = "dimensions";
const NEXT: &str = "next";

/// Rows by key and by number.
pub(crate) struct Rows {
    database: Database,
    /// Primary key → number.
    numbers: Keyspace,
    /// Number → vector and payload.
    entries: Keyspace,
    meta: Keyspace,
}

/// A row with its vector.
pub(crate) struct Entry {
    pub(crate) key: Slice,
    pub(crate) number: u64,
    pub(crate) vector: Vec<f32>,
    /// JSON.
    pub(crate) payload: Vec<u8>,
}

fn failed(error: fjall::Error) -> Error {
    Error::corrupt(CONNECTOR, format!("its database: {error}"))
}

fn damaged() -> Error {
    Error::corrupt(CONNECTOR, "a stored entry is damaged; reset the store to have it built anew")
}

fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
}

impl Rows {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let database = Database::builder(path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(|error| Error::corrupt(CONNECTOR, format!("cannot open the rows in {}: {error}", path.display())))?;
        let keyspace = |name: &str| database.keyspace(name, options).map_err(failed);
        let (numbers, entries, meta) = (keyspace("numbers")?, keyspace("entries")?, keyspace("meta")?);
        Ok(Self { database, numbers, entries, meta })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.database.snapshot()
    }

    pub(crate) fn applied(&self) -> Result<Option<Applied>> {
        let Some(mark) = self.snapshot().get(&self.meta, MARK).map_err(failed)? else { return Ok(None) };
        Applied::decode(CONNECTOR, &String::from_utf8_lossy(&mark)).map(Some)
    }

    /// Dimensions of the vectors, once there is one.
    pub(crate) fn dimensions(&self) -> Result<Option<usize>> {
        Ok(self.number(DIMENSIONS)?.map(|dimensions| dimensions as usize))
    }

    /// The first number that was never used.
    pub(crate) fn next_number(&self) -> Result<u64> {
        Ok(self.number(NEXT)?.unwrap_or(0))
    }

    fn number(&self, name: &str) -> Result<Option<u64>> {
        let Some(bytes) = self.snapshot().get(&self.meta, name).map_err(failed)? else { return Ok(None) };
        bytes.as_ref().try_into().map(|bytes| Some(u64::from_be_bytes(bytes))).map_err(|_| damaged())
    }

    /// The number of the row with this key.
    pub(crate) fn find(&self, snapshot: &Snapshot, key: &[u8]) -> Result<Option<u64>> {
        let Some(bytes) = snapshot.get(&self.numbers, key).map_err(failed)? else { return Ok(None) };
        bytes.as_ref().try_into().map(|bytes| Some(u64::from_be_bytes(bytes))).map_err(|_| damaged())
    }

    /// The payload of an entry, as JSON text; `None` when the entry is not (or no longer) there.
    pub(crate) fn payload(&self, snapshot: &Snapshot, number: u64) -> Result<Option<Vec<u8>>> {
        let Some(bytes) = snapshot.get(&self.entries, number.to_be_bytes()).map_err(failed)? else { return Ok(None) };
        Ok(Some(split(&bytes)?.1.to_vec()))
    }

    /// Every entry's number and vector.
    pub(crate) fn vectors(&self, snapshot: &Snapshot) -> impl Iterator<Item = Result<(u64, Vec<f32>)>> {
        self.entries(snapshot).map(|entry| entry.map(|(number, vector, _)| (number, vector)))
    }

    /// Every entry's number, vector and payload.
    pub(crate) fn entries(&self, snapshot: &Snapshot) -> impl Iterator<Item = Result<(u64, Vec<f32>, Vec<u8>)>> {
        snapshot.iter(&self.entries).map(|entry| {
            let (key, value) = entry.into_inner().map_err(failed)?;
            let number = u64::from_be_bytes(key.as_ref().try_into().map_err(|_| damaged())?);
            let (vector, payload) = split(&value)?;
            let vector = vector.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect();
            Ok((number, vector, payload.to_vec()))
        })
    }

    pub(crate) fn len(&self) -> Result<u64> {
        Ok(self.snapshot().len(&self.numbers).map_err(failed)? as u64)
    }

    /// Replaces and removes rows and moves the mark, in one write. `gone`: numbers of entries that are no longer current.
    pub(crate) fn write(
        &self,
        entries: Vec<Entry>,
        removed: Vec<Slice>,
        gone: &[u64],
        next: u64,
        dimensions: Option<usize>,
        mark: Applied,
    ) -> Result<()> {
        let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), 2 * entries.len() + removed.len() + gone.len() + 3);
        for number in gone {
            batch.remove(&self.entries, number.to_be_bytes());
        }
        for key in removed {
            batch.remove(&self.numbers, key);
        }
        for Entry { key, number, vector, payload } in entries {
            let mut value = Vec::with_capacity(4 + 4 * vector.len() + payload.len());
            value.extend_from_slice(&(vector.len() as u32).to_le_bytes());
            for component in vector {
                value.extend_from_slice(&component.to_le_bytes());
            }
            value.extend_from_slice(&payload);
            batch.insert(&self.numbers, key, number.to_be_bytes());
            batch.insert(&self.entries, number.to_be_bytes(), value);
        }
        batch.insert(&self.meta, NEXT, next.to_be_bytes());
        if let Some(dimensions) = dimensions {
            batch.insert(&self.meta, DIMENSIONS, (dimensions as u64).to_be_bytes());
        }
        batch.insert(&self.meta, MARK, mark.encode());
        batch.durability(Some(PersistMode::Buffer)).commit().map_err(failed)
    }

    /// Forgets mark and dimensions first, then removes everything but the count of numbers used.
    pub(crate) fn reset(&self) -> Result<()> {
        const CHUNK_ROWS: usize = 8_192;
        let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), 2);
        batch.remove(&self.meta, MARK);
        batch.remove(&self.meta, DIMENSIONS);
        batch.durability(Some(PersistMode::Buffer)).commit().map_err(failed)?;
        let snapshot = self.snapshot();
        for keyspace in [&self.numbers, &self.entries] {
            let mut keys = snapshot.iter(keyspace).map(|row| row.key());
            loop {
                let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), CHUNK_ROWS);
                for key in keys.by_ref().take(CHUNK_ROWS) {
                    batch.remove(keyspace, key.map_err(failed)?);
                }
                if batch.is_empty() {
                    break;
                }
                batch.durability(Some(PersistMode::Buffer)).commit().map_err(failed)?;
            }
        }
        self.flush()
    }

    pub(crate) fn flush(&self) -> Result<()> {
        self.database.persist(PersistMode::SyncData).map_err(failed)
    }
}

/// The bytes of the vector, and the payload.
fn split(value: &[u8]) -> Result<(&[u8], &[u8])> {
    let (length, rest) = value.split_first_chunk::<4>().ok_or_else(damaged)?;
    rest.split_at_checked(4 * u32::from_le_bytes(*length) as usize).ok_or_else(damaged)
}
