//! What the routes work with.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chimera_connectors::log::Log;
use chimera_connectors::{Context, Frontier};
use metrics_exporter_prometheus::PrometheusHandle;
use redis::aio::ConnectionManager;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

pub use super::access::OperatorToken;
use super::auth::Auth;
use super::catalog::PictureStore;
use super::cors::Origins;
use super::feed::sessions::Sessions;
use super::flags::Flags;
use super::live::Hub;
use super::notifications::Notifications;
use super::payments::Provider;
use super::places::Places;
use super::problem::{Problem, Result, kinds};
use super::proxies::Proxies;
use super::rate_limit::Rates;
pub use super::stores::status::StoreStatus;
use crate::audit::Sealer;
use crate::shop::databases::Databases;

/// How far the derived stores are. The engine's handle is one; tests bring their own.
#[async_trait]
pub trait Stores: Send + Sync + 'static {
    /// All stores, by name.
    fn stores(&self) -> Vec<StoreStatus>;

    fn store(&self, name: &str) -> Option<StoreStatus>;

    /// Waits until the store includes `frontier`.
    async fn wait_for(&self, store: &str, frontier: &Frontier, at_most: Duration) -> Result<StoreStatus, WaitError>;
}

/// Why a store did not reach a position.
#[derive(Debug)]
pub enum WaitError {
    UnknownStore,
    /// Where it was when the time was up.
    TimedOut(StoreStatus),
}

/// How much is taken at once. The bounds of single requests stand with their routes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests in progress; more are turned away with 503.
    pub max_concurrent_requests: usize,
    /// Open event streams and WebSockets; more are turned away with 503.
    pub max_streams: usize,
    /// And of one caller, with 429.
    pub max_streams_each: usize,
    /// An answer that takes longer is given up.
    pub request_timeout: Duration,
    /// A connection on which something is to be written, and whose client takes none of it for so long, is closed.
    pub takes_within: Duration,
    /// What one caller may send.
    pub rates: Rates,
    /// Instead of that, for an import of products: as many lines as it may have take minutes on a slow disk.
    pub import_timeout: Duration,
    /// After the shutdown signal, requests in progress have so long to end.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent_requests: 512,
            max_streams: 256,
            max_streams_each: 32,
            // Over the longest `wait_ms`.
            request_timeout: Duration::from_secs(20),
            takes_within: Duration::from_secs(30),
            rates: Rates::default(),
            import_timeout: Duration::from_secs(600),
            shutdown_grace: Duration::from_secs(5),
        }
    }
}

/// What an [`App`] is made of.
pub struct Parts {
    pub stores: Arc<dyn Stores>,
    /// The pipelines that run here; `None`: the routes about them say that there are none.
    pub engine: Option<chimera_pipelines::Handle>,
    /// Where the open search and vector indexes and live views are found.
    pub connectors: Arc<Context>,
    pub log: Arc<dyn Log>,
    pub redis: ConnectionManager,
    pub databases: Databases,
    pub payment_provider: Arc<dyn Provider>,
    /// What the payment provider signs with.
    pub payment_secret: String,
    /// `None`: nothing is sent; what there is to tell stays in the outboxes.
    pub notifications: Option<Notifications>,
    /// A replica of all of them, for who need not see their last moment.
    pub replica: Option<Databases>,
    pub picture_store: PictureStore,
    /// `None`: search by picture answers that it is switched off.
    pub image_tower: Option<Arc<chimera_models::ImageTower>>,
    pub auth: Auth,
    pub operator_token: OperatorToken,
    pub limits: Limits,
    /// Whose pages may call this server from a browser, besides its own.
    pub origins: Origins,
    /// Whose word is taken for who sends a request.
    pub proxies: Proxies,
    /// From [`crate::api::metrics::install`].
    pub metrics: PrometheusHandle,
}

/// The state of the routes; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub parts: Parts,
    /// What each session looked at last.
    pub sessions: Sessions,
    pub flags: Flags,
    pub sealer: Sealer,
    pub(in crate::api) requests: Arc<Semaphore>,
    pub(in crate::api) places: Places,
    pub(in crate::api) hub: Arc<Hub>,
    pub(in crate::api) pictures: Arc<Semaphore>,
    /// Ends the event streams.
    pub(in crate::api) stopping: CancellationToken,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        let requests = Arc::new(Semaphore::new(parts.limits.max_concurrent_requests));
        let places = Places::new(&parts.limits);
        let hub = Arc::new(Hub::new(&parts.connectors.redis_url));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pictures = Arc::new(Semaphore::new(cores));
        let flags = Flags::new(parts.databases.flags.clone());
        Self(Arc::new(Inner {
            parts,
            sessions: Sessions::default(),
            flags,
            sealer: Sealer::default(),
            requests,
            places,
            hub,
            pictures,
            stopping: CancellationToken::new(),
        }))
    }

    /// Where those read who need not see the last moment: the replica, or else the primary.
    pub(crate) fn replica(&self) -> &Databases {
        self.replica.as_ref().unwrap_or(&self.databases)
    }

    /// Who is told of what.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Held while a request is in progress. Refused while too many are.
    pub(crate) fn request_permit(&self) -> Result<OwnedSemaphorePermit> {
        let refused = |_| Problem::new(&kinds::OVERLOADED, "As many requests are in progress as this server takes.").retry_after(1);
        self.requests.clone().try_acquire_owned().map_err(refused)
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}
