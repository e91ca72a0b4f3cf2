//! PostgreSQL's protocol over the live views: psql, Grafana and drivers read them as tables `<pipeline>.<view>` of the database `chimera`.
//!
//! A statement sees all views at one moment, each at a whole epoch. Reading is bounded in time, memory and rows, and nothing reaches files or
//! addresses. A cursor, and a portal that is fetched in parts, stays at the moment in which it began. `SUBSCRIBE <view>` goes on with every change. Who may create views, and drop them, is decided by the user's [`Role`].

mod answer;
mod auth;
mod catalog;
mod cursors;
mod ddl;
mod extended;
mod handler;
mod hangup;
mod known;
mod lookup;
mod prepared;
mod read;
mod role;
mod scan;
mod settings;
mod simple;
mod statements;
mod subscribe;
mod system;
mod transaction;
mod words;

use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::sink::view::Views;
use chimera_pipelines::Handle;
use datafusion::error::DataFusionError;
use datafusion_postgres::pgwire::api::auth::StartupHandler;
use datafusion_postgres::pgwire::api::cancel::{CancelHandler, DefaultCancelHandler};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::{ConnectionManager, PgWireServerHandlers};
use datafusion_postgres::pgwire::tokio::process_socket;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::handler::Handler;
pub use self::role::Role;
pub(crate) use self::statements::split;

/// The database that clients name; PostgreSQL's own tools want one.
pub const DATABASE: &str = "chimera";

/// What one statement may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Unless the session sets `statement_timeout`.
    pub timeout: Duration,
    /// Rows of an answer.
    pub rows: usize,
    /// Bytes that all running statements hold for sorting, grouping and joining.
    pub memory_bytes: usize,
    /// Sessions at once.
    pub sessions: usize,
    /// Cursors, and portals that are not at their end, of all sessions.
    pub cursors: usize,
    /// A cursor from which nothing is fetched for so long is closed: what it reads cannot be cleared away.
    pub cursor_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            rows: 1_000_000,
            memory_bytes: 128 << 20,
            sessions: 64,
            cursors: 64,
            cursor_idle: Duration::from_secs(600),
        }
    }
}

/// The front: what all sessions share.
pub struct Front {
    handler: Arc<Handler>,
    auth: Arc<auth::Passwords>,
    sessions: Arc<ConnectionManager>,
    limits: Limits,
}

impl Front {
    /// `passwords`: of each user.
    pub fn new(views: Arc<Views>, engine: Handle, passwords: &[(Role, String)], limits: Limits) -> Result<Self, DataFusionError> {
        let context = catalog::context(&views, &limits)?;
        Ok(Self {
            handler: Arc::new(Handler::new(context, views, engine, limits)?),
            auth: Arc::new(auth::Passwords::new(passwords)),
            sessions: Arc::new(ConnectionManager::new()),
            limits,
        })
    }

    /// Serves until `stop`; then sessions are cut.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let front = Arc::new(self);
        let places = Arc::new(Semaphore::new(front.limits.sessions));
        let mut sessions = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
                Some(_) = sessions.join_next() => continue,
            };
            match accepted {
                Ok((socket, _)) => {
                    // A session too many waits for its turn; a client that does not want to wait goes away by itself.
                    let (front, places) = (front.clone(), places.clone());
                    sessions.spawn(async move {
                        let Ok(_place) = places.acquire().await else { return };
                        if let Err(error) = session(socket, front).await {
                            tracing::debug!(%error, "a PostgreSQL session broke off");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a PostgreSQL session");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        sessions.shutdown().await;
    }
}

/// One session, until it ends or its client is gone.
async fn session(socket: TcpStream, front: Arc<Front>) -> std::io::Result<()> {
    let (socket, watched) = hangup::watched(socket)?;
    tokio::select! {
        biased;
        ended = process_socket(socket, None, front) => ended,
        () = hangup::gone(watched) => Ok(()),
    }
}

impl PgWireServerHandlers for Front {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        self.handler.clone()
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        self.handler.clone()
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        auth::startup(self.auth.clone(), self.sessions.clone())
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::new(DefaultCancelHandler::new(self.sessions.clone()))
    }
}
