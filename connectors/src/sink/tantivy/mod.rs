//! Product search on Tantivy: one index a sink table, committed with its mark, read by [`SearchIndex`].

mod config;
mod directory;
mod dump;
mod facets;
mod query;
mod reader;
mod request;
mod schema;
mod sink;
mod stem;
mod tokenizer;
mod vocabulary;

pub use reader::SearchIndex;
pub use request::{FacetCount, Hit, SearchRequest, SearchResponse, Sort};
pub use sink::open;

pub(crate) const CONNECTOR: &str = "tantivy";

use crate::Error;

pub(crate) fn failed(error: ::tantivy::TantivyError) -> Error {
    match error {
        ::tantivy::TantivyError::IoError(source) => {
            Error::Io { what: "the search index".to_owned(), source: std::io::Error::new(source.kind(), source.to_string()) }
        }
        ::tantivy::TantivyError::LockFailure(error, hint) => {
            Error::unavailable(CONNECTOR, format!("the index is in use by another process: {error:?} {}", hint.unwrap_or_default()))
        }
        error => Error::corrupt(CONNECTOR, error),
    }
}
