//! Ends of a command that scripts may want to tell apart.

use std::process::ExitCode;

/// Errors with an exit code of their own; every other error ends with 1.
#[derive(Debug, thiserror::Error)]
pub enum Exit {
    /// A check found something and has said what.
    #[error("the check found something")]
    Found,
    #[error("no running server was found: {0}")]
    NotRunning(String),
    #[error("{0}")]
    AlreadyRunning(String),
}

impl Exit {
    pub fn code(&self) -> ExitCode {
        match self {
            Exit::Found => ExitCode::from(1),
            Exit::NotRunning(_) => ExitCode::from(3),
            Exit::AlreadyRunning(_) => ExitCode::from(4),
        }
    }
}
