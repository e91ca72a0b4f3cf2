//! The two keyspaces on disk, and the keys in them.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};

use super::super::rules::CONNECTOR;
use super::chunk::Records;
use crate::{Error, Result};

const MIB: u64 = 1 << 20;
/// What is written before it is sorted into a file; the log is read mostly at its end, which is here.
const MEMTABLE_BYTES: u64 = 16 * MIB;
const CACHE_BYTES: u64 = 16 * MIB;
/// The least that the store allows.
const JOURNAL_BYTES: u64 = 64 * MIB;

/// Where chunks and everything about topics are kept. All writes go through one batch, so they are atomic together.
pub(super) struct Store {
    database: Database,
    chunks: Keyspace,
    meta: Keyspace,
}

/// How a topic is kept, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TopicMeta {
    pub(super) id: u32,
    pub(super) partitions: u32,
    pub(super) retention: Option<Duration>,
}

impl Store {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let database = Database::builder(dir)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(2)
            // The committer says when.
            .manual_journal_persist(true)
            .open()
            .map_err(|error| open_error(dir, error))?;
        let chunk_options = || {
            let compressed = CompressionPolicy::all(CompressionType::Lz4);
            KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES).data_block_compression_policy(compressed)
        };
        let chunks = database.keyspace("chunks", chunk_options).map_err(|error| open_error(dir, error))?;
        let meta_options = || KeyspaceCreateOptions::default().max_memtable_size(MIB);
        let meta = database.keyspace("meta", meta_options).map_err(|error| open_error(dir, error))?;
        Ok(Self { database, chunks, meta })
    }

    /// A batch that is atomic, and on the disk once committed.
    pub(super) fn batch(&self) -> OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::SyncData))
    }

    pub(super) fn put_chunk(&self, batch: &mut OwnedWriteBatch, place: Place, base: u64, bytes: Vec<u8>) {
        batch.insert(&self.chunks, place.chunk_key(base), bytes);
    }

    pub(super) fn remove_chunk(&self, batch: &mut OwnedWriteBatch, place: Place, base: u64) {
        batch.remove(&self.chunks, place.chunk_key(base));
    }

    pub(super) fn put_topic(&self, batch: &mut OwnedWriteBatch, name: &str, meta: TopicMeta) {
        let mut value = Vec::with_capacity(16);
        value.extend_from_slice(&meta.id.to_be_bytes());
        value.extend_from_slice(&meta.partitions.to_be_bytes());
        if let Some(retention) = meta.retention {
            value.extend_from_slice(&u64::try_from(retention.as_millis()).unwrap_or(u64::MAX).to_be_bytes());
        }
        batch.insert(&self.meta, [b"t", name.as_bytes()].concat(), value);
    }

    pub(super) fn put_start(&self, batch: &mut OwnedWriteBatch, place: Place, start: u64) {
        batch.insert(&self.meta, place.start_key(), start.to_be_bytes());
    }

    pub(super) fn put_position(&self, batch: &mut OwnedWriteBatch, group: &str, place: Place, offset: u64) {
        batch.insert(&self.meta, position_key(group, place), offset.to_be_bytes());
    }

    /// All topics.
    pub(super) fn topics(&self) -> Result<Vec<(String, TopicMeta)>> {
        self.meta
            .prefix(b"t")
            .map(|guard| {
                let (key, value) = guard.into_inner().map_err(read_error)?;
                let name = String::from_utf8_lossy(&key[1..]).into_owned();
                let number = |at: usize| value.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
                let retention =
                    value.get(8..).and_then(|bytes| bytes.try_into().ok()).map(|bytes| Duration::from_millis(u64::from_be_bytes(bytes)));
                match (number(0), number(4)) {
                    (Some(id), Some(partitions)) => Ok((name, TopicMeta { id, partitions, retention })),
                    _ => Err(Error::corrupt(CONNECTOR, format!("what is stored about topic `{name}` is damaged"))),
                }
            })
            .collect()
    }

    /// The oldest kept offset, and the one after the newest.
    pub(super) fn bounds(&self, place: Place) -> Result<(u64, u64)> {
        let start = self.number(&place.start_key())?.unwrap_or(0);
        let last = self.chunks.range(place.chunk_key(0)..=place.chunk_key(u64::MAX)).next_back();
        let end = match last {
            Some(guard) => records(guard)?.end(),
            None => 0,
        };
        Ok((start, start.max(end)))
    }

    pub(super) fn position(&self, group: &str, place: Place) -> Result<Option<u64>> {
        self.number(&position_key(group, place))
    }

    /// The chunks that hold `from` and what follows, up to but without offset `end`, each with the offset of its first record.
    pub(super) fn chunks(&self, place: Place, from: u64, end: u64) -> Result<impl Iterator<Item = Result<(u64, Records)>> + use<>> {
        let before = self.chunks.range(place.chunk_key(0)..=place.chunk_key(from)).next_back();
        let first = match before {
            Some(guard) => base_of(&guard.key().map_err(read_error)?),
            None => from,
        };
        Ok(self.chunks.range(place.chunk_key(first)..place.chunk_key(end.max(first))).map(|guard| {
            let (key, value) = guard.into_inner().map_err(read_error)?;
            let base = base_of(&key);
            Ok((base, Records::new(Bytes::from_owner(value), base)?))
        }))
    }

    /// Gives the room of removed chunks back to the disk; writes go on meanwhile.
    pub(super) fn reclaim(&self) -> Result<()> {
        self.chunks.rotate_memtable_and_wait().and_then(|()| self.chunks.major_compact()).map_err(read_error)
    }

    fn number(&self, key: &[u8]) -> Result<Option<u64>> {
        let Some(value) = self.meta.get(key).map_err(read_error)? else { return Ok(None) };
        let number = value.as_ref().try_into().map(u64::from_be_bytes);
        number.map(Some).map_err(|_| Error::corrupt(CONNECTOR, "a stored position is damaged"))
    }
}

