//! Views that were created while everything ran: one file each, which holds the statement, and one folder each, for the state.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::{Error, durable};

/// A view that was created while everything ran.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedView {
    /// Names its file, its folder and its rows. Of two of one name, the lower is read, and the other one is to take its place.
    pub id: u64,
    /// `schema.view`.
    pub name: String,
    /// Who created it.
    pub owner: String,
    /// Whether it has caught up once: until then it cannot be read.
    pub filled: bool,
    /// Its CREATE MATERIALIZED VIEW, as it was written. What it is called there counts no more.
    pub statement: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    view: String,
    owner: String,
    filled: bool,
}

/// The first line of a file, before the header as JSON.
const MARK: &str = "-- chimera ";

/// Beside the views: the largest id that was given out.
const LAST_FILE: &str = "last";

/// The folder of all created views.
pub(crate) struct Shelf {
    folder: PathBuf,
    /// The largest id that was ever seen here: none is given out twice.
    last: AtomicU64,
}

impl Shelf {
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        std::fs::create_dir_all(&path).map_err(|source| io("cannot make the folder of created views", &path, source))?;
        Ok(Self { folder: path, last: AtomicU64::new(0) })
    }

    /// An id that no view has had, nor will after a restart.
    pub fn next_id(&self) -> Result<u64, Error> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let path = self.folder.join(LAST_FILE);
        durable::write(&path, id.to_string().as_bytes()).map_err(|source| io("cannot save the number of views", &path, source))?;
        Ok(id)
    }

    fn file(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id}.sql"))
    }

    /// Where the pipeline of a view keeps its state.
    pub fn folder(&self, id: u64) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// All views by id. A file that cannot be read is told of and left where it is; folders without a file are removed.
    pub fn load(&self) -> Result<Vec<CreatedView>, Error> {
        let failed = |source| io("cannot read the folder of created views", &self.folder, source);
        let last = std::fs::read_to_string(self.folder.join(LAST_FILE)).ok().and_then(|last| last.trim().parse().ok());
        self.last.fetch_max(last.unwrap_or(0), Ordering::Relaxed);
        let mut views = Vec::new();
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            let Some(id) = id else { continue };
            self.last.fetch_max(id, Ordering::Relaxed);
            if path.is_dir() {
                folders.push((id, path));
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                match std::fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(|text| parse(id, &text)) {
                    Ok(view) => views.push(view),
                    Err(error) => tracing::error!(file = %path.display(), error, "a created view cannot be read; it is left out"),
                }
            }
        }
        for (id, path) in folders {
            if !self.file(id).exists() {
                let _ = std::fs::remove_dir_all(path);
            }
        }
        views.sort_by_key(|view| view.id);
        Ok(views)
    }

    pub fn save(&self, view: &CreatedView) -> Result<(), Error> {
        let path = self.file(view.id);
        let header = Header { view: view.name.clone(), owner: view.owner.clone(), filled: view.filled };
        let write = || durable::write(&path, format!("{MARK}{}\n{}", serde_json::to_string(&header)?, view.statement).as_bytes());
        write().map_err(|source| io("cannot save the view", &path, source))
    }

    /// Removes a view's file: it is no more.
    pub fn remove(&self, id: u64) -> Result<(), Error> {
        let path = self.file(id);
        durable::remove(&path).map_err(|source| io("cannot remove the view", &path, source))
    }

    /// Removes the state of a view that was removed, once nothing uses it. What a crash leaves is removed at the next start.
    pub fn clear(&self, id: u64) {
        if let Err(error) = std::fs::remove_dir_all(self.folder(id)) {
            tracing::debug!(id, %error, "the folder of a view that was removed is still there");
        }
    }
}

fn parse(id: u64, text: &str) -> Result<CreatedView, String> {
    let (header, statement) = text.split_once('\n').unwrap_or((text, ""));
    let header = header.strip_prefix(MARK).ok_or_else(|| format!("it does not begin with `{MARK}`"))?;
    let header: Header = serde_json::from_str(header).map_err(|error| format!("its first line: {error}"))?;
    Ok(CreatedView { id, name: header.view, owner: header.owner, filled: header.filled, statement: statement.to_owned() })
}

fn io(what: &str, path: &Path, source: std::io::Error) -> Error {
    Error::Io { what: format!("{what} `{}`", path.display()), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_what_has_no_file_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::open(dir.path().join("views")).expect("a shelf");
        let view = |id, statement: &str| CreatedView {
            id,
            name: "mine.top".into(),
            owner: "analyst".into(),
            filled: id == 1,
            statement: statement.into(),
        };
        let views = [view(1, "CREATE MATERIALIZED VIEW\n mine.top AS SELECT 1"), view(2, "two")];
        views.iter().for_each(|view| shelf.save(view).expect("saved"));
        for id in [2, 3] {
            std::fs::create_dir(shelf.folder(id)).expect("a folder");
        }
        std::fs::write(shelf.file(4), "torn").expect("written");
        assert_eq!(shelf.load().expect("loaded"), views);
        assert_eq!(shelf.next_id().expect("an id"), 5, "what cannot be read keeps its place");
        let again = Shelf::open(dir.path().join("views")).expect("a shelf");
        again.load().expect("loaded");
        assert_eq!(again.next_id().expect("an id"), 6, "an id is not given out twice, though nothing was kept under it");
        assert!(shelf.folder(2).exists() && !shelf.folder(3).exists());
        shelf.remove(2).expect("removed");
        shelf.clear(2);
        assert!(!shelf.folder(2).exists());
        assert_eq!(shelf.load().expect("loaded"), views[..1]);
    }
}
