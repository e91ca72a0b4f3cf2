//! The stream of committed transactions, decoded into batches while the batch before is appended.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use pg_walstream::{PgReplicationConnection, parse_keepalive_message};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::batch::{Batch, Summary};
use super::envelope::{Change, Origin};
use super::error::{Error, Result};
use super::pgoutput::{self, Message, Relation};
use super::reader::Session;
use super::resume::Resume;
use super::status::Phase;
use super::table::Table;
use super::transaction::Transaction;
use super::{HEARTBEAT_PREFIX, MAX_APPEND_BYTES};

/// How often PostgreSQL hears what is durable.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(500);
/// While transactions keep coming they are appended this far apart: each append waits for the disk.
const APPEND_INTERVAL: Duration = Duration::from_millis(20);
/// Under this name the log remembers the position up to which the server was told that nothing is needed any more.
pub(super) const PASSED_GROUP: &str = "postgres_cdc.passed";
/// Frames that are decoded before anything else gets a turn.
const FRAMES_A_ROUND: usize = 512;

/// Streams until shutdown; returns early only with an error.
pub(super) async fn follow(session: &mut Session, mut connection: PgReplicationConnection, shutdown: &CancellationToken) -> Result<()> {
    // The slot is ours from here on, so nobody else appends: what the log says now is where to go on.
    session.resume = Resume::read(&*session.log, &session.topics[0]).await?;
    let mut done = Done { durable_lsn: session.resume.end_lsn.unwrap_or(0), told_lsn: 0 };
    session.progress.set_resumed(done.durable_lsn);
    session.progress.set_phase(Phase::Streaming);

    let mut decoder = Decoder::new(std::mem::take(&mut session.resume));
    let mut feedback = tokio::time::interval_at(Instant::now() + FEEDBACK_INTERVAL, FEEDBACK_INTERVAL);
    feedback.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let never = CancellationToken::new();
    let mut next_append = Instant::now();
    loop {
        if session.appender.is_free() {
            if decoder.batch.has_whole() && (next_append <= Instant::now() || decoder.batch.bytes() >= MAX_APPEND_BYTES) {
                next_append = Instant::now() + APPEND_INTERVAL;
                session.appender.start(decoder.batch.take_whole(&session.topics));
            } else if decoder.batch.bytes() >= MAX_APPEND_BYTES {
                session.appender.start(decoder.batch.take_all(&session.topics));
            }
        }
        let has_room = decoder.batch.bytes() < MAX_APPEND_BYTES;
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            summary = session.appender.finished() => {
                let summary = summary?;
                done.appended(session, &summary);
            }
            () = tokio::time::sleep_until(next_append), if session.appender.is_free() && decoder.batch.has_whole() => {}
            _ = feedback.tick() => {
                if done.told_lsn != done.durable_lsn {
                    done.tell(&mut connection, decoder.received_lsn).await?;
                }
                session.progress.set_received(decoder.received_lsn);
            }
            // Safe to drop at any point: what was read stays in the connection (checked in the pinned version).
            frame = connection.get_copy_data_async(&never), if has_room => {
                let mut frame = frame?;
                let mut frames = 1;
                loop {
                    if decoder.frame(session, &frame).await? {
                        if session.appender.is_free() && decoder.is_idle() {
                            done.pass(session, decoder.received_lsn).await?;
                        }
                        done.tell(&mut connection, decoder.received_lsn).await?;
                    }
                    // Only then is another one taken: what is taken has to be decoded.
                    if frames == FRAMES_A_ROUND || decoder.batch.bytes() >= MAX_APPEND_BYTES {
                        break;
                    }
                    match connection.get_copy_data_async(&never).now_or_never() {
                        Some(next) => frame = next?,
                        None => break,
                    }
                    frames += 1;
                }
            }
        }
    }
    let summary = session.appender.settle().await?;
    done.appended(session, &summary);
    done.tell(&mut connection, decoder.received_lsn).await
}

/// What needs no sending again.
struct Done {
    durable_lsn: u64,
    told_lsn: u64,
}

impl Done {
    fn appended(&mut self, session: &Session, summary: &Summary) {
        self.durable_lsn = self.durable_lsn.max(summary.end_lsn.unwrap_or(0));
        session.appended(summary);
    }

    /// Passes WAL that holds nothing for the log: a server that shuts down waits until its last byte is confirmed. The log remembers how
    /// far, so that a log that lost its end can be told from one that had nothing to hold.
    async fn pass(&mut self, session: &Session, lsn: u64) -> Result<()> {
        if lsn > self.durable_lsn {
            session.log.commit(PASSED_GROUP, &session.topics[0], 0, lsn).await?;
            self.durable_lsn = lsn;
        }
        Ok(())
    }

    async fn tell(&mut self, connection: &mut PgReplicationConnection, received_lsn: u64) -> Result<()> {
        let lsn = self.durable_lsn;
        connection.send_standby_status_update(received_lsn.max(lsn), lsn, lsn, false).await?;
        self.told_lsn = lsn;
        Ok(())
    }
}

