//! Plays invoices as transactions, in the order of time, each once however often it is started.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::PgConnection;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::{Error, Totals};
use crate::shop::databases::Server;
use crate::shop::orders::{Order, Written, write_with_retries};
use crate::shop::shards::Shards;

/// How to replay.
#[derive(Clone, Debug)]
pub struct Options {
    /// Times real time; `None`: as fast as PostgreSQL takes it.
    pub speed: Option<f64>,
    /// Transactions under way at once.
    pub connections: usize,
}

/// Counts as they grow, for a progress bar.
#[derive(Debug, Default)]
pub struct Progress {
    pub orders: AtomicU64,
    pub lines: AtomicU64,
}

/// What a replay did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Invoices that were there before.
    pub skipped_orders: u64,
    pub orders: u64,
    pub lines: u64,
    pub seconds: f64,
    pub lines_per_s: f64,
    /// Whether PostgreSQL now holds exactly what the file holds.
    pub complete: bool,
    pub file: Totals,
    pub stored: Totals,
}

/// How long a replay goes on trying to reach a server that went away.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays `invoices` into the databases of orders. Those that are there already, from an earlier run or one that was killed, are skipped.
pub async fn replay(server: &Server, invoices: Vec<Order>, options: &Options, progress: Arc<Progress>) -> Result<Report, Error> {
    let shards = server.databases().shards;
    let refused = |what: &'static str| move |source| Error::Query { what: what.to_owned(), source };
    let mut there: HashSet<String> = HashSet::new();
    for shard in shards.all() {
        let numbers = sqlx::query_scalar("SELECT number FROM orders").fetch_all(&shard.pool).await;
        there.extend(numbers.map_err(refused("the list of orders"))?);
    }
    let file = Totals::of(&invoices);
    let invoices = Arc::new(invoices);
    let waiting: Vec<usize> = (0..invoices.len()).filter(|at| !there.contains(&invoices[*at].number)).collect();
    let skipped_orders = (invoices.len() - waiting.len()) as u64;
    progress.orders.fetch_add(skipped_orders, Ordering::Relaxed);

    let started = Instant::now();
    let (due, taken) = mpsc::channel::<usize>(64);
    let taken = Arc::new(Mutex::new(taken));
    let mut workers = JoinSet::new();
    for _ in 0..options.connections.clamp(1, 64) {
        workers.spawn(work(server.clone(), shards.clone(), invoices.clone(), taken.clone(), progress.clone()));
    }
    drop(taken);
    pace(&invoices, waiting, options.speed, due).await;
    let mut written = Written::default();
    while let Some(done) = workers.join_next().await {
        let done = done.expect("a worker neither panics nor is aborted")?;
        written = Written { orders: written.orders + done.orders, lines: written.lines + done.lines };
    }
    let seconds = started.elapsed().as_secs_f64();
    let stored = Totals::stored(&shards, &invoices).await.map_err(refused("the totals"))?;
    Ok(Report {
        skipped_orders,
        orders: written.orders,
        lines: written.lines,
        seconds,
        lines_per_s: written.lines as f64 / seconds.max(1e-9),
        complete: stored == file,
        file,
        stored,
    })
}

/// Hands out each invoice when its time has come; stops when nobody takes them any more.
async fn pace(invoices: &[Order], waiting: Vec<usize>, speed: Option<f64>, due: mpsc::Sender<usize>) {
    let Some(first) = waiting.first().map(|at| invoices[*at].placed_at) else { return };
    let started = tokio::time::Instant::now();
    for at in waiting {
        if let Some(speed) = speed {
            let shop_ms = (invoices[at].placed_at - first).num_milliseconds().max(0);
            tokio::time::sleep_until(started + Duration::from_secs_f64(shop_ms as f64 / 1_000.0 / speed)).await;
        }
        if due.send(at).await.is_err() {
            return;
        }
    }
}

async fn work(
    server: Server,
    shards: Shards,
    invoices: Arc<Vec<Order>>,
    taken: Arc<Mutex<mpsc::Receiver<usize>>>,
    progress: Arc<Progress>,
) -> Result<Written, Error> {
    let mut connections: HashMap<&str, PgConnection> = HashMap::new();
    for shard in shards.all() {
        connections.insert(&shard.source, server.connect(&shard.source).await?);
    }
    let mut total = Written::default();
    loop {
        let next = taken.lock().await.recv().await;
        let Some(at) = next else { return Ok(total) };
        let order = std::slice::from_ref(&invoices[at]);
        let shard = shards.of(invoices[at].id());
        let connection = connections.get_mut(shard.source.as_str()).expect("one is opened to each");
        let mut away_since: Option<Instant> = None;
        let written = loop {
            match write_with_retries(shard, connection, order).await {
                Ok(written) => break written,
                Err(source) if is_away(&source) => {
                    // Whether the commit got through is not known; the order's id makes trying again harmless.
                    let since = *away_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > PATIENCE {
                        return Err(Error::Away { seconds: PATIENCE.as_secs(), source });
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    if let Ok(fresh) = server.connect(&shard.source).await {
                        *connection = fresh;
                    }
                }
                Err(source) => return Err(Error::Query { what: format!("invoice {}", invoices[at].number), source }),
            }
        };
        total = Written { orders: total.orders + written.orders, lines: total.lines + written.lines };
        progress.orders.fetch_add(1, Ordering::Relaxed);
        progress.lines.fetch_add(written.lines, Ordering::Relaxed);
    }
}

/// Whether the server, not the statement, is the trouble: a cut connection, or a server that is starting or stopping.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
        _ => false,
    }
}
