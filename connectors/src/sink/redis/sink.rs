//! Writes documents and sorted sets.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use redis::aio::ConnectionManager;
use redis::{AsyncCommands, Cmd, ErrorKind, Pipeline, ServerErrorKind, cmd};

use super::config::{RedisConfig, Target};
use super::{CONNECTOR, connect, failed};
use crate::format::json::{JsonRows, Values};
use crate::sink::mark::{not_gone_back, pending};
use crate::sink::merge::Merger;
use crate::sink::{Applied, Sink, SinkSpec};
use crate::{Context, EpochChanges, Error, Result};

/// Rows that go into one command: a transaction of few large commands is several times faster than one of many small ones.
const ROWS_A_COMMAND: usize = 512;
const SCAN_COUNT: usize = 2_000;

struct RedisSink {
    config: RedisConfig,
    merger: Merger,
    mark_key: String,
    connection: ConnectionManager,
    /// What the store held when it was last looked at.
    known: Option<Applied>,
    /// Whether this server can be asked to wait until its append-only file is on disk; `None`: not asked yet.
    waits_for_disk: Option<bool>,
}

/// The key under which the mark of store `pipeline.table` stands.
pub(super) fn mark_key(store: &str) -> String {
    format!("chimera:applied:{store}")
}

/// Opens the sink; connects when it is first used.
pub fn open(spec: &SinkSpec, context: &Context) -> Result<Box<dyn Sink>> {
    claim(&RedisConfig::new(spec)?.prefix, &format!("{}.{}", spec.pipeline, spec.table), context)?;
    open_at(spec, &context.redis_url)
}

/// The same with a server of its own, where nobody else has claimed keys.
pub(crate) fn open_at(spec: &SinkSpec, redis_url: &str) -> Result<Box<dyn Sink>> {
    let config = RedisConfig::new(spec)?;
    let store = format!("{}.{}", spec.pipeline, spec.table);
    let key = match &config.target {
        Target::Json { key } => key.clone(),
        // By key and member, whatever the table's primary key is: that is what the sorted set goes by.
        Target::SortedSet { key, member, .. } => vec![*key, *member],
    };
    let merger = Merger::new(CONNECTOR, spec.schema.clone(), key)?;
    let connection = connect(redis_url, Duration::from_secs(60))?;
    Ok(Box::new(RedisSink { config, merger, mark_key: mark_key(&store), connection, known: None, waits_for_disk: None }))
}

/// A reset deletes by prefix: no sink may own keys below another's prefix.
fn claim(prefix: &str, store: &str, context: &Context) -> Result<()> {
    for other in context.redis_prefixes.names() {
        let owner = context.redis_prefixes.get(&other);
        let overlaps = other.starts_with(prefix) || prefix.starts_with(&other);
        if let Some(owner) = owner.filter(|owner| overlaps && owner.as_str() != store) {
            let message =
                format!("table {store}: 'target.key_prefix' = '{prefix}' overlaps with '{other}' of table {owner}; choose another");
            return Err(Error::config(CONNECTOR, message));
        }
    }
    context.redis_prefixes.insert(prefix, Arc::new(store.to_owned()));
    Ok(())
}

impl RedisSink {
    async fn mark(&mut self) -> Result<Option<Applied>> {
        let mark: Option<String> = self.connection.get(&self.mark_key).await.map_err(failed)?;
        mark.map(|mark| Applied::decode(CONNECTOR, &mark)).transpose()
    }

    /// Calls `visit` with the store's keys, some thousand at a time.
    async fn scan(&mut self, mut visit: impl FnMut(Vec<Vec<u8>>) -> Option<Pipeline>) -> Result<Vec<u64>> {
        let pattern = format!("{}*", escape(&self.config.prefix));
        let (mut cursor, mut answers) = (0u64, Vec::new());
        loop {
            let scan = cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN_COUNT).take();
            let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut self.connection).await.map_err(failed)?;
            if let Some(pipeline) = (!keys.is_empty()).then(|| visit(keys)).flatten() {
                let numbers: Vec<u64> = pipeline.query_async(&mut self.connection).await.map_err(failed)?;
                answers.extend(numbers);
            }
            cursor = next;
            if cursor == 0 {
                return Ok(answers);
            }
        }
    }
}

