//! `chimera up`.

mod changes;
pub(super) mod engine;
mod log;
mod notifications;
mod payments;
mod sample;
pub mod servers;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chimera_connectors::Context;
use chimera_pipelines::Offsite;
use chimera_pipelines::hosts::Hosts;
use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::changes::Changes;
use self::servers::Servers;
use super::instance::{self, Lock, Note};
use super::{Settings, ui};
use crate::api::auth::Auth;
use crate::api::catalog::PictureStore;
use crate::api::{self, App, Limits, OperatorToken, Origins, Parts, Proxies};
use crate::shop::databases::{self, Server};
use crate::{grpc, pg};

/// Run everything on this machine: databases, change capture, pipelines, stores, API and pages
#[derive(Debug, Args)]
#[command(after_help = "\
PostgreSQL, Redis and RabbitMQ are started privately in the data folder, unless DATABASE_URL, REDIS_URL and RABBITMQ_URL name others; what a
killed instance left running is taken over. The log is embedded, unless CHIMERA_KAFKA names the brokers of a Kafka. Ctrl-C stops everything in good order, and the next start goes on where it was.
Warnings and errors are logged; RUST_LOG=chimera=info says more, CHIMERA_LOG_FORMAT=json says it for programs.

Examples:
  chimera up
  chimera up --no-sample --data-dir /var/lib/chimera --listen 0.0.0.0:80
  DATABASE_URL=postgres://me@db/postgres REDIS_URL=redis://cache/ CHIMERA_KAFKA=broker-1:9092,broker-2:9092 chimera up
  CHIMERA_HOSTS_TOKEN=… chimera up --hosts 10.0.0.2:7070,10.0.0.3:7070
  chimera up --smtp-url smtps://me:secret@mail.example.com --mail-from 'The shop <shop@example.com>' --public-url https://shop.example.com
  chimera up --checkpoints s3://bucket/chimera --pictures s3://bucket/shop
  chimera up --print-config")]
pub struct Arguments {
    /// Leave an empty catalogue empty
    #[arg(long)]
    no_sample: bool,
    /// Start no RabbitMQ, and send no messages: what there is to tell is kept for a week
    #[arg(long)]
    no_notifications: bool,
    /// Let webhooks lead to addresses of this machine and its network, and by http
    #[arg(long)]
    private_webhooks: bool,
    /// Threads a pipeline's dataflow
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// How often a pipeline writes down its state: what is computed again after a crash is at most this much
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    checkpoint_every: u32,
    /// Print the settings in force as TOML, and do nothing
    #[arg(long)]
    print_config: bool,
}

/// Where live views are found unless something else is there.
const PG_ADDRESS: &str = "127.0.0.1:5433";
/// Likewise gRPC.
const GRPC_ADDRESS: &str = "127.0.0.1:5051";

pub async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<()> {
    if arguments.print_config {
        print!("{}", settings.printable()?);
        return Ok(());
    }
    let folder = &settings.data_dir;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the data folder {}", folder.display()))?;
    let _lock = Lock::take(folder)?;
    // Before anything is started: an address that is taken is the commonest mistake.
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", settings.listen))?;
    let signal = stop_signal()?;
    tokio::pin!(signal);

    let started = Instant::now();
    let servers = Servers::start(&settings, !arguments.no_notifications).await?;
    let stop = CancellationToken::new();
    let running = tokio::select! {
        running = Running::start(&settings, &arguments, &servers, listener, stop.clone()) => running,
        () = &mut signal => Err(anyhow::anyhow!("stopped before the start was complete")),
    };
    let outcome = match running {
        Ok(running) => {
            running.announce(&settings, started)?;
            let outcome = running.serve_until(signal).await;
            eprintln!("stopping: taking checkpoints …");
            running.stop().await;
            outcome
        }
        Err(error) => Err(error),
    };
    stop.cancel();
    let step = ui::Step::new("Servers");
    servers.stop().await?;
    Note::remove(folder);
    step.done("stopped; `chimera up` goes on where it was");
    outcome
}

/// Everything that runs in this process.
struct Running {
    changes: Changes,
    engine: chimera_pipelines::Handle,
    http: tokio::task::JoinHandle<std::io::Result<()>>,
    views: tokio::task::JoinHandle<()>,
    grpc: tokio::task::JoinHandle<Result<(), grpc::Error>>,
    grpc_address: std::net::SocketAddr,
    stop_http: CancellationToken,
    note: Note,
    token: String,
    server: Server,
    /// Where letters go.
    mail: String,
}

