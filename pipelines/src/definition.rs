//! Declared pipelines: those in the binary, or those of a folder.

use std::path::Path;

use crate::Error;

/// A pipeline as it is declared.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The name of its folder.
    pub name: String,
    /// The text of its `pipeline.sql`.
    pub sql: String,
}

/// The text of a pipeline, and of its verification where plain SQL over the source tables can give the same answer.
struct Bundled {
    name: &'static str,
    sql: &'static str,
    verification: Option<&'static str>,
}

macro_rules! pipeline {
    ($name:literal) => {
        Bundled { name: $name, sql: include_str!(concat!("../", $name, "/pipeline.sql")), verification: None }
    };
    ($name:literal, verified) => {
        Bundled { verification: Some(include_str!(concat!("../", $name, "/verify.sql"))), ..pipeline!($name) }
    };
}

/// The registry: a line a pipeline.
const BUNDLED: &[Bundled] = &[
    pipeline!("audit", verified),
    pipeline!("co_purchase", verified),
    pipeline!("co_view", verified),
    pipeline!("experiments", verified),
    pipeline!("inventory", verified),
    pipeline!("sales", verified),
    pipeline!("search_index", verified),
    pipeline!("trending", verified),
    pipeline!("visual_index", verified),
];

/// The pipelines in the binary, by name.
pub fn bundled() -> Vec<Definition> {
    BUNDLED.iter().map(|bundled| Definition { name: bundled.name.to_owned(), sql: bundled.sql.to_owned() }).collect()
}

/// The source tables, as CREATE TABLE: what a view that is created while everything runs may read.
pub fn sources() -> &'static str {
    include_str!("../sources.sql")
}

/// The plain PostgreSQL that checks the stores of a bundled pipeline: a `-- store: a.b, a.c` line before each SELECT that gives the rows of
/// stores, a `-- history: a.b` line before one that replays a store and gives the differences.
pub fn verification(pipeline: &str) -> Option<&'static str> {
    BUNDLED.iter().find(|bundled| bundled.name == pipeline)?.verification
}

/// The pipelines of a folder: every sub-folder with a `pipeline.sql`.
pub fn from_dir(dir: &Path) -> Result<Vec<Definition>, Error> {
    let io = |source| Error::Io { what: format!("cannot read pipelines from `{}`", dir.display()), source };
    let mut definitions = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let entry = entry.map_err(io)?;
        let file = entry.path().join("pipeline.sql");
        if file.is_file() {
            let sql = std::fs::read_to_string(&file).map_err(io)?;
            definitions.push(Definition { name: entry.file_name().to_string_lossy().into_owned(), sql });
        }
    }
    definitions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(definitions)
}