fn records(guard: fjall::Guard) -> Result<Records> {
    let (key, value) = guard.into_inner().map_err(read_error)?;
    Records::new(Bytes::from_owner(value), base_of(&key))
}

fn base_of(key: &[u8]) -> u64 {
    u64::from_be_bytes(key[8..16].try_into().expect("eight bytes of a chunk's key"))
}

/// A partition as the keys name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) topic: u32,
    pub(super) partition: u32,
}

impl Place {
    /// `topic partition base`, big-endian, so that a partition's chunks lie in order.
    fn chunk_key(self, base: u64) -> [u8; 16] {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.bytes());
        key[8..].copy_from_slice(&base.to_be_bytes());
        key
    }

    fn start_key(self) -> Vec<u8> {
        [b"s".as_slice(), &self.bytes()].concat()
    }

    fn bytes(self) -> [u8; 8] {
        (u64::from(self.topic) << 32 | u64::from(self.partition)).to_be_bytes()
    }
}

fn position_key(group: &str, place: Place) -> Vec<u8> {
    [b"g".as_slice(), &place.bytes(), group.as_bytes()].concat()
}

fn open_error(dir: &Path, error: fjall::Error) -> Error {
    let dir = dir.display();
    match error {
        fjall::Error::Locked => {
            Error::unavailable(CONNECTOR, format!("{dir} is open in another process: stop that one, or give this one another folder"))
        }
        fjall::Error::Io(error) => Error::Io { what: format!("cannot open the log in {dir}"), source: error },
        error => Error::corrupt(CONNECTOR, format!("the log in {dir} cannot be opened: {error}")),
    }
}

pub(super) fn read_error(error: fjall::Error) -> Error {
    match error {
        fjall::Error::Io(error) => Error::Io { what: "cannot read the log".to_owned(), source: error },
        error => Error::corrupt(CONNECTOR, format!("the log cannot be read: {error}")),
    }
}