impl Running {
    async fn start(
        settings: &Settings,
        arguments: &Arguments,
        servers: &Servers,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let folder = &settings.data_dir;
        let token = instance::operator_token(folder)?;
        let address = listener.local_addr().context("the address that is listened on")?;
        let views_listener = listen(settings.listen_pg, PG_ADDRESS, "--listen-pg").await?;
        let grpc_tls = settings.grpc_tls()?;
        let grpc_listener = listen(settings.listen_grpc, GRPC_ADDRESS, "--listen-grpc").await?;
        let grpc_address = grpc_listener.local_addr().context("the address of gRPC")?;
        let note = Note {
            pid: std::process::id(),
            http_url: format!("http://{address}"),
            database_url: servers.database_url.clone(),
            order_shard_urls: settings.shard_urls(&servers.database_url),
            redis_url: servers.redis_url.clone(),
            views_url: format!(
                "postgres://{}@{}/{}",
                pg::Role::Operator.name(),
                views_listener.local_addr().context("the address of the views")?,
                pg::DATABASE
            ),
        };
        note.write(folder)?;

        let step = ui::Step::new("Databases");
        let server = settings.server(&servers.database_url)?;
        let created = server.create_missing().await?;
        let migrations = server.migrate().await?;
        step.done(format!("{} created, {migrations} migrations run", created.len()));
        let databases = server.databases();

        let step = ui::Step::new("Log");
        let log = log::open(settings).await?;
        step.done(
            settings
                .kafka
                .as_deref()
                .map_or_else(|| format!("embedded, in {}", folder.join("log").display()), |servers| format!("Kafka at {servers}")),
        );
        if !arguments.no_sample {
            sample::load(&databases, &log).await?;
        }

        let step = ui::Step::new("Changes");
        let changes = Changes::start(&server, &log, stop.child_token()).await?;
        let captured: Vec<&str> = databases::CAPTURED.iter().flat_map(|service| server.databases_of(service)).collect();
        step.done(format!("captured from the databases {}", captured.join(", ")));

        let step = ui::Step::new("Pipelines");
        let (hosts, offsite) = (hosts(settings)?, offsite(settings)?);
        let connectors = Context::new(folder.join("stores"), log.clone(), servers.redis_url.clone(), servers.database_url.clone())?;
        let image_tower = engine::image_tower().await;
        let engine = engine::start(engine::Parts {
            data_dir: folder.clone(),
            context: connectors.clone(),
            image_tower: image_tower.clone(),
            changes: changes.clone(),
            server: server.clone(),
            workers: usize::from(arguments.workers),
            checkpoint_every: Duration::from_secs(arguments.checkpoint_every.into()),
            hosts,
            offsite,
            memory_bytes: settings.memory.0 as usize,
        })
        .await?;
        let on = settings.hosts.is_empty().then(String::new).unwrap_or_else(|| format!(", computed by {}", settings.hosts.join(", ")));
        step.done(format!("{} pipelines keep {} stores{on}", engine.pipelines().len(), engine.stores().len()));

        let redis = redis::Client::open(servers.redis_url.as_str()).context("the Redis address")?;
        let views = connectors.views.clone();
        let redis = redis::aio::ConnectionManager::new(redis).await.context("cannot connect to Redis")?;
        let issuer = settings.public_url.clone().unwrap_or_else(|| note.http_url.clone());
        let seal = instance::seal_key(folder)?;
        let auth = Auth::open(databases.auth.clone(), redis.clone(), &seal, &issuer).await;
        let auth = auth.map_err(|problem| anyhow::anyhow!("cannot set up accounts: {problem}"))?;
        tokio::spawn(stop.clone().run_until_cancelled_owned(auth.keys.clone().keep_fresh()));
        tokio::spawn(stop.clone().run_until_cancelled_owned(api::live::publish::run(
            server.databases_of("orders").map(str::to_owned).collect(),
            log.clone(),
            redis.clone(),
        )));
        let (payment_provider, payment_secret) = payments::start(settings, &databases, &seal, &note.http_url, stop.child_token()).await?;
        let (notifications, mail) = notifications::start(settings, arguments, servers).await?;
        let replica = settings.replica_url.as_deref().map(|url| settings.server(url)).transpose()?.map(|server| server.databases());
        let app = App::new(Parts {
            stores: Arc::new(engine.clone()),
            engine: Some(engine.clone()),
            connectors,
            log,
            redis,
            databases,
            payment_provider,
            payment_secret,
            notifications,
            replica,
            picture_store: pictures(settings)?,
            image_tower,
            auth,
            operator_token: OperatorToken::new(&token),
            limits: Limits::default(),
            origins: Origins::new(&settings.cors_origins).map_err(anyhow::Error::msg)?,
            proxies: Proxies::new(&settings.trusted_proxies).map_err(anyhow::Error::msg)?,
            metrics: api::metrics::install().context("cannot set up metrics")?,
        });
        let stop_http = CancellationToken::new();
        let mut passwords = Vec::new();
        for role in pg::Role::ALL {
            passwords.push((role, instance::token(folder, role)?));
        }
        let front = pg::Front::new(views, engine.clone(), &passwords, pg::Limits::default()).context("cannot set up the views' tables")?;
        let views = tokio::spawn(front.serve(views_listener, stop_http.clone()));
        let grpc = tokio::spawn(grpc::serve(app.clone(), grpc_listener, grpc_tls, stop_http.clone().cancelled_owned()));
        let http = tokio::spawn(api::serve(app, listener, stop_http.clone().cancelled_owned()));
        Ok(Self { changes, engine, http, views, grpc, grpc_address, stop_http, note, token, server, mail })
    }

