//! Checks a store that keeps history: nothing that stands in the tables today says what it should hold, but what it holds can be replayed.

use std::time::Instant;

use futures::StreamExt;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::compare::cut;
use super::{Difference, Error, Outcome, Readers, Report, Store, scratch};

/// Copies `store`, a table in PostgreSQL, into the scratch database, and takes the rows of `sql` for the differences: `key`, `column`,
/// `expected` and `found`, ordered by `key`.
pub async fn check_history(connection: &mut PgConnection, readers: &Readers<'_>, store: &Store, sql: &str) -> Result<Report, Error> {
    let started = Instant::now();
    if store.connector != "postgres" {
        let message = format!("its history is in {}, and only one in PostgreSQL can be replayed", store.connector);
        return Err(Error::Store { store: store.name.clone(), message });
    }
    let (database, table) = (store.option("database")?, store.option("table")?);
    let mut outcome = Outcome { found_rows: scratch::copy_store(readers.server, connection, database, table).await?, ..Outcome::default() };
    let refused = || Error::query(format!("the SELECT of store {}", store.name));
    let mut rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch(connection);
    let mut last_changed = None;
    while let Some(row) = rows.next().await {
        let row = row.map_err(refused())?;
        let text = |column: &str| row.try_get::<Option<String>, _>(column).map_err(refused());
        let key = text("key")?.unwrap_or_default();
        let difference = Difference { key, column: text("column")?, expected: text("expected")?, found: text("found")? };
        match (&difference.column, &difference.expected) {
            (Some(_), _) if last_changed.as_ref() == Some(&difference.key) => {}
            (Some(_), _) => {
                outcome.changed += 1;
                last_changed = Some(difference.key.clone());
            }
            (None, Some(_)) => outcome.missing += 1,
            (None, None) => outcome.unexpected += 1,
        }
        let (expected, found) = (difference.expected.as_ref().map(cut), difference.found.as_ref().map(cut));
        outcome.note(Difference { expected, found, ..difference });
    }
    outcome.expected_rows = (outcome.found_rows + outcome.missing).saturating_sub(outcome.unexpected);
    let (store, connector) = (store.name.clone(), store.connector.clone());
    Ok(Report { store, connector, seconds: started.elapsed().as_secs_f64(), outcome: Some(outcome), skipped: None })
}
