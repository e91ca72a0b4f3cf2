//! The stores under test, each with a way to read it that does not go through its sink.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chimera_connectors::log::{Append, EmbeddedLog, Entry, Log, Position, Topic, TopicConfig};
use chimera_connectors::sink::{self, Sink, SinkSpec};
use chimera_connectors::{Context, Error, Result};
use chimera_local::{TestPostgres, TestRedis};
use serde_json::Value;

use super::model::{Row, Table, schema};

/// Most sinks have no use for a log: any call says so.
pub struct NoLog;

fn no_log<T>() -> Result<T> {
    Err(Error::config("log", "these tests have no log"))
}

#[async_trait]
impl Log for NoLog {
    async fn create_topic(&self, _: &str, _: TopicConfig) -> Result<()> {
        no_log()
    }
    async fn topics(&self) -> Result<Vec<Topic>> {
        no_log()
    }
    async fn append(&self, _: Vec<Append>) -> Result<Vec<Position>> {
        no_log()
    }
    async fn read(&self, _: &str, _: u32, _: u64, _: usize, _: Duration) -> Result<Vec<Entry>> {
        no_log()
    }
    async fn end_offset(&self, _: &str, _: u32) -> Result<u64> {
        no_log()
    }
    async fn start_offset(&self, _: &str, _: u32) -> Result<u64> {
        no_log()
    }
    async fn commit(&self, _: &str, _: &str, _: u32, _: u64) -> Result<()> {
        no_log()
    }
    async fn committed(&self, _: &str, _: &str, _: u32) -> Result<Option<u64>> {
        no_log()
    }
    async fn enforce_retention(&self) -> Result<u64> {
        no_log()
    }
}

pub fn context(folder: &Path, redis_url: &str, database_url: &str) -> Arc<Context> {
    context_with(Arc::new(NoLog), folder, redis_url, database_url)
}

fn context_with(log: Arc<dyn Log>, folder: &Path, redis_url: &str, database_url: &str) -> Arc<Context> {
    Context::new(folder, log, redis_url, database_url).expect("a context")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    RedisJson,
    RedisSortedSet,
    Tantivy,
    Vector,
    Postgres,
    View,
    TopicOfChanges,
    TopicOfRows,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::RedisJson,
        Kind::RedisSortedSet,
        Kind::Tantivy,
        Kind::Vector,
        Kind::Postgres,
        Kind::View,
        Kind::TopicOfChanges,
        Kind::TopicOfRows,
    ];

    pub fn connector(self) -> &'static str {
        match self {
            Kind::RedisJson | Kind::RedisSortedSet => "redis",
            Kind::Tantivy => "tantivy",
            Kind::Vector => "vector",
            Kind::Postgres => "postgres",
            Kind::View => "view",
            Kind::TopicOfChanges | Kind::TopicOfRows => "kafka",
        }
    }

    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| format!("{kind:?}") == name).expect("the name of a kind")
    }

    pub fn spec(self) -> SinkSpec {
        let options: &[(&str, &str)] = match self {
            Kind::RedisJson => &[("target", "json"), ("target.key_prefix", "part[*]:")],
            Kind::RedisSortedSet => &[
                ("target", "sorted_set"),
                ("target.key_prefix", "parts:"),
                ("target.key_column", "id"),
                ("target.member_column", "part"),
                ("target.score_column", "quantity"),
            ],
            Kind::Tantivy => {
                &[("index", "parts"), ("fields.text", "name^2,id"), ("fields.facet", "id"), ("fields.fast", "quantity,ratio,amount")]
            }
            Kind::Vector => &[("index", "parts"), ("embedding", "embedding")],
            Kind::Postgres => &[("database", "reporting"), ("table", "Parts")],
            Kind::View => &[],
            Kind::TopicOfChanges => &[("topic", "parts"), ("format", "debezium_json"), ("partitions", "3")],
            Kind::TopicOfRows => &[("topic", "parts"), ("format", "json")],
        };
        SinkSpec {
            pipeline: "shop".into(),
            table: format!("{self:?}"),
            schema: schema(),
            primary_key: vec!["id".into(), "part".into()],
            options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        }
    }
}

