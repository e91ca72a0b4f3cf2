//! A server for all tests, a database each, and an independent reader of what the log says.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chimera_connectors::log::Log;
use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_connectors::postgres_cdc::{Handle, Options, Reader};
use chimera_local::TestPostgres;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;

/// How long anything may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The server that the tests share; `None` where it cannot run.
pub(super) fn server() -> Option<&'static TestPostgres> {
    static SERVER: OnceLock<Option<TestPostgres>> = OnceLock::new();
    SERVER.get_or_init(|| TestPostgres::start().map_err(|error| eprintln!("skipped: no PostgreSQL: {error}")).ok()).as_ref()
}

/// A database of its own for a test, made with `schema`, and a log.
pub(super) struct Bench {
    pub url: String,
    pub pool: PgPool,
    pub service: String,
    pub log: Arc<dyn Log>,
    dir: tempfile::TempDir,
}

impl Bench {
    pub(super) async fn new(server: &TestPostgres, schema: &str) -> Self {
        Self::with_log(server, schema, true).await.0
    }

    /// Without a log of its own where another process opens it.
    pub(super) async fn with_log(server: &TestPostgres, schema: &str, open: bool) -> (Self, std::path::PathBuf) {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let service = format!("shop{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        server.create_database(&service).expect("a database");
        let url = server.url(&service);
        let pool = PgPoolOptions::new().max_connections(8).connect(&url).await.expect("a connection");
        sqlx::raw_sql(AssertSqlSafe(schema)).execute(&pool).await.expect("a schema");
        let dir = tempfile::tempdir().expect("a folder");
        let log_dir = dir.path().join("log");
        let log_path = if open { log_dir.clone() } else { dir.path().join("unused") };
        let log = EmbeddedLog::open(&log_path).expect("a log");
        (Self { url, pool, service, log, dir }, log_dir)
    }

    /// A folder for a log that nobody else opens.
    pub(super) fn unused_log_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("another")
    }

    pub(super) fn options(&self, tables: &[&str]) -> Options {
        Options::new(&self.url, &self.service, tables)
    }

    pub(super) fn start(&self, tables: &[&str]) -> Running {
        self.start_with(self.options(tables))
    }

    pub(super) fn start_with(&self, options: Options) -> Running {
        let shutdown = CancellationToken::new();
        let handle = Reader::start(options, self.log.clone(), shutdown.clone());
        Running { handle, shutdown: shutdown.clone(), _guard: shutdown.drop_guard() }
    }

    pub(super) async fn execute(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(super) async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// What a writer would hand out as its position just now.
    pub(super) async fn position(&self) -> u64 {
        self.number("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").await as u64
    }

    /// Waits until the log is past everything that is committed now.
    pub(super) async fn caught_up(&self, handle: &Handle) {
        let wanted = self.position().await;
        let start = Instant::now();
        while handle.status().lsn < wanted {
            assert!(start.elapsed() < PATIENCE, "wanted {wanted}, came to {:?}", handle.status());
            handle.nudge();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Every row of a table, by its key's JSON, as PostgreSQL itself writes it.
    pub(super) async fn table(&self, table: &str, key: &str) -> BTreeMap<String, Value> {
        let sql = format!("SELECT {key}::text, row_to_json(t)::text FROM {table} t");
        let rows: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.pool).await.expect("rows");
        rows.into_iter().map(|(key, row)| (key, serde_json::from_str(&row).expect("JSON"))).collect()
    }
}

/// A reader that stops with the test.
pub(super) struct Running {
    pub handle: Handle,
    pub shutdown: CancellationToken,
    _guard: tokio_util::sync::DropGuard,
}

impl Running {
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.handle.stopped()).await.expect("the reader stops");
    }
}

/// A transaction as the log has it: its `END`, and its envelopes by topic.
pub(super) struct Logged {
    pub id: String,
    pub lsn: u64,
    pub changes: Vec<Value>,
}

