//! Sinks: one compliance suite for all of them, and what each can do on top.

mod compliance;
mod crash;
mod indexes;
mod model;
mod relevance;
mod stores;
mod topics;
mod vectors;
mod views;