/// A store that can be closed and opened again.
pub struct Store {
    pub kind: Kind,
    pub folder: PathBuf,
    pub redis: Option<TestRedis>,
    pub postgres: Option<TestPostgres>,
    context: Option<Arc<Context>>,
    _temporary: Option<tempfile::TempDir>,
}

impl Store {
    /// Starts the server that the store lives in; `None`, with the reason on stderr, if there is none here.
    pub fn start(kind: Kind) -> Option<Self> {
        let temporary = tempfile::tempdir().expect("a folder");
        let skipped = |error: chimera_local::Error| {
            assert!(error.is_missing(), "{error}");
            eprintln!("skipped: {error}");
        };
        let redis = matches!(kind, Kind::RedisJson | Kind::RedisSortedSet).then(TestRedis::start).transpose().map_err(skipped).ok()?;
        let postgres = (kind == Kind::Postgres).then(TestPostgres::start).transpose().map_err(skipped).ok()?;
        let folder = temporary.path().to_owned();
        Some(Self { kind, folder, redis, postgres, context: None, _temporary: Some(temporary) })
    }

    /// A store in files that someone else keeps.
    pub fn in_folder(kind: Kind, folder: &Path) -> Self {
        Self { kind, folder: folder.to_owned(), redis: None, postgres: None, context: None, _temporary: None }
    }

    pub async fn open(&mut self) -> Box<dyn Sink> {
        let redis_url = self.redis.as_ref().map_or("redis://127.0.0.1:1/".to_owned(), |redis| redis.url());
        let database_url = self.postgres.as_ref().map_or("postgres://127.0.0.1:1/".to_owned(), |postgres| postgres.url("postgres"));
        let context = match self.kind {
            Kind::TopicOfChanges | Kind::TopicOfRows => {
                let log = EmbeddedLog::open(self.folder.join("log")).expect("a log");
                context_with(log, &self.folder, &redis_url, &database_url)
            }
            _ => context(&self.folder, &redis_url, &database_url),
        };
        self.context = Some(context.clone());
        sink::open(self.kind.connector(), self.kind.spec(), context).await.expect("a sink")
    }

    /// Everything closes, as when the process ends. Nothing is flushed.
    pub fn close(&mut self, sink: Box<dyn Sink>) {
        drop(sink);
        let context = self.context.take().expect("an open store");
        let views = Arc::downgrade(&context.views);
        drop(context);
        assert_eq!(views.strong_count(), 0, "something keeps the store open");
    }

    pub fn context(&self) -> &Context {
        self.context.as_deref().expect("an open store")
    }

    /// What the store keeps of a row.
    pub fn expected(&self, table: &Table) -> BTreeMap<String, Value> {
        table.values().map(|row| (format!("{}:{}", row.id, row.part), self.form(row))).collect()
    }

    fn form(&self, row: &Row) -> Value {
        match self.kind {
            Kind::RedisSortedSet => Value::from(row.quantity as f64),
            _ => Value::String(format!("{row:?}")),
        }
    }

