//! `kill -9`, again and again.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_connectors::postgres_cdc::{Options, Reader};
use tokio_util::sync::CancellationToken;

use super::following::{SCHEMA, TABLES, check, write};
use super::support::{Bench, records, server};
use crate::guarded::Guarded;

const URL: &str = "CHIMERA_TEST_CDC_URL";
const SERVICE: &str = "CHIMERA_TEST_CDC_SERVICE";
const LOG: &str = "CHIMERA_TEST_CDC_LOG";

/// Not a test: the process that the test below kills. It ends with its parent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_process() {
    let (Ok(url), Ok(service), Ok(dir)) = (std::env::var(URL), std::env::var(SERVICE), std::env::var(LOG)) else { return };
    let log = EmbeddedLog::open(dir).expect("a log");
    let _handle = Reader::start(Options::new(url, service, &TABLES), log, CancellationToken::new());
    tokio::task::spawn_blocking(|| std::io::Read::read(&mut std::io::stdin(), &mut [0])).await.expect("joined").ok();
    std::process::exit(0);
}

fn spawn(bench: &Bench, log_dir: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "cdc::chaos::reader_process", "--nocapture"])
        .env(URL, &bench.url)
        .env(SERVICE, &bench.service)
        .env(LOG, log_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a process")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_the_log_has_each_transaction_once() {
    let Some(server) = server() else { return };
    let (mut bench, log_dir) = Bench::with_log(server, SCHEMA, false).await;
    let stop = CancellationToken::new();
    let writers: Vec<_> = (0..2).map(|seed| tokio::spawn(write(bench.pool.clone(), 100 + seed, stop.clone()))).collect();
    let mut moment = 7_u64;
    for _ in 0..10 {
        let mut child = spawn(&bench, &log_dir);
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(60 + (moment >> 33) % 1200)).await;
        child.kill().expect("killed");
        child.wait().expect("gone");
    }
    stop.cancel();
    let mut committed = 0;
    for writer in writers {
        committed += writer.await.expect("a writer");
    }
    bench.log = EmbeddedLog::open(&log_dir).expect("the log of the killed");
    let running = bench.start(&TABLES);
    bench.caught_up(&running.handle).await;
    running.stop().await;
    let logged = check(&bench).await;
    eprintln!("{committed} transactions committed, {logged} in the log");
    assert!(logged > 100, "too little happened to show anything: {logged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_remains_of_a_large_transaction_are_not_taken_for_it() {
    let Some(server) = server() else { return };
    let mut bench = Bench::new(server, SCHEMA).await;
    // Away, once, when the second piece of a large transaction comes.
    let pieces = AtomicU32::new(0);
    bench.log = Guarded::new(bench.log.clone(), move |records| {
        let is_whole = records.last().is_some_and(|last| last.topic.ends_with(".transaction"));
        is_whole || pieces.fetch_add(1, Ordering::SeqCst) != 1
    });
    let running = bench.start(&TABLES);
    bench.caught_up(&running.handle).await;
    bench.execute("INSERT INTO moves (account, amount) SELECT n, n FROM generate_series(1, 80000) n").await;
    bench.caught_up(&running.handle).await;
    running.stop().await;
    check(&bench).await;
    let marks = records(&*bench.log, &format!("{}.transaction", bench.service)).await;
    let begun = marks.iter().filter(|(_, mark)| mark.as_ref().is_some_and(|mark| mark["status"] == "BEGIN")).count();
    assert_eq!(begun * 2 - marks.len(), 1, "one attempt was cut off, and its beginning is in the log");
}
