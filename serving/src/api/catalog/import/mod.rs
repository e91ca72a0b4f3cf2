//! Many products at once, from a file: each line on its own, so that a bad one stops no other, and the same file again changes nothing.
//!
//! The body is put into a temporary file first, so that one that breaks off or is too large changes nothing. Then it is read line by line,
//! and written batch by batch.

pub mod create;

mod apply;
mod batch;
mod file;
mod line;
mod names;
mod records;
mod report;
mod run;
mod tables;

pub use report::{Fault, ImportReport};

/// Of the file.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Without the one that names the columns.
pub const MAX_LINES: usize = 100_000;
/// Far more than a product's texts may have.
const MAX_LINE_BYTES: usize = 64 * 1024;
