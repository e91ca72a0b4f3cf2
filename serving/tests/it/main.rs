//! Chimera's serving node, with real databases.
#![allow(clippy::unwrap_used)]

mod api;
mod audit;
mod chaos;
mod kafka;
mod platform;
mod shop;
mod views_in_psql;
