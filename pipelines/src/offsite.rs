//! Checkpoints in an object store, so that a machine with an empty disk goes on from there instead of from the log's beginning.
//!
//! Of each dataflow there is one: `<engine>/<dataflow>/checkpoint.json`, the record, and `<engine>/<dataflow>/state/…`, its files. These never
//! change, so most of them are there already when the next checkpoint comes. The record is written last, and only then is removed what it does
//! not name: at every moment the record and all of its files are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chimera_operators::{CheckpointFiles, adopt_checkpoint, checkpoint_files};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use url::Url;

use crate::checkpoint::Memory;
use crate::hosts::DataflowId;
use crate::status::Board;

/// Files on their way at once, of one dataflow.
const AT_ONCE: usize = 4;
/// How long a start waits for an answer.
const RECORD_WAIT: Duration = Duration::from_secs(10);
const RECORD: &str = "checkpoint.json";
const STATE: &str = "state";

/// Why a checkpoint is not kept elsewhere, or not brought back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{url}` is no place for checkpoints: {why}; write file:///FOLDER or s3://BUCKET/PREFIX")]
    Place { url: String, why: String },
    #[error("the object store does not answer")]
    Away,
    #[error("object store: {0}")]
    Store(#[from] object_store::Error),
    #[error("files of a checkpoint: {0}")]
    File(#[from] std::io::Error),
    #[error("the record of a checkpoint cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    #[error("file `{name}` of a checkpoint has {found} bytes in the object store, and should have {bytes}")]
    Size { name: String, found: u64, bytes: u64 },
}

/// Where checkpoints are kept beside the data folder.
#[derive(Clone, Debug)]
pub struct Offsite {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
}

/// A checkpoint that is there with all of its files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub memory: Memory,
    entry: String,
    /// Bytes by name.
    files: BTreeMap<String, u64>,
}

impl Offsite {
    /// `url`: `file:///folder`, `s3://bucket/prefix`, and what else the crate `object_store` knows; credentials and such come from the
    /// environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, …).
    pub fn open(url: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Place { url: url.to_owned(), why };
        let parsed = Url::parse(url).map_err(|e| wrong(e.to_string()))?;
        if parsed.scheme() == "memory" {
            return Err(wrong("it is gone with this process".into()));
        }
        let (store, prefix) = object_store::parse_url_opts(&parsed, std::env::vars()).map_err(|e| wrong(e.to_string()))?;
        let store: Arc<dyn ObjectStore> = match parsed.scheme() {
            "file" => Arc::new(LocalFileSystem::new().with_fsync(true)),
            _ => store.into(),
        };
        Ok(Self { store, prefix })
    }

    fn of(&self, dataflow: &DataflowId) -> Key {
        self.prefix.clone().join(dataflow.engine.to_string()).join(dataflow.name.as_str())
    }

    /// The checkpoint that is there. A start does not wait long for a store that is away.
    pub(crate) async fn record(&self, dataflow: &DataflowId) -> Result<Option<Record>, Error> {
        tokio::time::timeout(RECORD_WAIT, self.read_record(dataflow)).await.map_err(|_| Error::Away)?
    }

