//! What is asked for. Each type shows what a route shows, under the blueprint's names.

pub mod address;
pub mod cart;
pub mod order;
pub mod product;
pub mod user;

use chrono::{DateTime, SecondsFormat, Utc};

/// As JSON has it everywhere else.
fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
