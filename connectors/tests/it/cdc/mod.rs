//! Change data capture, from a real PostgreSQL into the embedded log. What the log says is replayed here, change by change, and has to
//! end where the tables are: a lost, doubled or misordered change cannot pass.

mod chaos;
mod following;
mod speed;
mod support;
mod types;
