//! The files of a checkpoint, for who keeps them elsewhere and brings them back. None of them changes once the checkpoint is made.

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::circuit::STATE_FOLDER;

/// dbsp's list of checkpoints, and a checkpoint's list of the files that it shares with others.
const CATALOGUE: &str = "checkpoints.feldera";
const DEPENDENCIES: &str = "dependencies.json";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFiles {
    /// What stands in the list of checkpoints, as JSON: for [`adopt_checkpoint`].
    pub entry: String,
    /// Below the storage folder, with `/`.
    pub names: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Dependencies {
    batches: Vec<String>,
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// The files of a checkpoint in the storage folder of a circuit, which may run: they stay until two further checkpoints have been made.
pub fn checkpoint_files(storage: &Path, checkpoint: Uuid) -> Result<CheckpointFiles> {
    let state = storage.join(STATE_FOLDER);
    let catalogue: Vec<Value> = serde_json::from_slice(&std::fs::read(state.join(CATALOGUE))?)?;
    let of_it = catalogue.iter().find(|entry| entry["uuid"] == checkpoint.to_string());
    let entry = of_it.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no checkpoint {checkpoint} any more")))?.to_string();
    let own = checkpoint.to_string();
    let dependencies: Dependencies = serde_json::from_slice(&std::fs::read(state.join(&own).join(DEPENDENCIES))?)?;
    let mut names: BTreeSet<String> = dependencies.batches.into_iter().map(|batch| format!("{STATE_FOLDER}/{batch}")).collect();
    for file in std::fs::read_dir(state.join(&own))? {
        let file = file?;
        let name = file.file_name().into_string().map_err(|name| wrong(format!("a file of a checkpoint is named {name:?}")))?;
        if !file.file_type()?.is_file() {
            return Err(wrong(format!("`{name}` in a checkpoint is no file")));
        }
        names.insert(format!("{STATE_FOLDER}/{own}/{name}"));
    }
    Ok(CheckpointFiles { entry, names })
}

/// Makes the files of one checkpoint, which are there, a storage folder that a circuit starts from.
pub fn adopt_checkpoint(storage: &Path, entry: &str) -> Result<()> {
    let entry: Value = serde_json::from_str(entry)?;
    let path = storage.join(STATE_FOLDER).join(CATALOGUE);
    std::fs::write(&path, serde_json::to_vec(&[entry])?)?;
    std::fs::File::open(path)?.sync_all()
}
