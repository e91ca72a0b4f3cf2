//! How fast a backlog is read; asks only for what no machine misses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chimera_connectors::log::{Append, Entry, Log, Position, Topic, TopicConfig};
use chimera_connectors::postgres_cdc::Reader;
use chimera_connectors::{Error, Result};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::support::{Bench, server};

/// Keeps marks, and counts the rest: what is measured is the reader.
#[derive(Default)]
struct Counting {
    marks: Mutex<Vec<Entry>>,
    records: AtomicU64,
    bytes: AtomicU64,
    appends: AtomicU64,
}

#[async_trait]
impl Log for Counting {
    async fn create_topic(&self, _: &str, _: TopicConfig) -> Result<()> {
        Ok(())
    }

    async fn topics(&self) -> Result<Vec<Topic>> {
        Ok(Vec::new())
    }

    async fn append(&self, records: Vec<Append>) -> Result<Vec<Position>> {
        self.appends.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(records.len() as u64, Ordering::Relaxed);
        let bytes: usize =
            records.iter().map(|r| r.record.key.as_ref().map_or(0, |k| k.len()) + r.record.value.as_ref().map_or(0, |v| v.len())).sum();
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let mut marks = self.marks.lock();
        for append in records.into_iter().filter(|append| append.topic.ends_with(".transaction")) {
            let offset = marks.len() as u64;
            marks.push(Entry { offset, record: append.record });
        }
        Ok(Vec::new())
    }

    async fn read(&self, topic: &str, _: u32, from: u64, max_records: usize, _: Duration) -> Result<Vec<Entry>> {
        if !topic.ends_with(".transaction") {
            return Err(Error::corrupt("counting", "only marks are kept"));
        }
        Ok(self.marks.lock().iter().skip(from as usize).take(max_records).cloned().collect())
    }

    async fn end_offset(&self, _: &str, _: u32) -> Result<u64> {
        Ok(self.marks.lock().len() as u64)
    }

    async fn start_offset(&self, _: &str, _: u32) -> Result<u64> {
        Ok(0)
    }

    async fn commit(&self, _: &str, _: &str, _: u32, _: u64) -> Result<()> {
        Ok(())
    }

    async fn committed(&self, _: &str, _: &str, _: u32) -> Result<Option<u64>> {
        Ok(None)
    }

    async fn enforce_retention(&self) -> Result<u64> {
        Ok(0)
    }
}

/// Processor time of this process so far, in seconds.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |nth: usize| fields.get(nth).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

const SCHEMA: &str = "
CREATE TABLE order_items (order_id uuid NOT NULL, line_no integer NOT NULL, sku varchar(100) NOT NULL, quantity integer NOT NULL,
  unit_price numeric(12,3) NOT NULL, PRIMARY KEY (order_id, line_no));
ALTER TABLE order_items REPLICA IDENTITY FULL;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_read_fast() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    let log = Arc::new(Counting::default());
    let start = |log: &Arc<Counting>| {
        let shutdown = CancellationToken::new();
        (Reader::start(bench.options(&["public.order_items"]), log.clone(), shutdown.clone()), shutdown)
    };
    let (handle, shutdown) = start(&log);
    bench.caught_up(&handle).await;
    shutdown.cancel();
    handle.stopped().await;
    // Orders of 20 lines, a transaction each.
    const CHANGES: u64 = 200_000;
    bench
        .execute(
            "DO $$ BEGIN FOR n IN 1..10000 LOOP
               INSERT INTO order_items SELECT gen_random_uuid(), line, '85123' || chr(65 + line), line, 2.55 * line FROM generate_series(1, 20) line;
               COMMIT;
             END LOOP; END $$",
        )
        .await;
    let (before, cpu, wall) = (log.bytes.load(Ordering::Relaxed), cpu_s(), Instant::now());
    let appends = log.appends.load(Ordering::Relaxed);
    let (handle, shutdown) = start(&log);
    bench.caught_up(&handle).await;
    let (cpu, wall) = (cpu_s() - cpu, wall.elapsed().as_secs_f64());
    shutdown.cancel();
    handle.stopped().await;
    let status = handle.status();
    let (appends, bytes) = (log.appends.load(Ordering::Relaxed) - appends, log.bytes.load(Ordering::Relaxed) - before);
    eprintln!(
        "{} changes, {:.0} MB in {appends} appends: {:.0} changes/s of wall time, {:.0} changes/s of processor time",
        status.changes,
        bytes as f64 / 1e6,
        status.changes as f64 / wall,
        status.changes as f64 / cpu
    );
    assert_eq!(status.changes, CHANGES);
    assert!(status.changes as f64 / wall > 5_000.0, "{wall} s");
}
