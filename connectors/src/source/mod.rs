//! Sources: tables whose rows a script reads, until they end or for ever.
//!
//! | connector | rows |
//! |---|---|
//! | `single_file` | of one file: JSON lines, text lines or Parquet |
//! | `filesystem` | of the files of a folder, in the order of their names |
//! | `kafka` | of a topic |
//! | `sse` | the events of an HTTP endpoint |
//! | `impulse` | numbers, at a rate |
//! | `nexmark` | the events of the Nexmark benchmark, at a rate |

mod files;
mod generated;
pub(crate) mod kafka;
mod sse;
mod sse_lines;

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::options::Options;
use crate::{Changes, Error, Result, nexmark};

/// A source table of a script, as declared by `CREATE TABLE … WITH (connector = '…', …)`.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    pub table: String,
    /// The columns to read, without generated ones.
    pub schema: SchemaRef,
    /// Columns that hold what is known about a record: column → `offset`, `partition`, `topic`, `timestamp` or `key`.
    pub metadata: BTreeMap<String, String>,
    /// The `WITH` options, without those of every table (`connector`, `type`, `event_time_field`, `bad_data`).
    pub options: BTreeMap<String, String>,
}

/// Some rows of a source.
#[derive(Debug)]
pub struct Batch {
    pub changes: Changes,
    /// What could not be read.
    pub bad: Vec<BadRow>,
}

/// A record that is no row of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// `events.json, line 7`.
    pub place: String,
    /// A sentence that names the field.
    pub error: String,
}

/// Reads rows, in their order. Calls may block: each source has a thread of its own.
pub trait Source: Send {
    /// The next rows, about `rows` of them or fewer. An empty batch: none came for a moment. `None`: there are no more.
    fn next(&mut self, rows: usize) -> Result<Option<Batch>>;
}

type Open = fn(SourceSpec) -> Result<Box<dyn Source>>;

/// Every source connector.
const CONNECTORS: [(&str, Open); 6] = [
    (files::SINGLE_FILE, files::open_single),
    (files::FILESYSTEM, files::open_folder),
    (kafka::CONNECTOR, kafka::open),
    (sse::CONNECTOR, sse::open),
    (generated::IMPULSE, generated::open_impulse),
    (generated::NEXMARK, generated::open_nexmark),
];

/// Opens a source table.
///
/// Errors when there is no such connector, when an option is missing, unknown or cannot work, and when what is to be read is not there.
pub fn open(connector: &str, spec: SourceSpec) -> Result<Box<dyn Source>> {
    match CONNECTORS.iter().find(|(name, _)| *name == connector) {
        Some((_, open)) => open(spec),
        None => {
            let names: Vec<&str> = CONNECTORS.iter().map(|(name, _)| *name).collect();
            let message = format!("table {}: no source connector '{connector}'; there are {}", spec.table, names.join(", "));
            Err(Error::config("source", message))
        }
    }
}

/// The columns of a table that is declared without any: those of its connector, and which of them is the time of its rows.
pub fn implied_columns(connector: &str) -> Option<(SchemaRef, &'static str)> {
    let time = Field::new(TIME, DataType::Timestamp(TimeUnit::Nanosecond, None), false);
    let fields = match connector {
        generated::IMPULSE => {
            vec![Field::new("counter", DataType::Int64, false), Field::new("subtask_index", DataType::Int64, false), time]
        }
        generated::NEXMARK => nexmark::joined_schema().fields().iter().map(|field| field.as_ref().clone()).chain([time]).collect(),
        _ => return None,
    };
    Some((Schema::new(fields).into(), TIME))
}

/// The column of a generated row's time.
const TIME: &str = "_timestamp";

fn options(connector: &'static str, spec: &SourceSpec) -> Options {
    Options::of_table(connector, spec.table.clone(), &spec.options)
}
