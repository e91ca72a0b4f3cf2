//! Writers: sinks of scripts, which take rows as they come instead of keeping them by key.
//!
//! | connector | rows go |
//! |---|---|
//! | `stdout` | to standard output, a record a line |
//! | `single_file` | into one file, a record a line, or as Parquet |
//! | `filesystem` | into files of a folder, each complete from the moment that it has its name |
//! | `kafka` | into a topic, all of a step in one transaction |
//! | `webhook` | to a URL, a request a record |
//! | `redis`, `postgres` | into a store that keeps rows by key |
//! | `blackhole` | nowhere |

mod blackhole;
mod filesystem;
mod kafka;
mod lines;
mod parquet;
mod store;
mod webhook;

use std::collections::BTreeMap;
use std::str::FromStr;

use arrow::datatypes::SchemaRef;

use crate::format::{Encoder, Format};
use crate::options::Options;
use crate::{Changes, Error, Result};

/// A sink table of a script.
#[derive(Clone, Debug)]
pub struct WriterSpec {
    pub table: String,
    pub schema: SchemaRef,
    /// Names of the columns that identify a row; may be empty.
    pub primary_key: Vec<String>,
    /// The `WITH` options, without those of every table (`connector`, `type`).
    pub options: BTreeMap<String, String>,
}

/// Takes the rows of one sink. Calls may block.
pub trait Writer: Send {
    /// The changes of a step. Where the format has no changes, rows only come.
    fn write(&mut self, changes: &Changes) -> Result<()>;

    /// What was written can be seen by others, as far as the sink can have that.
    fn flush(&mut self) -> Result<()>;

    /// There is nothing more to write.
    fn finish(&mut self) -> Result<()> {
        self.flush()
    }
}

type Open = fn(&WriterSpec) -> Result<Box<dyn Writer>>;

/// Every writer.
const CONNECTORS: [(&str, Open); 8] = [
    (lines::STDOUT, lines::open_stdout),
    (lines::SINGLE_FILE, lines::open_file),
    (filesystem::CONNECTOR, filesystem::open),
    (kafka::CONNECTOR, kafka::open),
    (webhook::CONNECTOR, webhook::open),
    (store::REDIS, store::open_redis),
    (store::POSTGRES, store::open_postgres),
    (blackhole::CONNECTOR, blackhole::open),
];

/// Opens a sink table of a script.
///
/// Errors when there is no such connector, when an option is missing, unknown or cannot work, and when it cannot be written to.
pub fn open(connector: &str, spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    match CONNECTORS.iter().find(|(name, _)| *name == connector) {
        Some((_, open)) => open(spec),
        None => {
            let names: Vec<&str> = CONNECTORS.iter().map(|(name, _)| *name).collect();
            let message = format!("table {}: a script has no sink connector '{connector}'; there are {}", spec.table, names.join(", "));
            Err(Error::config("sink", message))
        }
    }
}

/// Whether the connector keeps rows by their primary key, and so takes tables without a format.
pub fn keeps_by_key(connector: &str) -> bool {
    [store::REDIS, store::POSTGRES].contains(&connector)
}

/// How the rows of a file are written.
enum Layout {
    Records(Encoder),
    Parquet,
}

impl Layout {
    /// Of the option `format`.
    fn new(options: &mut Options, spec: &WriterSpec) -> Result<Self> {
        match options.required("format")?.as_str() {
            parquet::FORMAT => Ok(Layout::Parquet),
            name => Ok(Layout::Records(Encoder::new(Format::from_str(name)?, &spec.schema, &spec.primary_key)?)),
        }
    }

    fn extension(&self) -> &'static str {
        match self {
            Layout::Records(_) => "json",
            Layout::Parquet => "parquet",
        }
    }
}

fn options(connector: &'static str, spec: &WriterSpec) -> Options {
    Options::of_table(connector, spec.table.clone(), &spec.options)
}

/// The records' format, where Parquet is none.
fn encoder(options: &mut Options, spec: &WriterSpec) -> Result<Encoder> {
    let format = options.required("format")?;
    Encoder::new(format.parse()?, &spec.schema, &spec.primary_key)
}
