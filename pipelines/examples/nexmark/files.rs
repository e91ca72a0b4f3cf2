//! The events as Parquet files, a file a table, as a script would read them.

use crate::measure::{Settings, Source as Events};
use anyhow::Context;
use arrow::array::RecordBatch;
use chimera_connectors::Changes;
use chimera_connectors::nexmark::table_schemas;
use chimera_connectors::source::{self, Source, SourceSpec};
use chimera_connectors::writer::{self, WriterSpec};
use chimera_sql::Program;
use std::collections::BTreeMap;
use std::path::Path;

const CONNECTOR: &str = "single_file";
/// Of fifty events.
const SHARES: [(&str, usize); 3] = [("person", 1), ("auction", 3), ("bid", 46)];

fn options(folder: &Path, table: &str) -> BTreeMap<String, String> {
    let path = folder.join(format!("{table}.parquet")).display().to_string();
    BTreeMap::from([("path".into(), path), ("format".into(), "parquet".into())])
}

/// Writes the events into `folder`.
pub fn write(folder: &Path, settings: &Settings) -> anyhow::Result<()> {
    let mut writers = BTreeMap::new();
    for (table, schema) in table_schemas() {
        let spec = WriterSpec { table: table.into(), schema, primary_key: vec![], options: options(folder, table) };
        writers.insert(table, writer::open(CONNECTOR, &spec)?);
    }
    let mut events = Events::new(false);
    for size in settings.batches() {
        for (table, batch) in events.next(size)? {
            let weights = vec![1; batch.num_rows()];
            writers.get_mut(table).context("an unknown table")?.write(&Changes { batch, weights })?;
        }
    }
    Ok(writers.values_mut().try_for_each(|writer| writer.finish())?)
}

/// What a program reads of the files.
pub struct Files {
    open: Vec<Open>,
}

struct Open {
    table: &'static str,
    /// Rows a step.
    rows: usize,
    source: Box<dyn Source>,
}

impl Files {
    /// Only the columns that `program` reads are decoded. A step takes as many rows of each file as `events` events have.
    pub fn open(folder: &Path, program: &Program, events: usize) -> anyhow::Result<Self> {
        let mut files = Files { open: vec![] };
        for (table, share) in SHARES {
            let Some(schema) = program.columns_read(table) else { continue };
            let spec = SourceSpec { table: table.into(), schema, metadata: BTreeMap::new(), options: options(folder, table) };
            files.open.push(Open { table, rows: (events * share / 50).max(1), source: source::open(CONNECTOR, spec)? });
        }
        Ok(files)
    }

    /// The rows of the next step; none at the end.
    pub fn next(&mut self) -> anyhow::Result<Vec<(&'static str, RecordBatch)>> {
        let mut batches = vec![];
        for mut open in std::mem::take(&mut self.open) {
            if let Some(batch) = open.source.next(open.rows)? {
                batches.push((open.table, batch.changes.batch));
                self.open.push(open);
            }
        }
        Ok(batches)
    }
}
