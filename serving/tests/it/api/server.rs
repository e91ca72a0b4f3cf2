//! A running server for one test.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chimera_connectors::Context;
use chimera_connectors::log::{EmbeddedLog, Log};
use chimera_local::{TestPostgres, TestRedis};
use chimera_models::ImageTower;
use chimera_serving::api::access::Role;
use chimera_serving::api::auth::Auth;
use chimera_serving::api::auth::sessions::{self, Standing};
use chimera_serving::api::catalog::PictureStore;
use chimera_serving::api::notifications::Notifications;
use chimera_serving::api::payments::http_provider::HttpProvider;
use chimera_serving::api::{App, Limits, OperatorToken, Origins, Parts, Proxies, metrics, serve};
use chimera_serving::shop::databases::{self, Databases};
use chimera_serving::shop::{roles, shards};
use chimera_serving::simulated_provider::SimulatedProvider;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::stores::Board;

pub const TOKEN: &str = "the operator's token";
/// Who gives the access tokens of these servers.
pub const ISSUER: &str = "https://shop.example.com";
/// What these servers share with their payment provider.
pub const PAYMENT_SECRET: &str = "the payment provider's secret";
pub const SEAL: [u8; 32] = [7; 32];
/// Of every account here.
pub const PASSWORD: &str = "correct horse battery";

/// One PostgreSQL and one Redis for all tests of this process; they end with it.
struct Servers {
    postgres: TestPostgres,
    redis: TestRedis,
}

static SERVERS: LazyLock<Result<Servers, String>> = LazyLock::new(|| {
    let start = || Ok::<_, chimera_local::Error>(Servers { postgres: TestPostgres::start()?, redis: TestRedis::start()? });
    start().map_err(|error| if error.is_missing() { error.to_string() } else { panic!("{error}") })
});

/// The API on a port of its own, with databases of its own.
pub struct Server {
    pub base: String,
    pub client: Client,
    pub app: App,
    pub board: Arc<Board>,
    pub context: Arc<Context>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<std::io::Result<()>>>,
    _stop_provider: DropGuard,
    _folder: TempDir,
}

impl Server {
    /// `None`: something is not installed, and the test is skipped.
    pub async fn start() -> Option<Self> {
        Self::start_with(Limits::default(), None).await
    }

    pub async fn start_with(limits: Limits, image_tower: Option<Arc<ImageTower>>) -> Option<Self> {
        Self::start_of(limits, image_tower, None, 1).await
    }

    /// One that sends messages.
    pub async fn start_sending(notifications: Notifications) -> Option<Self> {
        Self::start_of(Limits::default(), None, Some(notifications), 1).await
    }

    /// One whose orders are spread over several databases.
    pub async fn start_sharded(shards: usize) -> Option<Self> {
        Self::start_of(Limits::default(), None, None, shards).await
    }

    async fn start_of(
        limits: Limits,
        image_tower: Option<Arc<ImageTower>>,
        notifications: Option<Notifications>,
        shards: usize,
    ) -> Option<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let servers = match tokio::task::spawn_blocking(|| SERVERS.as_ref()).await.unwrap() {
            Ok(servers) => servers,
            Err(why) => {
                eprintln!("skipped: {why}");
                return None;
            }
        };
        for (service, migrator) in databases::ALL {
            let spread = if *service == "orders" { shards } else { 1 };
            for name in std::iter::once((*service).to_owned()).chain((1..spread).map(shards::name)) {
                let database = format!("{name}_{number}");
                servers.postgres.create_database(&database).unwrap();
                let mut connection = PgConnection::connect(&servers.postgres.url(&database)).await.unwrap();
                migrator.run(&mut connection).await.unwrap();
                roles::grant(&mut connection, service).await.unwrap();
            }
        }
        let databases = Databases::open(shards, |name, _| {
            let options: PgConnectOptions = servers.postgres.url(&format!("{name}_{number}")).parse().unwrap();
            databases::pool(options, shards::service(name), 5)
        });
        // The `inventory` pipeline's sink makes it; its rows are the tests'.
        as_owner(&databases.orders, "CREATE TABLE received (sku text PRIMARY KEY, quantity bigint NOT NULL)").await;

