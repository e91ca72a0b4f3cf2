//! How fast records go in and out. The numbers are printed; the floors only catch a log that has become slow by an order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chimera_connectors::log::{Append, EmbeddedLog, Log};

use super::{record, run};

const BATCH: u64 = 1000;

/// Appends `count` records of about 300 bytes from four appenders, reads them back, then appends one at a time.
pub(super) async fn measure(name: &str, log: &Arc<impl Log + ?Sized>, count: u64) -> (f64, f64) {
    const APPENDERS: u64 = 4;
    let topic = "speed";
    let batch = |first: u64| -> Vec<Append> {
        let value = |n: u64| {
            let row = format!(r#"{{"order_id":"{n:036}","line_no":{n},"sku":"85123A","quantity":6,"unit_price":"2.55"}}"#);
            let source = format!(r#"{{"connector":"postgresql","db":"orders","table":"order_items","lsn":{n}}}"#);
            let transaction = format!(r#"{{"id":"{n}:{n}","total_order":{n}}}"#);
            format!(r#"{{"op":"c","after":{row},"source":{source},"transaction":{transaction},"padding":"{:0100}"}}"#, n * 7)
        };
        (first..first + BATCH).map(|n| record(topic, &n.to_string(), value(n))).collect()
    };
    log.append(batch(0)).await.expect("positions");
    let started = Instant::now();
    let appender = |who: u64| async move {
        for n in 0..count / BATCH / APPENDERS {
            log.append(batch((who * count) + n * BATCH)).await.expect("positions");
        }
    };
    futures::future::join_all((0..APPENDERS).map(appender)).await;
    let append_rate = (count / BATCH / APPENDERS * BATCH * APPENDERS) as f64 / started.elapsed().as_secs_f64();

    let started = Instant::now();
    let (mut next, mut read, mut bytes) = (0, 0, 0);
    while read < count {
        let entries = log.read(topic, 0, next, 8192, Duration::from_secs(10)).await.expect("records");
        let Some(last) = entries.last() else { break };
        next = last.offset + 1;
        read += entries.len() as u64;
        bytes += entries.iter().map(|entry| entry.record.value.as_ref().map_or(0, |value| value.len())).sum::<usize>();
    }
    let read_rate = read as f64 / started.elapsed().as_secs_f64();

    let mut waits: Vec<Duration> = Vec::new();
    for n in 0..100u32 {
        let started = Instant::now();
        log.append(vec![record("speed.single", "k", n.to_string())]).await.expect("positions");
        waits.push(started.elapsed());
    }
    waits.sort();
    eprintln!(
        "{name}: {append_rate:.0} records/s appended in batches of {BATCH}, {read_rate:.0} records/s read ({} bytes each); \
         one at a time p50 {:?}, p99 {:?}",
        bytes as u64 / read.max(1),
        waits[50],
        waits[98]
    );
    (append_rate, read_rate)
}

#[test]
fn records_go_in_and_out_fast() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path()).expect("a log");
    let (append_rate, read_rate) = run(measure("embedded", &log, 400_000));
    assert!(append_rate > 20_000.0 && read_rate > 50_000.0);

    // A hundred appenders of single records share each `fsync`.
    let rate = run(async {
        let started = Instant::now();
        let appender = |who: usize| {
            let log = log.clone();
            async move {
                for n in 0..50 {
                    log.append(vec![record("speed.shared", &who.to_string(), n.to_string())]).await.expect("positions");
                }
            }
        };
        futures::future::join_all((0..100).map(appender)).await;
        5000.0 / started.elapsed().as_secs_f64()
    });
    eprintln!("embedded: {rate:.0} durable single appends/s from 100 appenders");
    assert!(rate > 500.0);
}
