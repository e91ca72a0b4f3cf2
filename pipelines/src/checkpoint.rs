//! What is remembered of a pipeline beside its dataflow's state: which epoch that state is of, and which text made it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::put_aside::PutAside;
use crate::{Error, durable};

/// A checkpoint that recovery may begin from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub incarnation: Uuid,
    pub epoch: u64,
    /// The dataflow's own name for its state.
    pub state: Uuid,
    pub fingerprint: u64,
    pub workers: usize,
    #[serde(default)]
    pub put_aside: PutAside,
}

/// The remembered facts of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Hash of the pipeline's text: another text means other views, and stores to be built anew.
    pub text: String,
    pub checkpoint: Option<Checkpoint>,
}

/// The folder of one pipeline.
#[derive(Clone)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: PathBuf) -> Result<Self, Error> {
        std::fs::create_dir_all(&path).map_err(|source| io("cannot make the pipeline's folder", &path, source))?;
        Ok(Self(path))
    }

    fn file(&self) -> PathBuf {
        self.0.join("checkpoint.json")
    }

    /// Where the dataflow keeps its state.
    pub fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Where the files of a checkpoint are held while they are sent away.
    pub fn staging(&self) -> PathBuf {
        self.0.join("upload")
    }

    /// What is remembered; nothing for a new folder or one whose file cannot be read.
    pub fn load(&self) -> Memory {
        std::fs::read(self.file()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Remembers durably: the old file or the new one is there, never a part.
    pub fn save(&self, memory: &Memory) -> Result<(), Error> {
        let path = self.file();
        let write = || durable::write(&path, &serde_json::to_vec_pretty(memory)?);
        write().map_err(|source| io("cannot save the checkpoint's record", &path, source))
    }

    /// Forgets the dataflow's state.
    pub fn clear_state(&self) -> Result<(), Error> {
        match std::fs::remove_dir_all(self.state()) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(io("cannot clear the state", &self.state(), source)),
            _ => Ok(()),
        }
    }
}

fn io(what: &str, path: &Path, source: std::io::Error) -> Error {
    Error::Io { what: format!("{what} `{}`", path.display()), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_a_torn_file_is_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(dir.path().join("p")).expect("a folder");
        assert_eq!(folder.load(), Memory::default());
        let put_aside = serde_json::from_str("{\"clicks\": [3, 8]}").expect("offsets");
        let checkpoint = Checkpoint { incarnation: Uuid::new_v4(), epoch: 7, state: Uuid::new_v4(), fingerprint: 9, workers: 1, put_aside };
        let memory = Memory { text: "t".into(), checkpoint: Some(checkpoint) };
        folder.save(&memory).expect("saved");
        assert_eq!(folder.load(), memory);
        std::fs::write(folder.file(), b"{\"text\":").expect("written");
        assert_eq!(folder.load(), Memory::default());
    }
}
