//! PostgreSQL change data capture: a database's committed changes as Debezium envelopes in the log.
//!
//! A [`Reader`] makes a publication and a replication slot, copies the published tables as of the slot's first position, and then
//! follows the stream. What it promises:
//! - every committed change is in the log exactly once, in commit order, whatever is killed when: the reader goes on after the last
//!   `END` that the log holds, and tells PostgreSQL only of positions that are durable in the log;
//! - a transaction of up to [`MAX_APPEND_BYTES`] of envelopes is one atomic append, from its `BEGIN` to its `END`. A larger one (like a
//!   snapshot) is appended in pieces, its `END` last; pieces without an `END` belong to an attempt that was cut off, and the next
//!   attempt has an id of its own. So a reader of the log takes, for an `END`, the records whose `transaction.id` is that of the `END`;
//! - memory is bounded by two appends, not by the size of a transaction.
//!
//! The session's time zone, date style and so on are pinned with `SET`, because values come as text.

mod appender;
mod batch;
mod catalog;
mod column_type;
mod connection;
mod copy_text;
mod datetime;
mod envelope;
mod error;
mod heartbeat;
mod json;
mod pgoutput;
mod reader;
mod resume;
mod snapshot;
mod status;
mod stream;
mod table;
mod transaction;

use std::time::Duration;

pub use error::Error;
pub use reader::{Handle, Reader};
pub use status::{CdcStatus, Phase};

use crate::log::Log;

/// What a transaction (or one append of several) may hold before it is appended in pieces, in bytes of keys and envelopes.
pub const MAX_APPEND_BYTES: usize = 16 << 20;

/// Prefix of the logical messages that move an idle database's position on.
pub const HEARTBEAT_PREFIX: &str = "chimera.heartbeat";

/// What a reader follows, and under which names.
#[derive(Clone, Debug)]
pub struct Options {
    /// `postgres://user[:password]@host:port/database`; the user must be allowed to replicate.
    pub url: String,
    /// Prefix of the topics, such as `orders` for `orders.public.order_items` and `orders.transaction`.
    pub service: String,
    /// Tables with their schema, such as `public.orders`.
    pub tables: Vec<String>,
    /// Made with exactly `tables` if it is not there.
    pub publication: String,
    /// Made with an exported snapshot if it is not there.
    pub slot: String,
    /// A database that was silent for this long gets an empty transaction, so that its old WAL can go and stores know their age.
    pub heartbeat_interval: Duration,
}

impl Options {
    /// Options with the usual names: publication `chimera`, slot `chimera_<service>`, a heartbeat after 10 s of silence.
    pub fn new(url: impl Into<String>, service: impl Into<String>, tables: &[&str]) -> Self {
        let service = service.into();
        Self {
            url: url.into(),
            slot: format!("chimera_{service}"),
            service,
            tables: tables.iter().map(|&table| table.to_owned()).collect(),
            publication: "chimera".to_owned(),
            heartbeat_interval: Duration::from_secs(10),
        }
    }

    /// The topic of `BEGIN` and `END` marks.
    pub fn transaction_topic(&self) -> String {
        transaction_topic(&self.service)
    }
}

/// The topic of a service's `BEGIN` and `END` marks.
pub fn transaction_topic(service: &str) -> String {
    format!("{service}.transaction")
}

/// The position of the last `END` that tells of the database in a topic of marks; `None` until a first snapshot is complete.
///
/// # Errors
/// [`Error::Log`] when the topic cannot be read, [`Error::Mark`] for a mark that is none.
pub async fn last_end_lsn(log: &dyn Log, transaction_topic: &str) -> Result<Option<u64>, Error> {
    Ok(resume::Resume::read(log, transaction_topic).await?.end_lsn)
}