        let folder = tempfile::tempdir().unwrap();
        let log: Arc<dyn Log> = EmbeddedLog::open(folder.path().join("log")).unwrap();
        // A server has 16 of these; a test's keys do not meet another's as long as fewer run at once.
        let redis_url = format!("{}{}", servers.redis.url(), number % 16);
        let client = redis::Client::open(redis_url.as_str()).unwrap();
        let redis = client.get_connection_manager().await.unwrap();
        let context = Context::new(folder.path().join("stores"), log.clone(), redis_url, servers.postgres.url("postgres")).unwrap();
        let board = Arc::new(Board::default());
        let auth = Auth::open(databases.auth.clone(), redis.clone(), &SEAL, ISSUER).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider_url = format!("http://{}", provider.local_addr().unwrap());
        let stop_provider = CancellationToken::new();
        let simulated = SimulatedProvider {
            pool: databases.simulated_provider.clone(),
            secret: PAYMENT_SECRET.to_owned(),
            events_url: format!("{base}/api/v1/payments/events"),
            settles_after: Duration::from_millis(300),
        };
        tokio::spawn(simulated.serve(provider, stop_provider.clone()));
        let pictures = reqwest::Url::from_directory_path(folder.path().join("objects")).unwrap();
        let app = App::new(Parts {
            stores: board.clone(),
            engine: None,
            connectors: context.clone(),
            log,
            redis,
            replica: None,
            databases,
            payment_provider: Arc::new(HttpProvider::new(&provider_url, PAYMENT_SECRET).unwrap()),
            payment_secret: PAYMENT_SECRET.to_owned(),
            notifications,
            picture_store: PictureStore::open(pictures.as_str()).unwrap(),
            image_tower,
            auth,
            operator_token: OperatorToken::new(TOKEN),
            limits,
            origins: Origins::default(),
            proxies: Proxies::default(),
            metrics: metrics::install().unwrap(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(serve(app.clone(), listener, async move { drop(stopped.await) }));
        let stop_provider = stop_provider.drop_guard();
        Some(Self {
            base,
            client: Client::new(),
            app,
            board,
            context,
            _stop_provider: stop_provider,
            stop: Some(stop),
            task: Some(task),
            _folder: folder,
        })
    }

    /// Serves another app beside this one, until the test ends. Its address.
    pub async fn serve_too(&self, app: App) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(app, listener, std::future::pending()));
        base
    }

    /// What another server beside this one is made of. It sends no messages.
    pub fn parts(&self) -> Parts {
        let parts = &self.app.parts;
        Parts {
            stores: parts.stores.clone(),
            engine: None,
            connectors: parts.connectors.clone(),
            log: parts.log.clone(),
            redis: parts.redis.clone(),
            databases: parts.databases.clone(),
            replica: parts.replica.clone(),
            notifications: None,
            payment_provider: parts.payment_provider.clone(),
            payment_secret: parts.payment_secret.clone(),
            picture_store: parts.picture_store.clone(),
            image_tower: None,
            auth: parts.auth.clone(),
            operator_token: parts.operator_token.clone(),
            limits: Limits::default(),
            origins: Origins::default(),
            proxies: Proxies::default(),
            metrics: parts.metrics.clone(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn get_as_operator(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).bearer_auth(TOKEN)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// A request of somebody who has logged in, or has a key.
    pub async fn send(&self, method: Method, path: &str, bearer: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path).bearer_auth(bearer);
        Answer::of(if let Some(body) = body { request.json(body) } else { request }).await
    }

    /// An account of this role. Its id.
    pub async fn account(&self, role: Role) -> Uuid {
        // Hashing takes its time, and one hash does for all.
        static HASH: OnceCell<String> = OnceCell::const_new();
        let hash = HASH.get_or_init(|| async { self.app.auth.passwords.hash(PASSWORD.to_owned()).await.unwrap() }).await;
        let user_id = Uuid::now_v7();
        sqlx::query("INSERT INTO credentials (user_id, email, password_hash, role) VALUES ($1, $2, $3, $4)")
            .bind(user_id)
            .bind(format!("{user_id}@example.com"))
            .bind(hash)
            .bind(role.name())
            .execute(&self.app.auth.pool)
            .await
            .unwrap();
        user_id
    }

    /// A new session of an account; its access token.
    pub async fn session(&self, user_id: Uuid, role: Role) -> String {
        let mut connection = self.app.auth.pool.acquire().await.unwrap();
        let (session_id, refresh) = sessions::insert(&mut connection, user_id, "a test").await.unwrap();
        sessions::finish(&self.app.auth, session_id, Standing { user_id, role }, refresh).await.unwrap().access_token
    }

    /// Places an order under a key, as a program of the shop's does.
    pub async fn order(&self, key: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, "/api/v1/orders").header("idempotency-key", key).bearer_auth(TOKEN).json(body)).await
    }

    /// A product that can be ordered, with stock.
    pub async fn product(&self, sku: &str, price_cents: i32, received: i64) {
        sqlx::query("INSERT INTO products (sku, name, base_price_cents) VALUES ($1, $1, $2)")
            .bind(sku)
            .bind(price_cents)
            .execute(&self.app.databases.catalog)
            .await
            .unwrap();
        sqlx::query("INSERT INTO received VALUES ($1, $2)").bind(sku).bind(received).execute(&self.app.databases.orders).await.unwrap();
    }

    /// Tells the server to stop, and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.task.take().unwrap().await.unwrap().unwrap();
    }
}

/// Runs what a service may not: in its database, as the owner.
pub async fn as_owner(database: &PgPool, statements: &str) {
    let mut owner = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut owner).await.unwrap();
}

/// JSON to compare with a snapshot.
pub fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap()
}

/// A response, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: bytes::Bytes,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body, of which status and type have to be these.
    #[track_caller]
    pub fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["type"], format!("/problems/{name}"), "{body}");
        assert_eq!(body["status"], status);
        body
    }

    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }
}