    pub async fn content(&self) -> BTreeMap<String, Value> {
        match self.kind {
            Kind::RedisSortedSet => self.sorted_sets(),
            Kind::TopicOfChanges | Kind::TopicOfRows => self.topic().await,
            _ => {
                let rows = self.rows();
                let content: BTreeMap<String, Value> =
                    rows.iter().map(|row| (format!("{}:{}", row.id, row.part), self.form(row))).collect();
                assert_eq!(content.len(), rows.len(), "a key is there twice");
                content
            }
        }
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        match self.kind {
            Kind::RedisJson | Kind::RedisSortedSet => {
                let redis = self.redis.as_ref().expect("a server");
                let keys = redis.ask(&["KEYS", "part\\[\\*\\]:*"]).expect("keys");
                for keys in keys.chunks(500) {
                    let mut command = vec!["MGET"];
                    command.extend(keys.iter().map(String::as_str));
                    for (key, row) in keys.iter().zip(redis.ask(&command).expect("values")) {
                        let row = Row::from_json(&serde_json::from_str(&row).expect("JSON"), None);
                        assert_eq!(*key, format!("part[*]:{}:{}", row.id, row.part));
                        rows.push(row);
                    }
                }
            }
            Kind::Tantivy => {
                let index = self.context().search.get("parts").expect("an open index");
                index.for_each(|row| rows.push(Row::from_json(&row, None))).expect("documents");
            }
            Kind::Vector => {
                let index = self.context().vectors.get("parts").expect("an open index");
                index.for_each(|row, vector| rows.push(Row::from_json(&row, Some(vector)))).expect("rows");
            }
            Kind::View => {
                let (_, found) = self.context().views.scan("shop.View", usize::MAX, false).expect("a scan").expect("a view");
                rows.extend(found.iter().map(|row| Row::from_json(row, None)));
                assert!(rows.windows(2).all(|pair| pair[0].key() < pair[1].key()), "a scan runs in key order");
            }
            Kind::Postgres => {
                let sql = "SELECT coalesce(json_agg(json_build_object('id', id, 'part', part, 'name', name, 'amount', amount::text, \
                           'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'quantity', quantity, \
                           'ratio', ratio, 'tags', tags, 'embedding', embedding)), '[]'::json)::text FROM \"Parts\"";
                let answer = self.postgres.as_ref().expect("a server").query("reporting", sql).expect("rows");
                let found: Vec<Value> = serde_json::from_str(answer.trim()).expect("JSON");
                rows.extend(found.iter().map(|row| Row::from_json(row, None)));
            }
            Kind::TopicOfChanges | Kind::TopicOfRows => panic!("a topic is read by `topic`"),
        }
        rows
    }

    /// What a reader of the topic comes to, from its beginning. Every change has to begin where the one before it ended.
    async fn topic(&self) -> BTreeMap<String, Value> {
        let (log, mut rows) = (&self.context().log, BTreeMap::<String, Value>::new());
        let partitions =
            log.topics().await.expect("topics").into_iter().find(|topic| topic.name == "parts").map_or(0, |topic| topic.partitions);
        for partition in 0..partitions {
            let entries = log.read("parts", partition, 0, usize::MAX, Duration::ZERO).await.expect("records");
            let mut next = entries.last().map(|entry| entry.offset + 1);
            let mut all = entries;
            while let Some(from) = next {
                let more = log.read("parts", partition, from, usize::MAX, Duration::ZERO).await.expect("records");
                next = more.last().map(|entry| entry.offset + 1);
                all.extend(more);
            }
            for entry in all {
                let key: Value = serde_json::from_slice(&entry.record.key.expect("every record has a key")).expect("JSON");
                assert_eq!(key.as_object().map(|key| key.len()), Some(2), "{key}");
                let key = format!("{}:{}", key["id"].as_str().expect("a text"), key["part"]);
                let Some(value) = entry.record.value else {
                    if self.kind == Kind::TopicOfRows {
                        rows.remove(&key);
                    }
                    assert!(!rows.contains_key(&key), "a tombstone of a row that is there");
                    continue;
                };
                let value: Value = serde_json::from_slice(&value).expect("JSON");
                if self.kind == Kind::TopicOfRows {
                    rows.insert(key, value);
                    continue;
                }
                assert_eq!(rows.remove(&key).unwrap_or(Value::Null), value["before"], "{key}: {}", value["op"]);
                if !value["after"].is_null() {
                    rows.insert(key, value["after"].clone());
                }
            }
        }
        rows.into_iter().map(|(key, row)| (key, self.form(&Row::from_json(&row, None)))).collect()
    }

    fn sorted_sets(&self) -> BTreeMap<String, Value> {
        let redis = self.redis.as_ref().expect("a server");
        let mut content = BTreeMap::new();
        for key in redis.ask(&["KEYS", "parts:*"]).expect("keys") {
            let members = redis.ask(&["ZRANGE", &key, "0", "-1", "WITHSCORES"]).expect("members");
            let id = key.strip_prefix("parts:").expect("the prefix");
            for pair in members.chunks(2) {
                content.insert(format!("{id}:{}", pair[0]), Value::from(pair[1].parse::<f64>().expect("a score")));
            }
        }
        content
    }
}
