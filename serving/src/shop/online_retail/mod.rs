//! The UCI Online Retail year: read from its CSV file, its articles put into the catalogue, its invoices played as orders.

pub mod catalogue;
pub mod categories;
pub mod reader;
pub mod replay;
pub mod totals;

pub use reader::{Year, read};
pub use replay::{Options, Report, replay};
pub use totals::Totals;

/// What went wrong with the file or on the way into the databases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open {path}: {source}")]
    Open { path: String, source: std::io::Error },
    #[error("{path} has no column `{column}`; it has: {found}")]
    Column { path: String, column: &'static str, found: String },
    #[error("{path}, line {line}: {message}")]
    Row { path: String, line: u64, message: String },
    #[error("{0} holds no invoices")]
    Empty(String),
    #[error(transparent)]
    Database(#[from] super::databases::Error),
    #[error("PostgreSQL refused {what}: {source}")]
    Query { what: String, source: sqlx::Error },
    #[error("PostgreSQL has been away for {seconds} s: {source}")]
    Away { seconds: u64, source: sqlx::Error },
}
