//! What can keep a pipeline from being loaded or run.

/// Errors of loading and starting pipelines. What happens to data while they run is no error: it is kept and reported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("pipeline `{pipeline}`: {source}")]
    Sql { pipeline: String, source: Box<chimera_sql::Error> },
    #[error("pipeline `{pipeline}`, table `{table}`: {message}")]
    Table { pipeline: String, table: String, message: String },
    #[error("table `{table}`: {message}")]
    ScriptTable { table: String, message: String },
    #[error("pipeline `{pipeline}`: the dataflow cannot be started: {message}")]
    Dataflow { pipeline: String, message: String },
    #[error("{0}")]
    Lookup(String),
    #[error("{0}")]
    Connector(#[from] chimera_connectors::Error),
    #[error("epoch journal: {0}")]
    Journal(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}
