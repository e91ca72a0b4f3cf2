//! The SQL engine from the outside: what it maintains equals what DataFusion computes afresh, and what it refuses it explains.
#![allow(clippy::unwrap_used)]

mod data;
mod functions;
mod harness;
mod messages;
mod restart;
mod row_errors;
mod shapes;
mod shop;
mod slt;
mod views;