/// The prefix with the characters that `MATCH` treats as a pattern taken literally.
pub(super) fn escape(prefix: &str) -> String {
    let mut escaped = String::with_capacity(prefix.len());
    for character in prefix.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | '^') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[async_trait]
impl Sink for RedisSink {
    async fn applied(&mut self) -> Result<Option<Applied>> {
        self.known = self.mark().await?;
        Ok(self.known)
    }

    async fn reset(&mut self) -> Result<()> {
        self.known = None;
        // The mark first: cut short, the store says that it is new.
        let _: u64 = self.connection.del(&self.mark_key).await.map_err(failed)?;
        self.scan(|keys| {
            let mut pipeline = Pipeline::new();
            pipeline.cmd("UNLINK").arg(keys);
            Some(pipeline)
        })
        .await?;
        Ok(())
    }

    async fn apply(&mut self, epochs: &[EpochChanges]) -> Result<()> {
        // The write below is refused if the mark changes until then: a server that is emptied meanwhile takes the mark along.
        let mut watch = Pipeline::new();
        watch.cmd("WATCH").arg(&self.mark_key).ignore().get(&self.mark_key);
        let (mark,): (Option<String>,) = watch.query_async(&mut self.connection).await.map_err(failed)?;
        let applied = mark.map(|mark| Applied::decode(CONNECTOR, &mark)).transpose()?;
        not_gone_back(CONNECTOR, self.known, applied)?;
        let epochs = pending(CONNECTOR, applied, epochs)?;
        let Some(mark) = Applied::after(epochs) else { return Ok(()) };
        let merged = self.merger.merge(epochs)?;
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        match &self.config.target {
            Target::Json { key } => json_commands(&mut pipeline, &self.config.prefix, key, &merged.upserts, &merged.deletes)?,
            Target::SortedSet { key, member, score } => {
                let (upserts, deletes) = (&merged.upserts, &merged.deletes);
                sorted_set_commands(&mut pipeline, &self.config.prefix, (*key, *member, *score), upserts, deletes)?;
            }
        }
        pipeline.add_command(cmd("SET").arg(&self.mark_key).arg(mark.encode()).take()).ignore();
        let done: Option<()> = pipeline.query_async(&mut self.connection).await.map_err(failed)?;
        done.ok_or_else(|| Error::unavailable(CONNECTOR, "its mark changed while an epoch was being written"))?;
        self.known = Some(mark);
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        if self.waits_for_disk == Some(false) {
            return Ok(());
        }
        // Redis 7.2 and later: until the append-only file is on the server's disk. Before, and without such a file, `applied` is
        // read from Redis itself after a crash, and tells how much it kept.
        let wait: Result<(u64, u64), _> = cmd("WAITAOF").arg(1).arg(0).arg(5_000).query_async(&mut self.connection).await;
        match wait {
            Ok((0, _)) => return Err(Error::unavailable(CONNECTOR, "its append-only file did not reach the disk within 5 s")),
            Ok(_) => self.waits_for_disk = Some(true),
            Err(error) if matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ResponseError) | ErrorKind::Extension) => {
                self.waits_for_disk = Some(false);
            }
            Err(error) => return Err(failed(error)),
        }
        Ok(())
    }

    async fn len(&mut self) -> Result<u64> {
        // A scan may show a key twice.
        let mut seen: HashSet<u64> = HashSet::new();
        let sorted_sets = matches!(self.config.target, Target::SortedSet { .. });
        let counts = self
            .scan(|mut keys| {
                keys.retain(|key| {
                    let mut hasher = DefaultHasher::new();
                    key.hash(&mut hasher);
                    seen.insert(hasher.finish())
                });
                (sorted_sets && !keys.is_empty()).then(|| {
                    let mut pipeline = Pipeline::with_capacity(keys.len());
                    for key in keys {
                        pipeline.cmd("ZCARD").arg(key);
                    }
                    pipeline
                })
            })
            .await?;
        Ok(if sorted_sets { counts.iter().sum() } else { seen.len() as u64 })
    }
}

