//! Live views: reads, and subscriptions without a gap.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chimera_connectors::sink;
use chimera_connectors::sink::view::Access;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::model::{History, epoch};
use super::stores::{Kind, context};

const NAME: &str = "shop.View";

#[tokio::test]
async fn a_view_is_listed_scanned_and_read_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    assert!(context.views.scan(NAME, 10, false).unwrap().is_none());
    let mut sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
    let mut history = History::new(3, 40);
    sink.apply(&[history.step(60)]).await.unwrap();

    let listed = context.views.list();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), listed[0].primary_key.as_slice()), (NAME, &["id".to_owned(), "part".to_owned()][..]));
    assert_eq!((listed[0].columns[1].name.as_str(), listed[0].columns[1].data_type.as_str()), ("part", "Int32"));

    let ids = |rows: &[Value]| {
        rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["part"].as_i64().unwrap() as i32)).collect::<Vec<_>>()
    };
    let keys: Vec<_> = history.table.keys().cloned().collect();
    let (applied, first) = context.views.scan(NAME, 5, false).unwrap().unwrap();
    assert_eq!(applied.unwrap().epoch, 1);
    assert_eq!(ids(&first), keys[..5]);
    let (_, last) = context.views.scan(NAME, 5, true).unwrap().unwrap();
    assert_eq!(ids(&last), keys.iter().rev().take(5).cloned().collect::<Vec<_>>());

    let (id, part) = &keys[7];
    let row = context.views.get(NAME, &[id, &part.to_string()]).unwrap().unwrap();
    assert_eq!(ids(&[row]), [keys[7].clone()]);
    assert!(context.views.get(NAME, &["nobody", "1"]).unwrap().is_none());
    assert!(context.views.get(NAME, &[id, "one"]).unwrap_err().to_string().contains("part"));
    assert!(context.views.get(NAME, &[id]).is_err());
}

#[tokio::test]
async fn an_update_says_what_was_set_and_what_went() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
    let mut history = History::new(4, 10);
    let mut updates = context.views.subscribe(NAME).unwrap();
    history.step(20);
    let rows: Vec<_> = history.table.values().take(2).cloned().collect();
    sink.apply(&[epoch(history.incarnation, 1, &[(rows[0].clone(), 1), (rows[1].clone(), 1)])]).await.unwrap();
    let mut changed = rows[0].clone();
    changed.quantity += 1;
    sink.apply(&[epoch(history.incarnation, 2, &[(changed.clone(), 1), (rows[0].clone(), -1), (rows[1].clone(), -1)])]).await.unwrap();
    let first = updates.recv().await.unwrap();
    assert_eq!((first.epoch, first.upserts.len(), first.deletes.len(), first.resync), (1, 2, 0, false));
    let second = updates.recv().await.unwrap();
    assert_eq!((second.epoch, second.committed_ms), (2, 1_002));
    assert_eq!(second.upserts[0]["quantity"], changed.quantity);
    assert_eq!(second.deletes, [serde_json::json!({"id": rows[1].id, "part": rows[1].part})]);
    sink.reset().await.unwrap();
    assert!(updates.recv().await.unwrap().resync);
    // More than fits: the subscriber is told to look again.
    let mut large = History::new(5, 100_000);
    sink.apply(&[large.step(6_000)]).await.unwrap();
    let update = updates.recv().await.unwrap();
    assert!(update.resync && update.upserts.is_empty());
}

