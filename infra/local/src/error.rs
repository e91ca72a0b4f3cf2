//! What can go wrong with a server, and what to do about it.

use std::io;
use std::path::PathBuf;

/// A server could not be started, reached or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that has to be installed is not: tests skip on it.
    #[error("{what} was not found; {hint}")]
    Missing { what: String, hint: String },
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("`{command}` failed with {status}: {output}")]
    Command { command: String, status: String, output: String },
    #[error("{server} in {}: {message}", folder.display())]
    Server { server: &'static str, folder: PathBuf, message: String },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether something has to be installed first.
    pub fn is_missing(&self) -> bool {
        matches!(self, Error::Missing { .. })
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Error::Io { action, path, source }
    }

    pub(crate) fn server(server: &'static str, folder: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Error::Server { server, folder: folder.into(), message: message.into() }
    }
}
