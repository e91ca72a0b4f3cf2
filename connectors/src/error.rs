//! The one error of this crate. Each variant says what was wrong with what, and whether trying again can help.

/// What went wrong in a connector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A table's `WITH (…)` options, or a URL, cannot work.
    #[error("{connector}: {message}")]
    Config { connector: &'static str, message: String },
    /// The other side is away or refused for now: trying again may help.
    #[error("{connector} is not available: {message}")]
    Unavailable { connector: &'static str, message: String },
    /// The store holds something that it should not: trying again will not help.
    #[error("{connector}: {message}")]
    Corrupt { connector: &'static str, message: String },
    /// The store holds less than it did: its server came back without its newest writes, or somebody emptied it. What it lacks has
    /// to be given again.
    #[error("{connector}: the store was at epoch {was} and is now at {}: it lost writes", .now.map_or("none".to_owned(), |epoch| epoch.to_string()))]
    LostWrites { connector: &'static str, was: u64, now: Option<u64> },
    #[error("topic `{topic}` partition {partition} does not exist")]
    NoSuchTopic { topic: String, partition: u32 },
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Unavailable { .. } | Error::Io { .. })
    }

    pub fn config(connector: &'static str, message: impl Into<String>) -> Self {
        Error::Config { connector, message: message.into() }
    }

    pub fn unavailable(connector: &'static str, error: impl std::fmt::Display) -> Self {
        Error::Unavailable { connector, message: error.to_string() }
    }

    pub fn corrupt(connector: &'static str, error: impl std::fmt::Display) -> Self {
        Error::Corrupt { connector, message: error.to_string() }
    }
}
