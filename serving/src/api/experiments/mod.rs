//! Experiments: variants of a flag compared by what those who saw them bought.

pub mod create;
pub mod design;
pub mod exposures;
pub mod get;
pub mod list;
pub mod put;
pub mod results;
pub mod running;
pub mod start;
pub mod statistics;
pub mod stop;
pub mod store;
pub mod view;
