//! Finding and loading the ONNX Runtime library, once a process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ort::environment::Environment;
use ort::logging::LogLevel;
use parking_lot::Mutex;

use crate::Error;

/// The command that installs the library where it is looked for.
pub const INSTALL_COMMAND: &str = "pip install --no-deps --target ~/.cache/chimera/onnxruntime onnxruntime==1.31.1";

static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The library that would be loaded: `given`, else `ORT_DYLIB_PATH`, else what [`INSTALL_COMMAND`] installed.
pub fn find_library(given: Option<&Path>) -> Result<PathBuf, Error> {
    let named = given.map(Path::to_path_buf).or_else(|| std::env::var_os("ORT_DYLIB_PATH").filter(|p| !p.is_empty()).map(PathBuf::from));
    if let Some(path) = named {
        return match path.is_file() {
            true => Ok(path),
            false => Err(Error::LibraryUnusable { path, reason: "there is no such file".into() }),
        };
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let folder = home.join(".cache/chimera/onnxruntime/onnxruntime/capi");
    let is_library =
        |name: &str| name.starts_with("libonnxruntime.so.1.") || name.starts_with("libonnxruntime.1.") && name.ends_with(".dylib");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map(|entries| entries.flatten().filter(|e| e.file_name().to_str().is_some_and(is_library)).map(|e| e.path()).collect())
        .unwrap_or_default();
    found.sort();
    found.pop().ok_or(Error::LibraryMissing { looked_in: folder })
}

/// The process's environment. The first caller decides which library is loaded; a process can load only one.
pub(crate) fn environment(library: Option<&Path>) -> Result<Environment, Error> {
    let mut environment = ENVIRONMENT.lock();
    if let Some(ready) = environment.as_ref() {
        return Ok(ready.clone());
    }
    let path = find_library(library)?;
    let unusable = |reason: String| Error::LibraryUnusable { path: path.clone(), reason };
    let ready = ort::init_from(&path)
        .map_err(|e| unusable(e.to_string()))?
        .with_name("chimera")
        .with_telemetry(false)
        .with_logger(Arc::new(|level, category, _, _, message| match level {
            LogLevel::Error | LogLevel::Fatal => tracing::warn!(target: "onnxruntime", category, "{message}"),
            _ => tracing::debug!(target: "onnxruntime", category, "{message}"),
        }))
        .build()
        .map_err(|e| unusable(e.to_string()))?;
    tracing::info!(library = %path.display(), "ONNX Runtime loaded");
    Ok(environment.insert(ready).clone())
}
