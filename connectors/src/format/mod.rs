//! Bytes of records to Arrow rows with weights.
//!
//! | format | a record is |
//! |---|---|
//! | `debezium_json` | a change: `before` leaves (weight −1), `after` comes (weight +1) |
//! | `json` | a row to come, an object with a field a column |
//! | `raw_string` | a row to come, whose one column is the whole text |
//! | `raw_bytes` | a row to come, whose one column is the record as it is |
//! | `avro` | a row to come, in Confluent's wire format, by a schema of a registry: [`AvroDecoder`] |
//!
//! A record that does not fit its table is a [`BadRecord`]; the others of its batch are decoded all the same. A field that is missing is
//! NULL, a column that the record does not name never matters, and a record without a value (a tombstone) is nothing.

mod avro;
mod builder;
mod conform;
mod debezium;
mod decoder;
mod encoder;
pub mod json;
mod json_reader;
mod transaction;
mod value;

use std::str::FromStr;

pub use avro::{AVRO, AvroDecoder, AvroEncoder, Registry};
pub use conform::conform;
pub use decoder::{BadRecord, Decoded, Decoder};
pub use encoder::Encoder;
pub(crate) use transaction::transaction_id_range;
pub use transaction::{Collection, MarkStatus, TransactionMark, transaction_id};

use crate::Error;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    DebeziumJson,
    Json,
    RawString,
    RawBytes,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DebeziumJson => "debezium_json",
            Self::Json => "json",
            Self::RawString => "raw_string",
            Self::RawBytes => "raw_bytes",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::DebeziumJson, Self::Json, Self::RawString, Self::RawBytes].into_iter().find(|format| format.as_str() == name).ok_or_else(
            || Error::config("format", format!("there is no format `{name}`; use debezium_json, json, raw_string or raw_bytes")),
        )
    }
}
