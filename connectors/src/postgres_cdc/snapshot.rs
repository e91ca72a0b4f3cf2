//! The first copy of the tables, as of the slot's first position.

use bytes::Bytes;
use futures::TryStreamExt;
use pg_walstream::PgReplicationConnection;
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;

use super::MAX_APPEND_BYTES;
use super::batch::Batch;
use super::catalog::Copy;
use super::connection;
use super::copy_text;
use super::envelope::{Change, Origin};
use super::error::{Error, Result};
use super::pgoutput::Cell;
use super::reader::Session;
use super::status::Phase;
use super::transaction::Transaction;

/// A row that waits to learn whether it is its table's last.
struct Held {
    copy: usize,
    first_of_table: bool,
    line: Bytes,
}

/// Makes the slot and copies the tables. The log ends with the snapshot's `END`, and the stream goes on from there without a gap.
pub(super) async fn take(
    session: &mut Session,
    connection: PgReplicationConnection,
    shutdown: &CancellationToken,
) -> Result<PgReplicationConnection> {
    session.progress.set_phase(Phase::Snapshot { rows: 0 });
    let (connection, slot) = connection::create_slot(connection, &session.options.slot).await?;
    let mut reader = session.pool.acquire().await?;
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *reader).await?;
    let import = format!("SET TRANSACTION SNAPSHOT '{}'", slot.snapshot.replace('\'', "''"));
    sqlx::query(AssertSqlSafe(import)).execute(&mut *reader).await?;

    let copies = session.catalog.copies(&session.options).await?;
    let mut out = Out::new(session, slot.consistent_point);
    let mut held: Option<Held> = None;
    for (nth, copy) in copies.iter().enumerate() {
        let mut first_of_table = true;
        let mut frames = reader.copy_out_raw(&copy.statement).await?;
        let mut partial = Vec::new();
        while let Some(frame) = frames.try_next().await? {
            if shutdown.is_cancelled() {
                return Ok(connection);
            }
            // PostgreSQL sends a row a frame, but does not promise to.
            let frame = if partial.is_empty() { frame } else { Bytes::from([std::mem::take(&mut partial), frame.to_vec()].concat()) };
            let mut from = 0;
            while let Some(len) = frame[from..].iter().position(|&byte| byte == b'\n') {
                let line = frame.slice(from..from + len);
                from += len + 1;
                if let Some(held) = held.replace(Held { copy: nth, first_of_table, line }) {
                    out.write(&copies, &held, nth != held.copy, false);
                    out.append_if_large().await?;
                }
                first_of_table = false;
            }
            partial = frame[from..].to_vec();
        }
    }
    if let Some(held) = held {
        out.write(&copies, &held, true, true);
    }
    out.finish().await?;
    sqlx::query("COMMIT").execute(&mut *reader).await?;
    Ok(connection)
}

/// Rows on their way into the log, as one transaction in pieces.
struct Out<'s> {
    session: &'s mut Session,
    batch: Batch,
    transaction: Transaction,
    consistent_point: u64,
    started_ms: i64,
}

impl<'s> Out<'s> {
    fn new(session: &'s mut Session, consistent_point: u64) -> Self {
        let started_ms = chrono::Utc::now().timestamp_millis();
        let id = session.resume.transaction_id(format!("snapshot:{consistent_point}"));
        Self { session, batch: Batch::default(), transaction: Transaction::new(id, None, started_ms), consistent_point, started_ms }
    }

    fn write(&mut self, copies: &[Copy], held: &Held, last_of_table: bool, last: bool) {
        let table = &copies[held.copy].table;
        let snapshot = match (last, self.transaction.changes(), last_of_table, held.first_of_table) {
            (true, ..) => "last",
            (_, 0, ..) => "first",
            (_, _, true, _) => "last_in_data_collection",
            (_, _, _, true) => "first_in_data_collection",
            _ => "true",
        };
        let fields: Vec<_> = copy_text::fields(&held.line).collect();
        let row: Vec<Cell<'_>> = fields.iter().map(|field| field.as_deref().map_or(Cell::Null, Cell::Text)).collect();
        let origin = Origin { snapshot, last_commit_lsn: None, lsn: self.consistent_point, now_ms: self.started_ms };
        self.session.writer.write(&mut self.batch, &mut self.transaction, table, Change::Read { new: &row }, &origin);
    }

    async fn append_if_large(&mut self) -> Result<()> {
        if self.batch.bytes() >= MAX_APPEND_BYTES / 2 {
            self.append().await?;
        }
        Ok(())
    }

    async fn append(&mut self) -> Result<()> {
        let summary = self.session.appender.settle().await?;
        self.session.appended(&summary);
        self.session.appender.start(self.batch.take_all(&self.session.topics));
        self.session.progress.set_phase(Phase::Snapshot { rows: self.transaction.changes() });
        Ok(())
    }

    async fn finish(mut self) -> Result<(), Error> {
        self.batch.begin(&mut self.transaction);
        self.batch.end(&self.transaction, self.consistent_point);
        self.append().await?;
        let summary = self.session.appender.settle().await?;
        self.session.appended(&summary);
        Ok(())
    }
}
