//! PostgreSQL: a table kept equal to a view, with the mark in the same transaction.

mod config;
mod sink;
mod statements;
mod table;

pub use sink::open;
pub(crate) use sink::open_at;
pub(crate) use table::quote;

pub(crate) const CONNECTOR: &str = "postgres";

use crate::Error;

/// Tells what the server refused for good from what may work later.
pub(crate) fn failed(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(refused) => {
            let code = refused.code().unwrap_or_default().into_owned();
            let message = match refused.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().and_then(|error| error.detail()) {
                Some(detail) => format!("{} ({detail}, SQLSTATE {code})", refused.message()),
                None => format!("{} (SQLSTATE {code})", refused.message()),
            };
            // Classes: 08 connection, 40 rollback, 53 resources, 55 object in use, 57 operator, 58 system.
            if ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class)) {
                Error::unavailable(CONNECTOR, message)
            } else {
                Error::corrupt(CONNECTOR, message)
            }
        }
        sqlx::Error::Configuration(_) | sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            Error::corrupt(CONNECTOR, error)
        }
        _ => Error::unavailable(CONNECTOR, error),
    }
}
