//! The reader as a component: started, asked how it is, stopped.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::appender::Appender;
use super::batch::Summary;
use super::catalog::Catalog;
use super::envelope::Writer;
use super::error::{Error, Result};
use super::resume::Resume;
use super::status::{Phase, Progress};
use super::{CdcStatus, Options, connection, heartbeat, snapshot, stream};
use crate::log::{Log, TopicConfig};

/// Delays between attempts while PostgreSQL or the log is away.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LAST_DELAY: Duration = Duration::from_secs(10);

/// Follows one database.
pub struct Reader;

/// The outside of a running reader.
#[derive(Clone)]
pub struct Handle {
    progress: Arc<Progress>,
    asked: Arc<Notify>,
    stopped: CancellationToken,
}

impl Reader {
    /// Starts to follow, on the current runtime, until `shutdown`. What goes wrong is retried for ever and shown in the status.
    pub fn start(options: Options, log: Arc<dyn Log>, shutdown: CancellationToken) -> Handle {
        let progress = Arc::new(Progress::new(&options.service));
        let handle = Handle { progress: progress.clone(), asked: Arc::default(), stopped: CancellationToken::new() };
        let (asked, stopped) = (handle.asked.clone(), handle.stopped.clone().drop_guard());
        tokio::spawn(async move {
            let _stopped = stopped;
            run(options, log, progress, asked, shutdown).await;
        });
        handle
    }
}

impl Handle {
    pub fn status(&self) -> CdcStatus {
        self.progress.get()
    }

    /// Asks for an empty transaction, so that the log's position passes the one that the database has now. Cheap; calls are coalesced.
    pub fn nudge(&self) {
        self.asked.notify_one();
    }

    /// Returns when the reader has stopped after its `shutdown`; what it appended is durable and PostgreSQL knows.
    pub async fn stopped(&self) {
        self.stopped.cancelled().await;
    }
}

/// What attempts share.
pub(super) struct Session {
    pub options: Options,
    pub log: Arc<dyn Log>,
    pub progress: Arc<Progress>,
    pub pool: PgPool,
    pub catalog: Catalog,
    /// The transaction topic, then one a table.
    pub topics: Vec<String>,
    pub writer: Writer,
    pub appender: Appender,
    pub resume: Resume,
}

impl Session {
    pub(super) fn appended(&self, summary: &Summary) {
        self.progress.appended(summary, chrono::Utc::now().timestamp_millis());
    }
}

async fn run(options: Options, log: Arc<dyn Log>, progress: Arc<Progress>, asked: Arc<Notify>, shutdown: CancellationToken) {
    let mut session = match open(options, log, progress.clone()) {
        Ok(session) => session,
        Err(error) => {
            tracing::error!(%error, "the database cannot be followed");
            progress.set_phase(Phase::Waiting { error: error.to_string() });
            return shutdown.cancelled().await;
        }
    };
    let interval = session.options.heartbeat_interval;
    let beating = tokio::spawn(heartbeat::run(session.pool.clone(), asked, progress.clone(), interval, shutdown.clone()));
    let mut delay = FIRST_DELAY;
    while !shutdown.is_cancelled() {
        let before = progress.get();
        let result = attempt(&mut session, &shutdown).await;
        // The next attempt reads where the log ends, so nothing may still be on its way into it.
        let settled = session.appender.settle().await;
        let Err(error) = result.and(settled.map(drop)) else { break };
        if shutdown.is_cancelled() {
            break;
        }
        if progress.get().lsn > before.lsn {
            delay = FIRST_DELAY;
        }
        if error.needs_operator() {
            delay = LAST_DELAY;
            tracing::error!(service = session.options.service, %error, "the database cannot be followed");
        } else {
            tracing::warn!(service = session.options.service, %error, ?delay, "following the database is interrupted");
        }
        progress.set_phase(Phase::Waiting { error: error.to_string() });
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = tokio::time::sleep(delay) => {}
        }
        delay = (delay * 2).min(LAST_DELAY);
    }
    // It ends with the same token; a panic in it concerns only heartbeats.
    let _ = beating.await;
    session.pool.close().await;
}

fn open(options: Options, log: Arc<dyn Log>, progress: Arc<Progress>) -> Result<Session> {
    for (what, name) in [("publication", &options.publication), ("replication slot", &options.slot), ("service", &options.service)] {
        let usable = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > 63 || !name.bytes().all(usable) {
            return Err(Error::Name { what, name: name.clone() });
        }
    }
    let pool = connection::pool(&options)?;
    let tables = options.tables.iter().map(|table| format!("{}.{table}", options.service));
    Ok(Session {
        topics: std::iter::once(options.transaction_topic()).chain(tables).collect(),
        writer: Writer::new(&options.service, &connection::database(&options)?),
        catalog: Catalog::new(pool.clone(), &options.service),
        appender: Appender::new(log.clone()),
        resume: Resume::default(),
        pool,
        options,
        log,
        progress,
    })
}

/// Streams until shutdown or an error, after a snapshot if the log holds none.
async fn attempt(session: &mut Session, shutdown: &CancellationToken) -> Result<()> {
    session.progress.set_phase(Phase::Connecting);
    for topic in &session.topics {
        session.log.create_topic(topic, TopicConfig::default()).await?;
    }
    session.resume = Resume::read(&*session.log, &session.topics[0]).await?;
    let server_lsn = session.catalog.check_server().await?;
    let database = connection::database(&session.options)?;
    session.catalog.ensure_publication(&session.options, &database, session.resume.end_lsn.is_none()).await?;
    let has_slot = check_slot(session, &database, server_lsn).await?;

    let mut connection = connection::replication(&session.options).await?;
    if session.resume.end_lsn.is_none() {
        if has_slot {
            // Of a snapshot that was cut off: what was copied then does not go with what would be streamed now.
            session.catalog.drop_slot(&session.options.slot).await?;
        }
        connection = snapshot::take(session, connection, shutdown).await?;
        if shutdown.is_cancelled() {
            return Ok(());
        }
    }
    let connection = connection::start(connection, &session.options).await?;
    stream::follow(session, connection, shutdown).await
}

/// Checks that the slot goes with the log; says whether there is one.
async fn check_slot(session: &Session, database: &str, server_lsn: u64) -> Result<bool> {
    let Options { slot: name, service, .. } = &session.options;
    let slot = session.catalog.slot(name).await?;
    if let Some(slot) = &slot
        && slot.database != database
    {
        return Err(Error::SlotElsewhere { slot: name.clone(), other: slot.database.clone(), database: database.to_owned() });
    }
    let Some(end_lsn) = session.resume.end_lsn else { return Ok(slot.is_some()) };
    let passed = session.log.committed(stream::PASSED_GROUP, &session.topics[0], 0).await?.unwrap_or(0);
    let (name, service) = (name.clone(), service.clone());
    match slot {
        None => Err(Error::SlotGone { slot: name, service, position: end_lsn }),
        Some(slot) if slot.lost => Err(Error::SlotInvalidated { slot: name, service, position: end_lsn }),
        Some(slot) if slot.confirmed_lsn > end_lsn.max(passed) => {
            Err(Error::LogBehindSlot { service, log: end_lsn, confirmed: slot.confirmed_lsn })
        }
        Some(_) if server_lsn < end_lsn => Err(Error::ServerBehindLog { service, log: end_lsn, server: server_lsn }),
        Some(_) => Ok(true),
    }
}
