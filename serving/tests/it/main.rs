//! Chimera's serving node, with real databases.
#![allow(clippy::unwrap_used)]

mod api;
mod audit;
mod books;
mod certificates;
mod chaos;
mod created_views;
mod crowd;
mod drivers;
mod hosts;
mod indexed_views;
mod kafka;
mod messages;
mod platform;
mod psql;
mod replica;
mod shell;
mod shop;
mod simulate;
mod views_in_psql;