    async fn read_record(&self, dataflow: &DataflowId) -> Result<Option<Record>, Error> {
        match self.store.get(&self.of(dataflow).join(RECORD)).await {
            Ok(found) => Ok(Some(serde_json::from_slice(&found.bytes().await?)?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the files of a checkpoint into `state`, in the place of what is there.
    pub(crate) async fn fetch(&self, dataflow: &DataflowId, record: &Record, state: &Path) -> Result<(), Error> {
        let new = state.with_added_extension("new");
        remove(&new)?;
        std::fs::create_dir_all(&new)?;
        let from = self.of(dataflow);
        let files: Vec<_> = record.files.iter().map(|(name, bytes)| self.fetch_file(&from, &new, name, *bytes)).collect();
        stream::iter(files).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        adopt_checkpoint(&new, &record.entry)?;
        remove(state)?;
        Ok(std::fs::rename(&new, state)?)
    }

    async fn fetch_file(&self, from: &Key, to: &Path, name: &str, bytes: u64) -> Result<(), Error> {
        let path = below(to, name)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = tokio::fs::File::create(&path).await?;
        let mut found = 0;
        let mut parts = self.store.get(&key(from, name)).await?.into_stream();
        while let Some(part) = parts.try_next().await? {
            found += part.len() as u64;
            file.write_all(&part).await?;
        }
        file.sync_all().await?;
        if found == bytes { Ok(()) } else { Err(Error::Size { name: name.to_owned(), found, bytes }) }
    }

    /// Keeps a checkpoint, in the place of the one before. Its files are linked into `staging` first: the dataflow may remove its own.
    async fn keep(&self, dataflow: &DataflowId, memory: &Memory, state: PathBuf, staging: PathBuf) -> Result<(), Error> {
        let Some(checkpoint) = &memory.checkpoint else { return Ok(()) };
        let (checkpoint, to, staged) = (checkpoint.state, self.of(dataflow), staging.clone());
        let linked = spawn_blocking(move || stage(&state, checkpoint, &staged)).await.map_err(std::io::Error::other)?;
        let (CheckpointFiles { entry, .. }, files) = linked?;
        let mut there: BTreeMap<Key, u64> = BTreeMap::new();
        let mut listed = self.store.list(Some(&to.clone().join(STATE)));
        while let Some(object) = listed.try_next().await? {
            there.insert(object.location, object.size);
        }
        let missing = files.iter().filter(|(name, bytes)| there.get(&key(&to, name)) != Some(*bytes));
        let sent: Vec<_> = missing.map(|(name, _)| self.send(staging.join(name), key(&to, name))).collect();
        stream::iter(sent).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let kept: BTreeSet<Key> = files.keys().map(|name| key(&to, name)).collect();
        let record = Record { memory: memory.clone(), entry, files };
        self.store.put(&to.join(RECORD), serde_json::to_vec(&record)?.into()).await?;
        for location in there.into_keys().filter(|location| !kept.contains(location)) {
            self.store.delete(&location).await?;
        }
        Ok(remove(&staging)?)
    }

    async fn send(&self, from: PathBuf, to: Key) -> Result<(), Error> {
        let mut file = tokio::fs::File::open(&from).await?;
        let mut writer = BufWriter::new(self.store.clone(), to).with_max_concurrency(2);
        tokio::io::copy(&mut file, &mut writer).await?;
        Ok(writer.shutdown().await?)
    }

    /// Removes what is kept of a dataflow: the record first.
    pub(crate) async fn forget(&self, dataflow: &DataflowId) -> Result<(), Error> {
        let of = self.of(dataflow);
        match self.store.delete(&of.clone().join(RECORD)).await {
            Err(error) if !matches!(error, object_store::Error::NotFound { .. }) => return Err(error.into()),
            _ => {}
        }
        let files: Vec<_> = self.store.list(Some(&of)).map_ok(|object| object.location).try_collect().await?;
        for file in files {
            self.store.delete(&file).await?;
        }
        Ok(())
    }
}

fn key(of: &Key, name: &str) -> Key {
    name.split('/').fold(of.clone().join(STATE), |key, part| key.join(part))
}

/// The path of a name that came from elsewhere: below `folder`, whatever it says.
fn below(folder: &Path, name: &str) -> std::io::Result<PathBuf> {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    match name.split('/').all(is_plain) {
        true => Ok(folder.join(name)),
        false => Err(std::io::Error::new(std::io::ErrorKind::InvalidData, format!("`{name}` is no name of a checkpoint's file"))),
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn stage(state: &Path, checkpoint: uuid::Uuid, staging: &Path) -> std::io::Result<(CheckpointFiles, BTreeMap<String, u64>)> {
    let found = checkpoint_files(state, checkpoint)?;
    remove(staging)?;
    let mut sizes = BTreeMap::new();
    for name in &found.names {
        let link = below(staging, name)?;
        std::fs::create_dir_all(link.parent().unwrap_or(staging))?;
        std::fs::hard_link(state.join(name), &link)?;
        sizes.insert(name.clone(), link.metadata()?.len());
    }
    Ok((found, sizes))
}

/// Sends a pipeline's checkpoints away, one after another and always the newest, while the pipeline goes on.
pub(crate) struct Sender(watch::Sender<Option<Memory>>);

impl Sender {
    /// The task ends when the last checkpoint that was offered before the sender was dropped is away, or could not be sent.
    pub fn start(
        offsite: Offsite,
        dataflow: DataflowId,
        folder: &crate::checkpoint::Folder,
        board: Arc<Board>,
        pipeline: usize,
    ) -> (Self, JoinHandle<()>) {
        let (sender, mut offered) = watch::channel(None);
        let (state, staging) = (folder.state(), folder.staging());
        let task = tokio::spawn(async move {
            while offered.changed().await.is_ok() {
                let Some(memory): Option<Memory> = offered.borrow_and_update().clone() else { continue };
                let epoch = memory.checkpoint.as_ref().map(|checkpoint| checkpoint.epoch);
                let began = Instant::now();
                let sent = offsite.keep(&dataflow, &memory, state.clone(), staging.clone()).await;
                metrics::histogram!("chimera_checkpoint_upload_seconds").record(began.elapsed().as_secs_f64());
                board.pipeline(pipeline, |status| match &sent {
                    Ok(()) => (status.uploaded_epoch, status.upload_error) = (epoch, None),
                    Err(error) => status.upload_error = Some(error.to_string()),
                });
                if let Err(error) = sent {
                    tracing::warn!(dataflow = dataflow.name, %error, "a checkpoint was not uploaded; the next one will be tried");
                }
            }
        });
        (Self(sender), task)
    }

    pub fn offer(&self, memory: &Memory) {
        self.0.send_replace(Some(memory.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_elsewhere_stays_below_its_folder() {
        let folder = Path::new("/state");
        assert_eq!(below(folder, "state/x.dat").expect("a path"), Path::new("/state/state/x.dat"));
        for name in ["", "/etc/passwd", "../x", "state/../../x", "state//x", "a\\b"] {
            below(folder, name).expect_err(name);
        }
    }

    #[test]
    fn what_is_no_place_is_refused_with_what_to_write() {
        for url in ["checkpoints", "memory:///x", "nowhere://x/y"] {
            let error = Offsite::open(url).expect_err(url).to_string();
            assert!(error.contains(url) && error.contains("s3://"), "{error}");
        }
        Offsite::open("file:///tmp/checkpoints").expect("a folder");
    }
}