    /// Says where everything is: for people on stderr, for programs one line of JSON on stdout.
    fn announce(&self, settings: &Settings, started: Instant) -> anyhow::Result<()> {
        let base = &self.note.http_url;
        let dashboard = format!("{base}/dashboard#token={}", self.token);
        let addresses = [
            ("Storefront", format!("{base}/")),
            ("Dashboard", dashboard.clone()),
            ("API", format!("{base}/docs")),
            ("gRPC", self.grpc_address.to_string()),
            ("PostgreSQL", format!("psql {}", self.server.printable_url("orders"))),
            ("Live views", format!("chimera sql, or psql {} (password: in operator.token)", self.note.views_url)),
            ("", "other users, in the place of `operator`: analyst (analyst.token), reader (reader.token)".to_owned()),
            ("Mail", self.mail.clone()),
            ("Data", settings.data_dir.display().to_string()),
        ];
        eprintln!("\nChimera runs, after {}. Ctrl-C stops it.", ui::seconds(started.elapsed()));
        for (what, address) in addresses {
            eprintln!("  {what:<11} {address}");
        }
        let line = json!({ "storefront": format!("{base}/"), "dashboard": dashboard, "openapi": format!("{base}/openapi.json"),
            "grpc": self.grpc_address, "postgresql": self.server.printable_url("orders"), "views": self.note.views_url, "data_dir": settings.data_dir });
        println!("{line}");
        Ok(())
    }

    /// Returns when the signal comes, or when the HTTP server ends by itself.
    async fn serve_until(&self, signal: impl Future<Output = ()>) -> anyhow::Result<()> {
        tokio::pin!(signal);
        let ended = async {
            while !self.http.is_finished() {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        };
        tokio::select! {
            () = signal => Ok(()),
            () = ended => Err(anyhow::anyhow!("the HTTP server ended; see the log above")),
        }
    }

    /// First no new requests, then no new changes, then the engine, which takes its checkpoints.
    async fn stop(self) {
        self.stop_http.cancel();
        match self.http.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the HTTP server failed"),
            Err(error) => tracing::error!(%error, "the HTTP server broke off"),
        }
        match self.grpc.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the gRPC server failed"),
            Err(error) => tracing::error!(%error, "the gRPC server broke off"),
        }
        if let Err(error) = self.views.await {
            tracing::error!(%error, "the PostgreSQL front broke off");
        }
        self.changes.stop().await;
        let step = ui::Step::new("Pipelines");
        self.engine.stop().await;
        step.done("stopped at a checkpoint");
    }
}

/// Who computes the pipelines; `None`: this process.
fn hosts(settings: &Settings) -> anyhow::Result<Option<Hosts>> {
    if settings.hosts.is_empty() {
        return Ok(None);
    }
    let (_, credentials) = super::host::credentials(settings)?;
    Ok(Some(Hosts { addresses: settings.hosts.clone(), credentials }))
}

fn offsite(settings: &Settings) -> anyhow::Result<Option<Offsite>> {
    if settings.checkpoints.is_some() && !settings.hosts.is_empty() {
        anyhow::bail!("hosts keep checkpoints on their own disks; leave out --checkpoints, or --hosts");
    }
    Ok(settings.checkpoints.as_deref().map(Offsite::open).transpose()?)
}

/// Where the large pictures are.
fn pictures(settings: &Settings) -> anyhow::Result<PictureStore> {
    let folder = settings.data_dir.join("objects");
    let url = match &settings.pictures {
        Some(url) => url.clone(),
        // Cannot fail: the data folder's path is absolute.
        None => reqwest::Url::from_directory_path(&folder).map_err(|()| anyhow::anyhow!("{} is no folder", folder.display()))?.into(),
    };
    Ok(PictureStore::open(&url)?)
}

/// `default` is given up for a free port when something else has it; an address that was asked for is not.
async fn listen(given: Option<std::net::SocketAddr>, default: &str, option: &str) -> anyhow::Result<TcpListener> {
    if let Some(address) = given {
        return TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; choose another address with {option}"));
    }
    match TcpListener::bind(default).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind("127.0.0.1:0").await.with_context(|| format!("cannot listen on {default}, nor on a free port")),
    }
}

/// Completes at the first Ctrl-C or SIGTERM. Listens from the moment it is called.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// An error of starting a private server, with what to do about it.
fn server_error(error: chimera_local::Error) -> anyhow::Error {
    let missing = error.is_missing();
    let error = anyhow::Error::from(error);
    if missing { error.context("something that Chimera needs is not installed; `chimera doctor` lists it all") } else { error }
}
