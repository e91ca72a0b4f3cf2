//! Where an index is kept: a folder that the disk is sure to hold as it was at the last [`LazyDirectory::persist`].
//!
//! Tantivy makes every commit durable, which costs a dozen `fsync`s; with several commits a second, most segments are merged away before
//! anybody needs them on the disk for sure. Here `persist` does it for the newest commit. A process that is killed finds the index as the
//! last `persist` left it: the file that names the segments in use is only then replaced, and nothing that the old one names is removed before.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;
use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite, WatchCallback, WatchHandle, WritePtr,
};

/// Names the segments in use; written last.
const META: &str = "meta.json";

#[derive(Clone, Debug)]
pub(super) struct LazyDirectory {
    folder: PathBuf,
    disk: MmapDirectory,
    state: Arc<Mutex<State>>,
    /// Held while `persist` works.
    persisting: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// Files that the disk may not hold yet.
    young: HashSet<PathBuf>,
    /// Files that are replaced as a whole, where they differ from the disk's.
    replaced: HashMap<PathBuf, Vec<u8>>,
    /// Files on disk that are deleted as far as Tantivy knows.
    doomed: HashSet<PathBuf>,
}

/// What is of interest of [`META`].
#[derive(Default, Deserialize)]
struct Meta {
    segments: Vec<UsedSegment>,
}

#[derive(Deserialize)]
struct UsedSegment {
    segment_id: uuid::Uuid,
    deletes: Option<Deletes>,
}

#[derive(Deserialize)]
struct Deletes {
    opstamp: u64,
}

impl LazyDirectory {
    /// Opens the folder, and removes what a killed process left there.
    pub(super) fn open(folder: &Path) -> Result<Self, OpenDirectoryError> {
        let disk = MmapDirectory::open(folder)?;
        let directory = Self { folder: folder.to_owned(), disk, state: Arc::default(), persisting: Arc::default() };
        directory.remove_strays().map_err(|error| OpenDirectoryError::wrap_io_error(error, folder.to_owned()))?;
        Ok(directory)
    }

    /// Removes the files of segments that the newest meta file does not name. (Tantivy's list of its files may be newer, or older: a process
    /// was killed between the two. What it names and the meta file does not is made again, under the same name.)
    fn remove_strays(&self) -> io::Result<()> {
        let meta = match std::fs::read(self.folder.join(META)) {
            Ok(bytes) => serde_json::from_slice::<Meta>(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Meta::default(),
            Err(error) => return Err(error),
        };
        let used: HashMap<_, _> = meta.segments.into_iter().map(|segment| (segment.segment_id, segment.deletes)).collect();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            // A segment's files are named by its id; which of its documents are deleted stands in `<id>.<operation>.del`.
            let mut parts = name.split('.');
            let Some(segment) = parts.next().and_then(|id| uuid::Uuid::try_parse(id).ok()) else { continue };
            let is_used = match (used.get(&segment), parts.next(), parts.next()) {
                (None, ..) => false,
                (Some(deletes), Some(operation), Some("del")) => {
                    deletes.as_ref().is_some_and(|deletes| deletes.opstamp.to_string() == operation)
                }
                _ => true,
            };
            if !is_used {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Makes the newest commit durable.
    pub(super) fn persist(&self) -> io::Result<()> {
        let _one = self.persisting.lock();
        // Whatever the newest meta file names is there at this moment.
        let (young, replaced, doomed) = {
            let state = self.state.lock();
            (state.young.clone(), state.replaced.clone(), state.doomed.clone())
        };
        for path in &young {
            match File::open(self.folder.join(path)) {
                Ok(file) => file.sync_data()?,
                // Deleted since: the newest meta file did not name it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        self.disk.sync_directory()?;
        let (last, first): (Vec<_>, Vec<_>) = replaced.iter().partition(|(path, _)| path.as_path() == Path::new(META));
        for (path, bytes) in first.into_iter().chain(last) {
            self.disk.atomic_write(path, bytes)?;
        }
        self.disk.sync_directory()?;
        for path in &doomed {
            match self.disk.delete(path) {
                Ok(()) | Err(DeleteError::FileDoesNotExist(_)) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        let mut state = self.state.lock();
        state.young.retain(|path| !young.contains(path));
        state.doomed.retain(|path| !doomed.contains(path));
        state.replaced.retain(|path, bytes| replaced.get(path) != Some(bytes));
        Ok(())
    }
}

impl Directory for LazyDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        if self.state.lock().doomed.contains(path) {
            return Err(OpenReadError::FileDoesNotExist(path.to_owned()));
        }
        self.disk.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        // While `persist` works, the meta file that it writes may name the file.
        let may_go = self.persisting.try_lock();
        let mut state = self.state.lock();
        if may_go.is_some() && state.young.remove(path) {
            return self.disk.delete(path);
        }
        let on_disk = self.disk.exists(path).unwrap_or(true);
        if on_disk && state.doomed.insert(path.to_owned()) { Ok(()) } else { Err(DeleteError::FileDoesNotExist(path.to_owned())) }
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        let state = self.state.lock();
        Ok(state.replaced.contains_key(path) || (!state.doomed.contains(path) && self.disk.exists(path)?))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = OpenOptions::new().write(true).create_new(true).open(self.folder.join(path));
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
            _ => OpenWriteError::wrap_io_error(error, path.to_owned()),
        })?;
        self.state.lock().young.insert(path.to_owned());
        Ok(io::BufWriter::new(Box::new(Young(file))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        match self.state.lock().replaced.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.disk.atomic_read(path),
        }
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.state.lock().replaced.insert(path.to_owned(), data.to_vec());
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.disk.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.disk.watch(callback)
    }
}

/// A file whose end nobody waits for.
struct Young(File);

impl Write for Young {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Young {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a process leaves them that is killed in `persist`, before the meta file is replaced.
    #[test]
    fn only_what_the_meta_file_names_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let [used, new] = [1, 2].map(uuid::Uuid::from_u128);
        let file = |segment: uuid::Uuid, end: &str| format!("{}.{end}", segment.simple());
        let files = [file(used, "store"), file(used, "7.del"), file(used, "9.del"), file(new, "store"), ".managed.json".to_owned()];
        for file in &files {
            std::fs::write(folder.path().join(file), "[]").unwrap();
        }
        let meta = serde_json::json!({ "segments": [{ "segment_id": used, "max_doc": 9, "deletes": { "opstamp": 7 } }], "opstamp": 8 });
        std::fs::write(folder.path().join(META), meta.to_string()).unwrap();
        LazyDirectory::open(folder.path()).unwrap();
        assert_eq!(files.map(|file| folder.path().join(file).exists()), [true, true, false, false, true]);
    }
}
