use thiserror::Error as ThisError;

/// What can go wrong with a circuit. Data never causes one of these: rows that an expression refuses are counted in
/// [`RowErrors`](crate::RowErrors).
#[derive(Debug, ThisError)]
pub enum Error {
    #[error("a row of these columns cannot be kept as bytes: {0}; cast the column to a plain type")]
    Codec(String),
    #[error("the circuit has no input table `{0}`; push only to tables that the program reads")]
    UnknownTable(String),
    #[error("input for `{table}` lacks column `{column}`; the batch has {found}")]
    MissingColumn { table: String, column: String, found: String },
    #[error("input for `{table}` has column `{column}` of type {found}, but it is declared {declared}")]
    ColumnType { table: String, column: String, found: String, declared: String },
    #[error("input for `{table}` has {weights} weights for {rows} rows")]
    WeightCount { table: String, weights: usize, rows: usize },
    #[error("`{0}` is append-only, but a row of it was deleted; declare a format whose rows can change, such as debezium_json")]
    AppendOnly(String),
    #[error("the storage folder {path} cannot be used: {cause}")]
    Storage { path: String, cause: String },
    #[error("checkpoint {checkpoint} was made by another program or another version of it; start without it and read the sources again")]
    OtherProgram { checkpoint: uuid::Uuid },
    #[error("a checkpoint needs a storage folder; give the dataflow one")]
    NoStorage,
    #[error("results depend on the time (`now()`, or updating_ttl), which was not told; call advance before the first step")]
    NoTime,
    #[error("table `{0}` is asked for rows by key, and nothing answers for it; give the dataflow a lookup of that name")]
    NoLookup(String),
    #[error("{0}")]
    Lookup(String),
    #[error("there is nothing to checkpoint before the first step")]
    NothingToCheckpoint,
    #[error("the dataflow failed and must be started again from its last checkpoint: {0}")]
    Engine(String),
}

impl From<dbsp::Error> for Error {
    fn from(error: dbsp::Error) -> Self {
        Error::Engine(error.to_string())
    }
}
