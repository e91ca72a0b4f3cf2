//! Vectors with their payloads: nearest neighbours by cosine, exact about what is in the index, approximate about the order.
//!
//! The rows, their vectors and the mark are kept in an embedded database, written atomically. The graph that is searched
//! (HNSW, by `usearch`) lives in memory and is saved now and then; when it is loaded, what it lacks is added from the rows. A vector
//! never changes under its number (a new version of a row gets a new one), so a graph that is too old or too new is only incomplete.

mod config;
mod dump;
mod graph;
mod reader;
mod rows;
mod sink;

pub use reader::{Hit, VectorIndex};
pub use sink::open;

pub(crate) const CONNECTOR: &str = "vector";