/// Turns frames into records.
struct Decoder {
    batch: Batch,
    resume: Resume,
    /// Transactions that commit before this are in the log already.
    skip_before_lsn: u64,
    received_lsn: u64,
    last_commit_lsn: Option<u64>,
    open: Option<Transaction>,
    /// By object id; `None` for a table that is published but not asked for.
    tables: HashMap<u32, Option<Table>>,
}

impl Decoder {
    fn new(resume: Resume) -> Self {
        let skip_before_lsn = resume.end_lsn.unwrap_or(0);
        Self {
            batch: Batch::default(),
            resume,
            skip_before_lsn,
            received_lsn: 0,
            last_commit_lsn: (skip_before_lsn > 0).then_some(skip_before_lsn),
            open: None,
            tables: HashMap::new(),
        }
    }

    /// Whether everything that came is on its way into the log.
    fn is_idle(&self) -> bool {
        self.open.is_none() && self.batch.bytes() == 0
    }

    /// Takes in a frame; says whether the server wants an answer.
    async fn frame(&mut self, session: &mut Session, frame: &Bytes) -> Result<bool> {
        match frame.first() {
            Some(b'k') => {
                let keepalive = parse_keepalive_message(frame)?;
                self.received_lsn = self.received_lsn.max(keepalive.wal_end);
                return Ok(keepalive.reply_requested);
            }
            Some(b'w') => {}
            _ => return Ok(false),
        }
        let service = &session.options.service;
        let malformed = |position, message: &str| Error::Protocol { service: service.clone(), position, message: message.to_owned() };
        // 'w', the position of the message, the server's position, the server's time.
        let (Some(header), Some(message)) = (frame.get(1..17), frame.get(25..)) else {
            return Err(malformed(self.received_lsn, "a message has no header"));
        };
        let position = |from: usize| header[from..from + 8].try_into().map(u64::from_be_bytes).expect("eight bytes");
        let lsn = position(0);
        self.received_lsn = self.received_lsn.max(position(8));
        match pgoutput::parse(message).map_err(|error| malformed(lsn, error.0))? {
            Message::Begin { commit_lsn, commit_ms, xid } => {
                self.open = (commit_lsn >= self.skip_before_lsn).then(|| {
                    let id = self.resume.transaction_id(format!("{xid}:{commit_lsn}"));
                    Transaction::new(id, Some(xid), commit_ms)
                });
            }
            Message::Commit { end_lsn } => self.commit(end_lsn),
            Message::Relation(relation) => {
                let table = describe(session, &relation).await?;
                self.tables.insert(relation.oid, table);
            }
            Message::Note { prefix } => {
                if let (true, Some(transaction)) = (prefix == HEARTBEAT_PREFIX.as_bytes(), &mut self.open) {
                    transaction.heartbeat = true;
                }
            }
            Message::Insert { relation, new } => self.change(session, lsn, relation, Change::Create { new: &new })?,
            Message::Update { relation, old, new } => {
                // Without REPLICA IDENTITY FULL an old row comes only with a change of the key, and has only the key.
                self.change(session, lsn, relation, Change::Update { old: old.as_deref(), new: &new })?;
            }
            Message::Delete { relation, old } => self.change(session, lsn, relation, Change::Delete { old: &old })?,
            Message::Other => {}
        }
        Ok(false)
    }

    fn change(&mut self, session: &Session, lsn: u64, relation: u32, change: Change<'_>) -> Result<()> {
        let Some(transaction) = &mut self.open else { return Ok(()) };
        let malformed =
            |message: &str| Error::Protocol { service: session.options.service.clone(), position: lsn, message: message.to_owned() };
        let table = match self.tables.get(&relation) {
            Some(Some(table)) => table,
            Some(None) => return Ok(()),
            None => return Err(malformed("a row came before its table was described")),
        };
        if change.rows().any(|row| row.len() != table.columns.len()) {
            return Err(malformed("a row has another number of columns than its table"));
        }
        let origin =
            Origin { snapshot: "false", last_commit_lsn: self.last_commit_lsn, lsn, now_ms: chrono::Utc::now().timestamp_millis() };
        session.writer.write(&mut self.batch, transaction, table, change, &origin);
        Ok(())
    }

    fn commit(&mut self, end_lsn: u64) {
        if let Some(mut transaction) = self.open.take() {
            // Servers before 15 also send transactions that touched nothing published.
            if transaction.changes() > 0 || transaction.heartbeat {
                self.batch.begin(&mut transaction);
                self.batch.end(&transaction, end_lsn);
            }
        }
        self.last_commit_lsn = Some(end_lsn);
    }
}

/// Describes an announced table, if it is one that was asked for.
async fn describe(session: &mut Session, relation: &Relation) -> Result<Option<Table>> {
    let name = format!("{}.{}", relation.schema, relation.name);
    match session.options.tables.iter().position(|table| *table == name) {
        Some(nth) => Ok(Some(session.catalog.describe(relation, nth + 1).await?)),
        None => Ok(None),
    }
}
