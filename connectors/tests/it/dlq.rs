//! Dead letters, in the embedded log.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chimera_connectors::dlq::{self, DeadLetter, Selection};
use chimera_connectors::format::{Format, MarkStatus, TransactionMark, transaction_id};
use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_connectors::log::{Append, Entry, Log, Record};
use chimera_connectors::postgres_cdc;

fn open() -> (tempfile::TempDir, Arc<dyn Log>) {
    let dir = tempfile::tempdir().expect("a folder");
    let log = EmbeddedLog::open(dir.path()).expect("a log");
    (dir, log)
}

fn record(key: Option<&str>, value: &str) -> Record {
    Record::new(key.map(|key| Bytes::copy_from_slice(key.as_bytes())), Some(Bytes::copy_from_slice(value.as_bytes())), 5)
}

async fn append(log: &dyn Log, topic: &str, value: &str) -> Entry {
    let record = record(Some("k"), value);
    let positions =
        log.append(vec![Append { topic: topic.to_owned(), partition: Some(0), record: record.clone() }]).await.expect("appended");
    Entry { offset: positions[0].offset, record }
}

async fn all(log: &dyn Log, topic: &str) -> Vec<Entry> {
    log.read(topic, 0, 0, 1000, Duration::ZERO).await.expect("read")
}

fn value(entry: &Entry) -> &[u8] {
    entry.record.value.as_deref().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_are_listed_once_until_they_are_replayed() {
    let (_dir, log) = open();
    assert_eq!(dlq::list(&*log, 10, 0).await.expect("no topic is no letters"), []);
    let mut letters = Vec::new();
    for nth in 0..5 {
        let entry = append(&*log, "clickstream", &format!("poison {nth}")).await;
        letters.push(DeadLetter::new("clickstream", 0, &entry, Format::Json, format!("cause {nth}")));
    }
    dlq::write(&*log, &letters).await.expect("written");
    dlq::write(&*log, &letters[1..3]).await.expect("written again, as after a recovery");
    let listed = dlq::list(&*log, 10, 0).await.expect("listed");
    assert_eq!(listed.iter().map(|waiting| &waiting.letter).collect::<Vec<_>>(), letters.iter().collect::<Vec<_>>());
    let page: Vec<u64> = dlq::list(&*log, 2, listed[1].position).await.expect("listed").iter().map(|waiting| waiting.position).collect();
    assert_eq!(page, [listed[1].position, listed[2].position]);

    let replay = dlq::replay(&*log, &Selection::Positions(vec![listed[1].position, 4_000])).await.expect("replayed");
    assert_eq!((replay.replayed, replay.refused.len()), (1, 0));
    let clicks = all(&*log, "clickstream").await;
    let mut again = clicks[5].record.clone();
    assert_eq!(dlq::replayed_from(&again), Some(clicks[1].offset));
    again.headers.clear();
    assert_eq!((clicks.len(), &again, dlq::replayed_from(&clicks[1].record)), (6, &clicks[1].record, None));
    assert_eq!(dlq::list(&*log, 10, 0).await.expect("listed").len(), 4);
    dlq::write(&*log, &letters[1..2]).await.expect("written by a pipeline that runs the epoch again");
    assert_eq!(dlq::list(&*log, 10, 0).await.expect("listed").len(), 4, "a replayed letter does not come back");

    assert_eq!(dlq::replay(&*log, &Selection::Topic("other".into())).await.expect("replayed").replayed, 0);
    assert_eq!(dlq::replay(&*log, &Selection::All).await.expect("replayed").replayed, 4);
    assert_eq!(dlq::replay(&*log, &Selection::All).await.expect("replayed").replayed, 0);
    assert_eq!(all(&*log, "clickstream").await.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_change_is_a_transaction_of_its_own() {
    let (_dir, log) = open();
    let end = r#"{"status":"END","id":"7:99","event_count":1,"data_collections":[],"ts_ms":1,"lsn":120}"#;
    append(&*log, "orders.transaction", end).await;
    let envelope = r#"{"before":null,"after":{"id":1},"source":{},"transaction":{"id":"7:99","total_order":1,"data_collection_order":1},"op":"c","ts_ms":1}"#;
    let entry = append(&*log, "orders.public.orders", envelope).await;
    let poison = append(&*log, "orders.public.orders", "poison").await;
    let letters = [&entry, &poison].map(|entry| DeadLetter::new("orders.public.orders", 0, entry, Format::DebeziumJson, "cause"));
    dlq::write(&*log, &letters).await.expect("written");

    let replay = dlq::replay(&*log, &Selection::All).await.expect("replayed");
    assert_eq!((replay.replayed, replay.refused.len()), (1, 1), "what belongs to no transaction would wait for ever");
    assert!(replay.refused[0].1.contains("no transaction"), "{:?}", replay.refused);
    let waiting = dlq::list(&*log, 10, 0).await.expect("listed");
    assert_eq!(waiting.iter().map(|waiting| waiting.letter.offset).collect::<Vec<_>>(), [poison.offset]);

    let marks: Vec<TransactionMark> =
        all(&*log, "orders.transaction").await.iter().map(|entry| TransactionMark::parse(value(entry)).expect("a mark")).collect();
    let (begin, end) = (&marks[1], &marks[2]);
    assert!(begin.id.starts_with("dlq:") && begin.id == end.id, "{} {}", begin.id, end.id);
    assert_eq!((begin.status, end.status, end.event_count, end.lsn), (MarkStatus::Begin, MarkStatus::End, 1, Some(120)));
    assert_eq!((end.collections[0].name.as_str(), end.collections[0].event_count), ("public.orders", 1));
    let orders = all(&*log, "orders.public.orders").await;
    assert_eq!(transaction_id(value(&orders[2])), Some(end.id.as_str()));
    let again: serde_json::Value = serde_json::from_slice(value(&orders[2])).expect("JSON");
    assert_eq!((&again["after"]["id"], &again["op"]), (&serde_json::json!(1), &serde_json::json!("c")));

    assert_eq!(
        postgres_cdc::last_end_lsn(&*log, "orders.transaction").await.expect("read"),
        Some(120),
        "the database goes on where it was"
    );
}
