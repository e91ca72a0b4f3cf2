//! Live views: rows as JSON by primary key in one embedded database, read by scans and by subscriptions.

mod key;
mod manage;
mod sink;
mod views;

pub use sink::open;
pub use views::{Column, Moment, Subscription, View, ViewUpdate, Views};

pub(crate) const CONNECTOR: &str = "view";
