//! Writes of a topic that are too large for one append, and break off in the middle.

use std::sync::atomic::{AtomicU32, Ordering};

use chimera_connectors::Context;
use chimera_connectors::log::EmbeddedLog;
use chimera_connectors::sink::{self, Sink};

use super::model::History;
use super::stores::{Kind, Store};
use crate::guarded::Guarded;

async fn is_taken_back(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::in_folder(kind, folder.path());
    let mut history = History::new(3, 40_000);
    let mut sink = store.open().await;
    sink.apply(&[history.step(10_000)]).await.unwrap();
    let (before, at) = (history.table.clone(), history.number);
    let large = history.step(80_000);
    store.close(sink);

    // The first append of the large write, and then the first of taking it back, and so on.
    for appends in [1, 1, 2] {
        let log = EmbeddedLog::open(folder.path().join("log")).unwrap();
        let left = AtomicU32::new(appends);
        let log = Guarded::new(log, move |_| left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok());
        let context = Context::new(folder.path(), log, "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/").unwrap();
        let mut sink: Box<dyn Sink> = sink::open(kind.connector(), kind.spec(), context).await.unwrap();
        let error = sink.apply(std::slice::from_ref(&large)).await.expect_err("the log takes no more");
        assert!(error.is_retryable(), "{error}");
    }

    let mut sink = store.open().await;
    assert_eq!(sink.applied().await.unwrap().unwrap().epoch, at);
    assert!(store.content().await == store.expected(&before), "{kind:?}: a part of a write is left");
    sink.apply(std::slice::from_ref(&large)).await.unwrap();
    assert!(store.content().await == store.expected(&history.table), "{kind:?}");
    assert_eq!(sink.len().await.unwrap(), history.table.len() as u64);
    store.close(sink);
}

#[tokio::test]
async fn a_write_that_breaks_off_is_taken_back() {
    is_taken_back(Kind::TopicOfChanges).await;
    is_taken_back(Kind::TopicOfRows).await;
}

#[tokio::test]
async fn a_topic_whose_format_changes_is_emptied_in_the_one_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::in_folder(Kind::TopicOfRows, folder.path());
    let mut sink = store.open().await;
    sink.apply(&[History::new(3, 50).step(40)]).await.unwrap();
    assert!(!store.content().await.is_empty());
    store.close(sink);

    let log = EmbeddedLog::open(folder.path().join("log")).unwrap();
    let context = Context::new(folder.path(), log, "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/").unwrap();
    let mut spec = Kind::TopicOfRows.spec();
    spec.options.insert("format".into(), "debezium_json".into());
    let mut sink = sink::open("kafka", spec, context).await.unwrap();
    sink.reset().await.unwrap();
    drop(sink);

    let sink = store.open().await;
    assert!(store.content().await.is_empty(), "rows of before are left");
    store.close(sink);
}
