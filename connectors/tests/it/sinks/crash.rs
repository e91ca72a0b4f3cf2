//! Processes killed while they write: the store is at a whole epoch, no older than the last flush.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use chimera_connectors::EpochChanges;

use super::model::{History, Random};
use super::stores::{Kind, Store};

const CHILD: &str = "CHIMERA_SINK_CRASH_CHILD";
const SEED: u64 = 0xc4a5;
const KEYS: u64 = 400;
const STEPS: u64 = 40;

/// In the process that is to be killed: goes on from where the store is, and says what is flushed.
#[tokio::test]
async fn crash_child() {
    let Ok(job) = std::env::var(CHILD) else { return };
    let (kind, folder) = job.split_once(':').expect("kind:folder");
    let mut store = Store::in_folder(Kind::from_name(kind), Path::new(folder));
    let mut sink = store.open().await;
    let mut history = History::new(SEED, KEYS);
    while Some(history.number) < sink.applied().await.unwrap().map(|applied| applied.epoch) {
        history.step(STEPS);
    }
    let mut random = Random(history.number);
    println!("\nready {}", history.number);
    loop {
        let epochs: Vec<EpochChanges> = (0..=random.below(3)).map(|_| history.step(STEPS)).collect();
        sink.apply(&epochs).await.unwrap();
        println!("applied {}", history.number);
        if random.below(3) == 0 {
            sink.flush().await.unwrap();
            println!("flushed {}", history.number);
        }
    }
}

async fn survives_kills(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(kind as u64);
    let mut moved = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sinks::crash::crash_child", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{kind:?}:{}", folder.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("ready "));
        assert!(ready.is_some(), "{kind:?}: the child of round {round} did not start");
        // After a few writes, at some moment of the next: however slow the machine is, there is something to be killed in.
        let mut flushed = 0;
        let mut writes = 1 + random.below(8);
        while writes > 0 {
            let line = lines.next().expect("the child writes on").unwrap();
            writes -= u64::from(line.starts_with("applied "));
            flushed = flushed.max(line.strip_prefix("flushed ").and_then(|epoch| epoch.parse().ok()).unwrap_or(0));
        }
        std::thread::sleep(Duration::from_millis(random.below(120)));
        child.kill().unwrap();
        child.wait().unwrap();
        let later = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("flushed ")?.parse::<u64>().ok()).max().unwrap_or(0);
        let flushed = flushed.max(later);

        let mut store = Store::in_folder(kind, folder.path());
        let mut sink = store.open().await;
        let at = sink.applied().await.unwrap().map_or(0, |applied| applied.epoch);
        assert!(at >= flushed, "{kind:?}: flushed epoch {flushed}, came back at {at}");
        let mut history = History::new(SEED, KEYS);
        while history.number < at {
            history.step(STEPS);
        }
        assert!(store.content().await == store.expected(&history.table), "{kind:?} is not whole at epoch {at}");
        assert_eq!(sink.len().await.unwrap(), history.table.len() as u64);
        if kind == Kind::Vector {
            let index = store.context().vectors.get("parts").unwrap();
            let mut found = 0;
            for row in history.table.values().take(50) {
                let hits = index.search(&row.embedding, 3, None).unwrap();
                found += usize::from(hits.iter().any(|hit| hit.payload["id"] == row.id.as_str() && hit.payload["part"] == row.part));
            }
            assert!(found >= 49.min(history.table.len()), "only {found} of 50 rows are found by their own vector");
        }
        store.close(sink);
        moved = at;
    }
    assert!(moved >= 6, "{kind:?} only came to epoch {moved}: writes that a child had reported are gone");
}

#[tokio::test]
async fn tantivy_survives_kills() {
    survives_kills(Kind::Tantivy).await;
}

#[tokio::test]
async fn vector_survives_kills() {
    survives_kills(Kind::Vector).await;
}

#[tokio::test]
async fn view_survives_kills() {
    survives_kills(Kind::View).await;
}

#[tokio::test]
async fn topics_survive_kills() {
    survives_kills(Kind::TopicOfChanges).await;
    survives_kills(Kind::TopicOfRows).await;
}

#[tokio::test]
async fn postgres_survives_a_crash_of_its_server() {
    let Some(mut store) = Store::start(Kind::Postgres) else { return };
    let mut history = History::new(SEED, KEYS);
    let mut sink = store.open().await;
    for _ in 0..3 {
        for _ in 0..6 {
            sink.apply(&[history.step(STEPS)]).await.unwrap();
        }
        sink.flush().await.unwrap();
        let flushed = history.number;
        for _ in 0..4 {
            sink.apply(&[history.step(STEPS)]).await.unwrap();
        }
        store.postgres.as_mut().unwrap().crash_and_restart().unwrap();
        // The connection is gone: the first answer may be an error that says that trying again helps.
        let mut applied = sink.applied().await;
        if let Err(error) = &applied {
            assert!(error.is_retryable(), "{error}");
            applied = sink.applied().await;
        }
        let at = applied.unwrap().unwrap().epoch;
        assert!(at >= flushed, "flushed epoch {flushed}, came back at {at}");
        let mut found = History::new(SEED, KEYS);
        while found.number < at {
            found.step(STEPS);
        }
        assert!(store.content().await == store.expected(&found.table), "not whole at epoch {at}");
        // From the start again: the epochs that it has are skipped, those that were not on the disk are written again.
        let mut again = History::new(SEED, KEYS);
        let epochs: Vec<EpochChanges> = (0..history.number).map(|_| again.step(STEPS)).collect();
        sink.apply(&epochs).await.unwrap();
        assert!(store.content().await == store.expected(&history.table));
    }
}

#[tokio::test]
async fn redis_comes_back_with_its_marks() {
    let Some(mut store) = Store::start(Kind::RedisJson) else { return };
    let mut history = History::new(SEED, KEYS);
    let mut sink = store.open().await;
    for _ in 0..10 {
        sink.apply(&[history.step(STEPS)]).await.unwrap();
    }
    sink.flush().await.unwrap();
    store.redis.as_mut().unwrap().restart().unwrap();
    let mut tries = 0;
    let applied = loop {
        match sink.applied().await {
            Ok(applied) => break applied,
            Err(error) => assert!(error.is_retryable() && tries < 50, "{error}"),
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(applied.unwrap().epoch, 10);
    assert!(store.content().await == store.expected(&history.table));
    sink.apply(&[history.step(STEPS)]).await.unwrap();
    assert!(store.content().await == store.expected(&history.table));
    // One that came back without its data is found out before anything is written on top.
    store.redis.as_ref().unwrap().ask(&["FLUSHALL"]).unwrap();
    let error = sink.apply(&[history.step(STEPS)]).await.unwrap_err().to_string();
    assert!(error.contains("epoch 11") && error.contains("lost writes"), "{error}");
    assert_eq!(sink.applied().await.unwrap(), None);
    assert!(store.content().await.is_empty());
}
