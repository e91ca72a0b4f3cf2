//! The SQL engine from the outside: what it maintains equals what DataFusion computes afresh, and what it refuses it explains.
#![allow(clippy::unwrap_used)]

mod aggregates;
mod append_only;
mod clock;
mod data;
mod docs;
mod functions;
mod harness;
mod hosts;
mod json_operators;
mod lookups;
mod messages;
mod random;
mod release;
mod restart;
mod row_errors;
mod script;
mod shapes;
mod shop;
mod slt;
mod spill;
mod sql_functions;
mod system_time;
mod ttl;
mod views;