pub(super) async fn records(log: &dyn Log, topic: &str) -> Vec<(Option<Value>, Option<Value>)> {
    let mut records = Vec::new();
    let mut next = 0;
    loop {
        let entries = log.read(topic, 0, next, 10_000, Duration::ZERO).await.expect("read");
        let Some(last) = entries.last() else { return records };
        next = last.offset + 1;
        let json = |bytes: Option<bytes::Bytes>| bytes.map(|bytes| serde_json::from_slice(&bytes).expect("JSON"));
        records.extend(entries.into_iter().map(|entry| (json(entry.record.key), json(entry.record.value))));
    }
}

/// Reads the log as its contract says: for each `END`, the next records of each of its topics that belong to it. Checks all counts and orders
/// on the way, with nothing of the crate's own decoding.
pub(super) async fn transactions(log: &dyn Log, service: &str) -> Vec<Logged> {
    let mut topics: HashMap<String, std::collections::VecDeque<Value>> = HashMap::new();
    let mut logged: Vec<Logged> = Vec::new();
    let mut begun: HashMap<String, usize> = HashMap::new();
    for (_, mark) in records(log, &format!("{service}.transaction")).await {
        let mark = mark.expect("a mark has a value");
        let id = mark["id"].as_str().expect("an id").to_owned();
        if mark["status"] == "BEGIN" {
            *begun.entry(id).or_default() += 1;
            continue;
        }
        assert_eq!((mark["status"].as_str(), begun.get(&id)), (Some("END"), Some(&1)), "{id}");
        let mut changes = Vec::new();
        for collection in mark["data_collections"].as_array().expect("collections") {
            let name = collection["data_collection"].as_str().expect("a name");
            let topic = format!("{service}.{name}");
            if !topics.contains_key(&topic) {
                let values = records(log, &topic).await.into_iter().filter_map(|(_, value)| value).collect();
                topics.insert(topic.clone(), values);
            }
            let queue = topics.get_mut(&topic).expect("just filled");
            let count = collection["event_count"].as_u64().expect("a count");
            for order in 1..=count {
                let change = loop {
                    let change =
                        queue.pop_front().unwrap_or_else(|| panic!("{id} ended, but {topic} ends before change {order} of {count}"));
                    if change["transaction"]["id"] == id.as_str() {
                        break change;
                    }
                };
                assert_eq!(change["transaction"]["data_collection_order"], order, "{id} {topic}");
                changes.push(change);
            }
        }
        changes.sort_by_key(|change| change["transaction"]["total_order"].as_u64());
        let orders: Vec<u64> = changes.iter().filter_map(|change| change["transaction"]["total_order"].as_u64()).collect();
        assert_eq!(orders, (1..=mark["event_count"].as_u64().expect("a count")).collect::<Vec<_>>(), "{id}");
        let lsn = mark["lsn"].as_u64().expect("a position");
        assert!(logged.last().is_none_or(|last| last.lsn < lsn), "{id} at {lsn} is out of order, or came twice");
        logged.push(Logged { id, lsn, changes });
    }
    logged
}

/// Applies every change to tables in memory, by `schema.table` and key column. A change whose old row is not exactly what is there has no
/// place to go: something was lost or came twice.
pub(super) fn replay(logged: &[Logged], key: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut tables: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let text = |row: &Value| row[key].as_str().map_or_else(|| row[key].to_string(), str::to_owned);
    for transaction in logged {
        for change in &transaction.changes {
            let source = &change["source"];
            let name = format!("{}.{}", source["schema"].as_str().expect("a schema"), source["table"].as_str().expect("a table"));
            let table = tables.entry(name).or_default();
            let (before, after) = (&change["before"], &change["after"]);
            let there = match change["op"].as_str().expect("an op") {
                "r" | "c" => table.insert(text(after), after.clone()).is_none(),
                "u" => table.insert(text(after), after.clone()).as_ref() == Some(before),
                "d" => table.remove(&text(before)).as_ref() == Some(before),
                op => panic!("op {op}"),
            };
            assert!(there, "does not go with what was before, in {}: {change}", transaction.id);
        }
    }
    tables
}
