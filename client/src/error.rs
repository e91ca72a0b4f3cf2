//! What can go wrong, and the server's account of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not an address such as https://shop.example.com")]
    Address(String),
    /// No answer came, or not all of it. Whether the request was carried out is not known.
    #[error("the server does not answer: {0}")]
    Unreachable(#[source] Box<reqwest::Error>),
    /// The server says why not.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The answer is none that the API describes.
    #[error("{method} {path} was answered with {status} and what its description does not know: {why}")]
    Answer { method: String, path: String, status: u16, why: String },
    #[error("the header `{name}` cannot be `{value}`")]
    Header { name: &'static str, value: String },
}

impl Error {
    pub fn problem(&self) -> Option<&Problem> {
        if let Self::Problem(problem) = self { Some(problem) } else { None }
    }

    /// Whether the server named this kind of problem, such as `out-of-stock`.
    pub fn is(&self, name: &str) -> bool {
        self.problem().is_some_and(|problem| problem.name() == name)
    }

    /// The server's answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Answer { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{title} ({status}): {detail}")]
pub struct Problem {
    /// An address relative to the server, which explains this kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    #[serde(default)]
    pub detail: String,
    /// What the kind of problem tells besides.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
    /// How long the server wants to be left alone.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// The last part of `kind`, such as `out-of-stock`.
    pub fn name(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }
}
