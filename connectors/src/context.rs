//! What connectors are opened with, and where those that can be read by serving nodes are found.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::log::Log;
use crate::sink::tantivy::SearchIndex;
use crate::sink::vector::VectorIndex;
use crate::sink::view::Views;
use crate::{Error, Result};

/// What every connector is opened with.
pub struct Context {
    /// Stores that live in files get a folder each below this one.
    pub data_dir: PathBuf,
    pub log: Arc<dyn Log>,
    /// `redis://host:port/`.
    pub redis_url: String,
    /// `postgres://user[:password]@host:port/…`; the database in its path is replaced by the one that a sink names.
    pub database_url: String,
    /// Search indexes that sinks have opened, by their option 'index'.
    pub search: Handles<SearchIndex>,
    /// Vector indexes that sinks have opened, by their option 'index'.
    pub vectors: Handles<VectorIndex>,
    /// The live views.
    pub views: Arc<Views>,
    /// Key prefixes in Redis and the sink table that owns each.
    pub redis_prefixes: Handles<String>,
    /// Topics and the sink table that writes each.
    pub topics: Handles<String>,
}

impl Context {
    /// Opens what all connectors share; makes the folder `data_dir` if it is missing. One at a time a folder.
    pub fn new(
        data_dir: impl Into<PathBuf>,
        log: Arc<dyn Log>,
        redis_url: impl Into<String>,
        database_url: impl Into<String>,
    ) -> Result<Arc<Self>> {
        let data_dir = data_dir.into();
        let views = Arc::new(Views::open(&data_dir.join("views"))?);
        Ok(Arc::new(Self {
            data_dir,
            log,
            redis_url: redis_url.into(),
            database_url: database_url.into(),
            search: Handles::default(),
            vectors: Handles::default(),
            views,
            redis_prefixes: Handles::default(),
            topics: Handles::default(),
        }))
    }

    /// `database_url` with the database in its path replaced by `name`.
    pub fn database_url_for(&self, name: &str) -> Result<String> {
        url_for(&self.database_url, name)
    }
}

/// Open stores by name.
pub struct Handles<T>(RwLock<HashMap<String, Arc<T>>>);

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self(RwLock::new(HashMap::new()))
    }
}

impl<T> Handles<T> {
    pub fn get(&self, name: &str) -> Option<Arc<T>> {
        self.0.read().get(name).cloned()
    }

    pub fn insert(&self, name: impl Into<String>, handle: Arc<T>) {
        self.0.write().insert(name.into(), handle);
    }

    /// The handle of that name; made by `open` if there is none yet. Two callers at once get the same one.
    pub fn get_or_open(&self, name: &str, open: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut handles = self.0.write();
        if let Some(handle) = handles.get(name) {
            return Ok(handle.clone());
        }
        let handle = Arc::new(open()?);
        handles.insert(name.to_owned(), handle.clone());
        Ok(handle)
    }

    /// Names in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.read().keys().cloned().collect();
        names.sort();
        names
    }
}

/// `database_url` with the database in its path replaced by `name`.
pub(crate) fn url_for(database_url: &str, name: &str) -> Result<String> {
    let refused = || Error::config("postgres", "the database URL is not of the form postgres://user[:password]@host[:port]/[database]");
    let (scheme, rest) = database_url.split_once("://").ok_or_else(refused)?;
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(refused());
    }
    let (rest, parameters) = rest.split_once('?').map_or((rest, None), |(rest, parameters)| (rest, Some(parameters)));
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let mut url = format!("{scheme}://{authority}/");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'~' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    if let Some(parameters) = parameters {
        url.push('?');
        url.push_str(parameters);
    }
    Ok(url)
}
