//! The SQL engine from the outside: what it maintains equals what DataFusion computes afresh, and what it refuses it explains.
#![allow(clippy::unwrap_used)]

mod append_only;
mod data;
mod functions;
mod harness;
mod messages;
mod restart;
mod row_errors;
mod script;
mod shapes;
mod shop;
mod slt;
