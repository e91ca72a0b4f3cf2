//! State of our own in a checkpoint's file: lengths before bytes, numbers as eight bytes.

use dbsp::Runtime;
use dbsp::circuit::circuit_builder::GlobalNodeId;
use dbsp::storage::backend::{StorageError, StoragePath};
use dbsp::storage::buffer_cache::FBuf;
use feldera_storage::FileCommitter;
use std::sync::Arc;

/// The file of an operator in each checkpoint.
pub(super) struct Saved {
    /// What the file is named by, before the operator's id.
    kind: &'static str,
    /// The operator, for messages.
    node: String,
}

impl Saved {
    pub fn new(kind: &'static str) -> Self {
        Saved { kind, node: String::new() }
    }

    pub fn set_node(&mut self, id: &GlobalNodeId) {
        self.node = id.to_string();
    }

    fn id<'a>(&self, id: Option<&'a str>) -> Result<&'a str, dbsp::Error> {
        id.ok_or_else(|| dbsp::Error::Storage(StorageError::NoPersistentId(self.node.clone())))
    }

    fn path(&self, base: &StoragePath, id: Option<&str>) -> Result<StoragePath, dbsp::Error> {
        let id = self.id(id)?;
        Ok(base.clone().join(format!("{}-{id}.dat", self.kind)))
    }

    /// The id of what is on disk.
    pub fn cold_id(&self, id: Option<&str>) -> Result<String, dbsp::Error> {
        Ok(format!("{}-cold", self.id(id)?))
    }

    pub fn write(
        &self,
        base: &StoragePath,
        id: Option<&str>,
        state: Writer,
        files: &mut Vec<Arc<dyn FileCommitter>>,
    ) -> Result<(), dbsp::Error> {
        files.push(Runtime::storage_backend()?.write(&self.path(base, id)?, state.0)?);
        Ok(())
    }

    /// What `read` makes of the file; `None` from it is an error.
    pub fn read<T>(&self, base: &StoragePath, id: Option<&str>, read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Result<T, dbsp::Error> {
        let file = self.path(base, id)?;
        let content = Runtime::storage_backend()?.read(&file)?;
        let damaged = || StorageError::stdio(std::io::ErrorKind::InvalidData, "reading an operator's state", &file);
        Ok(read(&mut Reader(&content)).ok_or_else(damaged)?)
    }
}

/// Ends the file of a table of which a part is on disk; that of others just ends.
pub(super) const COLD: u64 = 1;

#[derive(Default)]
pub(super) struct Writer(FBuf);

impl Writer {
    pub fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn integer(&mut self, integer: i64) {
        self.0.extend_from_slice(&integer.to_le_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// Reads what a [`Writer`] wrote; `None` where the file ends too early.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub fn integer(&mut self) -> Option<i64> {
        self.number().map(|number| number as i64)
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// At the end: whether a part of the table is on disk.
    pub fn cold(&mut self) -> Option<bool> {
        if self.0.is_empty() {
            return Some(false);
        }
        (self.number()? == COLD && self.0.is_empty()).then_some(true)
    }
}
