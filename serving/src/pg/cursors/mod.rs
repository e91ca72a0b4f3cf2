//! Cursors of a session: answers that are made as they are fetched, all of one moment.

mod parse;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::api::ClientInfo;
use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::data::DataRow;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use futures::{StreamExt, stream};
use parking_lot::Mutex;

use super::handler::error;
pub(super) use parse::{Statement, parse};

/// How long FETCH waits for a subscription's next change, unless it says otherwise.
const WAIT: Duration = Duration::from_secs(1);

/// A cursor of a session.
pub(super) struct Cursor {
    pub rows: QueryResponse,
    /// Whether it outlives its transaction.
    pub hold: bool,
    /// Whether it never ends: what is there is fetched, and no more is waited for.
    pub is_subscription: bool,
}

struct Kept {
    cursor: Cursor,
    /// Whether the transaction that declared it goes on.
    in_transaction: bool,
}

/// What a session keeps between statements.
#[derive(Default)]
pub(super) struct Cursors(Mutex<BTreeMap<String, Kept>>);

impl Cursors {
    /// Those of a session.
    pub(super) fn of(client: &impl ClientInfo) -> Arc<Cursors> {
        client.session_extensions().get_or_insert_with(Cursors::default)
    }

    /// What columns a cursor has. `None`: no such cursor.
    pub(super) fn fields(&self, name: &str) -> Option<Arc<Vec<FieldInfo>>> {
        self.0.lock().get(name).map(|kept| kept.cursor.rows.row_schema())
    }

    /// How long FETCH may wait for something to come, beside the time that it takes.
    pub(super) fn wait(&self, name: &str, asked: Option<Duration>) -> Duration {
        let is_subscription = self.0.lock().get(name).is_some_and(|kept| kept.cursor.is_subscription);
        if is_subscription { asked.unwrap_or(WAIT) } else { Duration::ZERO }
    }

    /// Refuses a cursor that could not be kept.
    pub(super) fn check(&self, name: &str, hold: bool, status: TransactionStatus) -> PgWireResult<()> {
        if status == TransactionStatus::Idle && !hold {
            return Err(error("25P01", "DECLARE CURSOR can only be used in transaction blocks: BEGIN first, or declare it WITH HOLD"));
        }
        if self.0.lock().contains_key(name) {
            return Err(error("42P03", format!("cursor \"{name}\" already exists")));
        }
        Ok(())
    }

    pub(super) fn keep(&self, name: String, mut cursor: Cursor, status: TransactionStatus) {
        // After its last row it may be asked for more.
        cursor.rows.data_rows = Box::pin(cursor.rows.data_rows.fuse());
        self.0.lock().insert(name, Kept { cursor, in_transaction: status != TransactionStatus::Idle });
    }

    /// `None`: all of them.
    pub(super) fn close(&self, name: Option<&str>) -> PgWireResult<Response> {
        match name {
            None => self.0.lock().clear(),
            Some(name) => drop(self.0.lock().remove(name).ok_or_else(|| unknown(name))?),
        }
        Ok(Response::Execution(Tag::new(if name.is_none() { "CLOSE CURSOR ALL" } else { "CLOSE CURSOR" })))
    }

    /// The end of a transaction: only what it holds stays, if it is `committed`.
    pub(super) fn end(&self, committed: bool) {
        let mut cursors = self.0.lock();
        cursors.retain(|_, kept| !kept.in_transaction || (committed && kept.cursor.hold));
        cursors.values_mut().for_each(|kept| kept.in_transaction = false);
    }

    /// The next rows of a cursor: `rows` of them, or all, but not more than `most`.
    pub(super) async fn fetch(
        &self,
        name: &str,
        rows: Option<usize>,
        most: usize,
        is_move: bool,
        wait: Option<Duration>,
    ) -> PgWireResult<Response> {
        // Out of the map while it is read; where this is cut short, it is gone, and so is the transaction.
        let mut kept = self.0.lock().remove(name).ok_or_else(|| unknown(name))?;
        let fields = kept.cursor.rows.row_schema();
        let fetched = if kept.cursor.is_subscription {
            what_there_is(&mut kept.cursor.rows, rows.unwrap_or(most).min(most), wait.unwrap_or(WAIT)).await?
        } else {
            next(&mut kept.cursor.rows, rows, most).await?
        };
        self.0.lock().insert(name.to_owned(), kept);
        if is_move {
            return Ok(Response::Execution(Tag::new("MOVE").with_rows(fetched.len())));
        }
        let mut response = QueryResponse::new(fields, stream::iter(fetched.into_iter().map(Ok)));
        response.set_command_tag("FETCH");
        Ok(Response::Query(response))
    }
}

async fn next(from: &mut QueryResponse, rows: Option<usize>, most: usize) -> PgWireResult<Vec<DataRow>> {
    let mut fetched = Vec::new();
    while rows.is_none_or(|rows| fetched.len() < rows) {
        let Some(row) = from.data_rows().next().await else { break };
        if fetched.len() == most {
            return Err(error("54000", format!("there are more than {most} rows; FETCH FORWARD fewer of them at a time")));
        }
        fetched.push(row?);
    }
    Ok(fetched)
}

/// Up to `rows`: waits for the first one, and takes what else is there.
async fn what_there_is(from: &mut QueryResponse, rows: usize, wait: Duration) -> PgWireResult<Vec<DataRow>> {
    let mut fetched = Vec::new();
    let mut wait = wait;
    while fetched.len() < rows {
        match tokio::time::timeout(wait, from.data_rows().next()).await {
            Ok(Some(row)) => fetched.push(row?),
            Ok(None) | Err(_) => break,
        }
        wait = Duration::ZERO;
    }
    Ok(fetched)
}

fn unknown(name: &str) -> datafusion_postgres::pgwire::error::PgWireError {
    error("34000", format!("cursor \"{name}\" does not exist"))
}
