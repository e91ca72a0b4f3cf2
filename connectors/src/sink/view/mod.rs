//! Live views: rows as JSON by primary key in one embedded database, read by scans and by subscriptions.

mod index;
mod key;
mod manage;
mod moment;
mod sink;
mod views;

pub use index::IndexInfo;
pub use key::{KeyRange, Wanted};
pub use moment::{Access, Moment, Rows};
pub use sink::open;
pub use views::{Column, Subscription, View, ViewUpdate, Views};

pub(crate) const CONNECTOR: &str = "view";
