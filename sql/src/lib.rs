//! Streaming SQL: a program of tables, views and INSERTs becomes a dataflow that keeps every sink equal to its query.
//!
//! DataFusion parses, plans, optimises and evaluates; `chimera-operators` maintains. [`Program::parse`] reads a text and reports
//! what is wrong with it, with line and column; [`Program::start`] runs it as a [`Dataflow`], which takes changes of the source
//! tables and gives changes of the sinks, one epoch a step.

// What `#[udf]` writes names this crate from outside.
extern crate self as chimera_sql;

mod dataflow;
mod dialect;
mod error;
mod functions;
mod graph;
mod lower;
mod planner;
mod table;

pub use chimera_operators::{Budget, Delta, Error as EngineError, Found, Late, Lookup, Lookups, Memory, Share, merge};
pub use dataflow::{Dataflow, DataflowConfig, Output, RowError};
pub use dialect::{ViewStatement, nested_too_deep};
pub use error::Error;
pub use functions::{Function, Functions, replacements as replaced_functions, udf};
pub use graph::{Graph, GraphKind, GraphNode};
pub use planner::{ARRIVAL, PREVIEW, Program, ProgramText};
pub use table::{Implied, ImpliedTable, SinkChanges, Table};
