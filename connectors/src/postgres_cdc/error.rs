//! What can go wrong while a database is followed, and what to do about it.

/// Why a reader waits instead of streaming. It tries again by itself; [`Error::needs_operator`] tells whether somebody has to act first.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the address of service `{service}`'s database is not of the form postgres://user@host:port/database: {message}")]
    Url { service: String, message: String },
    #[error("the name `{name}` cannot be used for a {what}: use lower-case letters, digits and underscores, at most 63")]
    Name { what: &'static str, name: String },
    #[error("PostgreSQL runs with wal_level={level}; set wal_level=logical in postgresql.conf and restart it")]
    WalLevel { level: String },
    #[error("table {table} does not exist in database `{database}`; run the migrations, or take it off the list of tables")]
    NoSuchTable { table: String, database: String },
    #[error(
        "publication `{publication}` lacks {missing}, whose rows so far would never reach the log; drop the slot `{slot}` and delete the \
         topics of `{service}` to start with a new snapshot, or take the tables off the list"
    )]
    NotPublished { publication: String, missing: String, slot: String, service: String },
    #[error(
        "the replication slot `{slot}` is gone, and with it the changes after position {position} of `{service}`; delete the topics of \
         `{service}` from the log so that a new snapshot is taken, and rebuild the stores that read it"
    )]
    SlotGone { slot: String, service: String, position: u64 },
    #[error(
        "PostgreSQL invalidated the replication slot `{slot}` because it kept too much WAL (max_slot_wal_keep_size), so changes after \
         position {position} of `{service}` are lost; drop the slot, delete the topics of `{service}` so that a new snapshot is taken, and rebuild \
         the stores that read it"
    )]
    SlotInvalidated { slot: String, service: String, position: u64 },
    #[error("the replication slot `{slot}` belongs to database `{other}`, not `{database}`; choose another slot name")]
    SlotElsewhere { slot: String, other: String, database: String },
    #[error(
        "the log ends at position {log} of `{service}`, but PostgreSQL was told that everything up to {confirmed} is durable: the log lost \
         its end (was it restored from a copy?). Delete the topics of `{service}` and drop the slot so that a new snapshot is taken"
    )]
    LogBehindSlot { service: String, log: u64, confirmed: u64 },
    #[error(
        "the log ends at position {log} of `{service}`, but the server has only come to {server}: it is not the server that the log was \
         filled from (was it restored?). Point to the right one, or delete the topics of `{service}` and drop the slot so that a new \
         snapshot is taken"
    )]
    ServerBehindLog { service: String, log: u64, server: u64 },
    #[error("the snapshot could not start within {waited_s} s because a transaction is open in the database; it is tried again: {message}")]
    SnapshotHeldUp { waited_s: u64, message: String },
    #[error("PostgreSQL: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("replication: {0}")]
    Replication(#[from] pg_walstream::ReplicationError),
    #[error("the replication stream of `{service}` holds something unexpected at position {position}: {message}")]
    Protocol { service: String, position: u64, message: String },
    #[error("log: {0}")]
    Log(#[from] crate::Error),
    #[error("topic `{topic}` holds a transaction mark that cannot be read at offset {offset}: {message}")]
    Mark { topic: String, offset: u64, message: String },
    #[error("a task of the reader ended unexpectedly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// Whether nothing will change until somebody does something.
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Sql(_) | Self::Replication(_) | Self::SnapshotHeldUp { .. } | Self::Task(_) => false,
            Self::Log(error) => !error.is_retryable(),
            _ => true,
        }
    }
}

pub(super) type Result<T, E = Error> = std::result::Result<T, E>;