/// Subscribers that come at any moment see every change after their snapshot once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_and_its_updates_have_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let subscribers: Vec<_> = (0..4)
        .map(|_| {
            let (context, done) = (context.clone(), done.clone());
            tokio::spawn(async move {
                let mut snapshots = 0;
                while !done.load(Ordering::Relaxed) {
                    let mut subscription = context.views.snapshot_and_subscribe(NAME, usize::MAX).unwrap().unwrap();
                    snapshots += 1;
                    let mut rows: std::collections::BTreeMap<String, Value> =
                        subscription.rows.iter().map(|row| (format!("{}:{}", row["id"], row["part"]), row.clone())).collect();
                    let mut at = subscription.applied.map_or(0, |applied| applied.epoch);
                    for _ in 0..5 {
                        let update = match tokio::time::timeout(std::time::Duration::from_millis(300), subscription.updates.recv()).await {
                            Ok(Ok(update)) if !update.resync => update,
                            Ok(Ok(_)) | Ok(Err(RecvError::Lagged(_))) | Err(_) => break,
                            Ok(Err(RecvError::Closed)) => return snapshots,
                        };
                        assert_eq!(update.epoch, at + 1, "a gap, or an update twice");
                        at = update.epoch;
                        for row in &update.upserts {
                            rows.insert(format!("{}:{}", row["id"], row["part"]), row.clone());
                        }
                        for key in &update.deletes {
                            assert!(rows.remove(&format!("{}:{}", key["id"], key["part"])).is_some(), "a row went that was not there");
                        }
                    }
                    // What came out is a scan at that epoch, if the view still is there.
                    let (applied, now) = context.views.scan(NAME, usize::MAX, false).unwrap().unwrap();
                    if applied.map_or(0, |applied| applied.epoch) == at {
                        assert_eq!(rows.into_values().collect::<Vec<_>>().len(), now.len());
                    }
                }
                snapshots
            })
        })
        .collect();
    let mut history = History::new(6, 50);
    for _ in 0..300 {
        sink.apply(&[history.step(10)]).await.unwrap();
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::Relaxed);
    let mut snapshots = 0;
    for subscriber in subscribers {
        snapshots += subscriber.await.unwrap();
    }
    assert!(snapshots > 20, "only {snapshots} snapshots were taken");
}

/// Of two of one name, one is read and the other fills in its shadow, until it holds no less and is put in its place.
#[tokio::test]
async fn a_view_takes_the_place_of_another_once_it_holds_no_less() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let views = &context.views;
    let open = |id: &str| {
        let mut spec = Kind::View.spec();
        spec.options.insert("id".into(), id.into());
        sink::open("view", spec, context.clone())
    };
    let mut old = open("1").await.unwrap();
    let mut history = History::new(7, 40);
    let epochs = [history.step(30), history.step(30)];
    old.apply(&epochs).await.unwrap();
    assert!(views.is_filling(NAME) && views.scan(NAME, 10, false).unwrap_err().is_retryable());
    assert!(Arc::new(views.moment()).rows(NAME, &[0], Access::Scan).is_err(), "a part of it is no answer");
    views.set_filled("1", true);
    let (_, rows) = views.scan(NAME, usize::MAX, false).unwrap().unwrap();
    let mut updates = views.subscribe(NAME).unwrap();

    let mut new = open("2").await.unwrap();
    new.apply(&epochs[..1]).await.unwrap();
    views.set_filled("2", true);
    assert_eq!(views.list().len(), 1);
    assert!(!views.replace(NAME, "2", 2, 1).unwrap(), "it is behind");
    assert_eq!(views.scan(NAME, usize::MAX, false).unwrap().unwrap().1, rows);
    new.apply(&epochs[1..]).await.unwrap();
    assert!(!views.replace(NAME, "2", 3, 2).unwrap(), "the other is known to be further than its mark says");
    assert!(views.replace(NAME, "2", 2, 2).unwrap() && views.is_read("2") && !views.is_read("1"));
    assert!(updates.recv().await.unwrap().resync, "who follows the old one looks again");
    drop(old);
    views.remove("1").unwrap();
    assert_eq!(views.scan(NAME, usize::MAX, false).unwrap().unwrap().1, rows);

    views.rename(NAME, "shop.other");
    assert!(views.scan(NAME, 1, false).unwrap().is_none());
    assert_eq!(views.scan("shop.other", usize::MAX, false).unwrap().unwrap().1, rows);
    drop(new);
    views.remove_others(&["2".to_owned()].into()).unwrap();
    assert_eq!(views.scan("shop.other", usize::MAX, false).unwrap().unwrap().1, rows);
    views.remove("2").unwrap();
    assert!(views.list().is_empty());
}