/// The key columns of every row, as text, joined by `:`, after the prefix.
struct Keys<'a> {
    prefix: &'a str,
    columns: Vec<Values<'a>>,
}

impl<'a> Keys<'a> {
    fn new(prefix: &'a str, columns: &[usize], batch: &'a RecordBatch) -> Result<Self> {
        let values = |&column: &usize| Values::new(CONNECTOR, batch.schema_ref().field(column).name(), batch.column(column));
        Ok(Self { prefix, columns: columns.iter().map(values).collect::<Result<_>>()? })
    }

    fn get(&self, row: usize) -> Vec<u8> {
        let mut key = self.prefix.as_bytes().to_vec();
        for (position, column) in self.columns.iter().enumerate() {
            if position > 0 {
                key.push(b':');
            }
            column.write_text(row, &mut key);
        }
        key
    }
}

fn json_commands(pipeline: &mut Pipeline, prefix: &str, key: &[usize], upserts: &RecordBatch, deletes: &RecordBatch) -> Result<()> {
    let keys = Keys::new(prefix, key, deletes)?;
    for from in (0..deletes.num_rows()).step_by(ROWS_A_COMMAND) {
        let mut unlink = cmd("UNLINK");
        for row in from..deletes.num_rows().min(from + ROWS_A_COMMAND) {
            unlink.arg(keys.get(row));
        }
        pipeline.add_command(unlink).ignore();
    }
    let keys = Keys::new(prefix, key, upserts)?;
    let rows = JsonRows::new(CONNECTOR, upserts, &[])?;
    let mut document = Vec::with_capacity(256);
    for from in (0..upserts.num_rows()).step_by(ROWS_A_COMMAND) {
        let mut mset = Cmd::with_capacity(2 * ROWS_A_COMMAND, 256 * ROWS_A_COMMAND);
        mset.arg("MSET");
        for row in from..upserts.num_rows().min(from + ROWS_A_COMMAND) {
            document.clear();
            rows.write(row, &mut document);
            mset.arg(keys.get(row)).arg(document.as_slice());
        }
        pipeline.add_command(mset).ignore();
    }
    Ok(())
}

fn sorted_set_commands(
    pipeline: &mut Pipeline,
    prefix: &str,
    (key, member, score): (usize, usize, usize),
    upserts: &RecordBatch,
    deletes: &RecordBatch,
) -> Result<()> {
    for (command, batch) in [("ZREM", deletes), ("ZADD", upserts)] {
        let keys = Keys::new(prefix, &[key], batch)?;
        let member = Values::new(CONNECTOR, "member", batch.column(member))?;
        let score = Values::new(CONNECTOR, "score", batch.column(score))?;
        // One command a sorted set.
        let mut commands: HashMap<Vec<u8>, Cmd> = HashMap::new();
        let mut text = Vec::new();
        for row in 0..batch.num_rows() {
            let key = keys.get(row);
            let command = commands.entry(key).or_insert_with_key(|key| cmd(command).arg(key.as_slice()).take());
            if std::ptr::eq(batch, upserts) {
                text.clear();
                if !score.write_text(row, &mut text) || text == b"NaN" {
                    text.clear();
                    text.push(b'0');
                }
                command.arg(text.as_slice());
            }
            text.clear();
            member.write_text(row, &mut text);
            command.arg(text.as_slice());
        }
        for (_, command) in commands {
            pipeline.add_command(command).ignore();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_prefix_is_not_a_pattern() {
        assert_eq!(escape("stock:"), "stock:");
        assert_eq!(escape("a*b[c]?\\^"), "a\\*b\\[c\\]\\?\\\\\\^");
    }
}
