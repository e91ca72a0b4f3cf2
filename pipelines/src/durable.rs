//! Files that are written whole or not at all, and stay.

use std::io::{Result, Write};
use std::path::Path;

/// Writes a file durably: afterwards, and after a crash at any moment, it is as it was before or as it is now.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = path.with_added_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder(path)
}

/// Removes a file durably; one that is not there is no error.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => sync_folder(path),
    }
}

fn sync_folder(path: &Path) -> Result<()> {
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
