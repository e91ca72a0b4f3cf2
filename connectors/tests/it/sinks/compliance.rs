//! The contract of [`chimera_connectors::sink::Sink`], checked for every sink in the same way.

use std::time::Instant;

use chimera_connectors::EpochChanges;
use chimera_connectors::sink::{self, Applied, Sink};

use super::model::{History, Table, epoch};
use super::stores::{Kind, Store, context};

/// Epochs and the table after each; the one before the first is empty.
struct Recorded {
    epochs: Vec<EpochChanges>,
    tables: Vec<Table>,
}

impl Recorded {
    fn new(history: &mut History, epochs: usize, steps: u64) -> Self {
        let mut recorded = Self { epochs: Vec::new(), tables: vec![history.table.clone()] };
        for _ in 0..epochs {
            recorded.epochs.push(history.step(steps));
            recorded.tables.push(history.table.clone());
        }
        recorded
    }

    fn between(&self, after: u64, to: u64) -> &[EpochChanges] {
        &self.epochs[after as usize..to as usize]
    }
}

async fn check(store: &Store, sink: &mut Box<dyn Sink>, recorded: &Recorded, at: u64) {
    let applied = Applied { incarnation: recorded.epochs[0].info.incarnation, epoch: at };
    assert_eq!(sink.applied().await.unwrap(), Some(applied), "{:?}", store.kind);
    let table = &recorded.tables[at as usize];
    assert_eq!(sink.len().await.unwrap(), table.len() as u64, "{:?} at epoch {at}", store.kind);
    assert!(store.content().await == store.expected(table), "{:?} differs from the table at epoch {at}", store.kind);
}

async fn complies(kind: Kind) {
    let Some(mut store) = Store::start(kind) else { return };
    let mut history = History::new(0x5ea, 60);
    let recorded = Recorded::new(&mut history, 24, 25);
    let mut sink = store.open().await;
    assert_eq!(sink.applied().await.unwrap(), None);
    assert_eq!(sink.len().await.unwrap(), 0);

    // One by one, then several at once, some of which it has.
    for at in 1..=4 {
        sink.apply(recorded.between(at - 1, at)).await.unwrap();
        check(&store, &mut sink, &recorded, at).await;
    }
    sink.apply(recorded.between(2, 12)).await.unwrap();
    check(&store, &mut sink, &recorded, 12).await;
    sink.apply(recorded.between(0, 12)).await.unwrap();
    sink.apply(&[]).await.unwrap();
    check(&store, &mut sink, &recorded, 12).await;

    // Another journal's epochs are refused, and change nothing.
    let mut stranger = History::new(99, 60);
    let strange = stranger.step(5);
    assert!(sink.apply(std::slice::from_ref(&strange)).await.is_err());
    assert!(sink.apply(&[recorded.epochs[13].clone(), recorded.epochs[12].clone()]).await.is_err());
    check(&store, &mut sink, &recorded, 12).await;

    // Closed without a flush after the last epochs: back at a whole epoch, at least the flushed one; and on from there.
    sink.flush().await.unwrap();
    sink.apply(recorded.between(12, 15)).await.unwrap();
    sink.apply(recorded.between(15, 16)).await.unwrap();
    store.close(sink);
    let mut sink = store.open().await;
    let at = sink.applied().await.unwrap().unwrap().epoch;
    assert!((12..=16).contains(&at), "{kind:?} came back at epoch {at}");
    check(&store, &mut sink, &recorded, at).await;
    sink.apply(recorded.between(at, 24)).await.unwrap();
    check(&store, &mut sink, &recorded, 24).await;

    // An epoch without changes moves only the number.
    let empty = epoch(history.incarnation, 25, &[]);
    sink.apply(std::slice::from_ref(&empty)).await.unwrap();
    assert_eq!(sink.applied().await.unwrap().unwrap().epoch, 25);
    assert!(store.content().await == store.expected(&recorded.tables[24]));

    // A reset store is empty, stays so, and takes another journal.
    sink.reset().await.unwrap();
    for _ in 0..2 {
        assert_eq!(sink.applied().await.unwrap(), None);
        assert_eq!(sink.len().await.unwrap(), 0);
        assert!(store.content().await.is_empty());
        store.close(sink);
        sink = store.open().await;
    }
    sink.apply(std::slice::from_ref(&strange)).await.unwrap();
    assert_eq!(sink.applied().await.unwrap(), Some(Applied { incarnation: stranger.incarnation, epoch: 1 }));
    assert!(store.content().await == store.expected(&stranger.table));

    // Large ones: first all new, then all changed.
    sink.reset().await.unwrap();
    let mut large = History::new(7, 20_000);
    for what in ["inserts", "updates and deletes"] {
        let epoch = large.step(30_000);
        let rows = epoch.changes.weights.len();
        let started = Instant::now();
        sink.apply(std::slice::from_ref(&epoch)).await.unwrap();
        sink.flush().await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("{kind:?}: {rows} changes ({what}) in {seconds:.2} s, {:.0} changes/s", rows as f64 / seconds);
        assert_eq!(sink.len().await.unwrap(), large.table.len() as u64);
    }
    assert!(store.content().await == store.expected(&large.table));
    store.close(sink);
}

#[tokio::test]
async fn redis_documents_comply() {
    complies(Kind::RedisJson).await;
}

#[tokio::test]
async fn redis_sorted_sets_comply() {
    complies(Kind::RedisSortedSet).await;
}

#[tokio::test]
async fn tantivy_complies() {
    complies(Kind::Tantivy).await;
}

#[tokio::test]
async fn vector_complies() {
    complies(Kind::Vector).await;
}

#[tokio::test]
async fn postgres_complies() {
    complies(Kind::Postgres).await;
}

#[tokio::test]
async fn view_complies() {
    complies(Kind::View).await;
}

#[tokio::test]
async fn topics_of_changes_comply() {
    complies(Kind::TopicOfChanges).await;
}

#[tokio::test]
async fn topics_of_rows_comply() {
    complies(Kind::TopicOfRows).await;
}

#[tokio::test]
async fn options_that_cannot_work_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let refusal = async |kind: Kind, change: &[(&str, Option<&str>)]| {
        let mut spec = kind.spec();
        for (option, value) in change {
            match value {
                Some(value) => spec.options.insert((*option).to_owned(), (*value).to_owned()),
                None => spec.options.remove(*option),
            };
        }
        let error = sink::open(kind.connector(), spec, context.clone()).await.err().expect("a refusal").to_string();
        assert!(error.contains(&format!("shop.{kind:?}")), "{error} names the table");
        error
    };
    for kind in Kind::ALL {
        let error = refusal(kind, &[("colour", Some("red"))]).await;
        assert!(error.contains("'colour'") && error.contains("known options"), "{error}");
    }
    for (kind, option, value, expected) in [
        (Kind::RedisJson, "target", Some("hash"), "'hash'"),
        (Kind::RedisJson, "target.key_prefix", None, "'target.key_prefix' is missing"),
        (Kind::RedisJson, "target.key_prefix", Some("chimera:x"), "chimera:"),
        (Kind::RedisSortedSet, "target.score_column", Some("name"), "a score is a number"),
        (Kind::RedisSortedSet, "target.member_column", Some("nobody"), "'nobody'"),
        (Kind::Tantivy, "index", Some("../etc"), "'../etc'"),
        (Kind::Tantivy, "fields.text", Some("name^x"), "boost"),
        (Kind::Tantivy, "fields.text", Some("quantity"), "only TEXT"),
        (Kind::Tantivy, "fields.fast", Some("name"), "number"),
        (Kind::Vector, "embedding", Some("tags"), "FLOAT[]"),
        (Kind::Vector, "dimensions", Some("many"), "'many'"),
        (Kind::Postgres, "table", Some(""), "empty"),
        (Kind::Postgres, "database", None, "'database' is missing"),
        (Kind::TopicOfRows, "topic", None, "'topic' is missing"),
        (Kind::TopicOfRows, "topic", Some("__chimera.epochs"), "the platform's own"),
        (Kind::TopicOfRows, "format", Some("avro"), "'avro'"),
    ] {
        let error = refusal(kind, &[(option, value)]).await;
        assert!(error.contains(expected), "{error} should contain {expected}");
    }
    let error = sink::open("carrier_pigeon", Kind::View.spec(), context.clone()).await.err().unwrap().to_string();
    assert!(error.contains("carrier_pigeon") && error.contains("tantivy"), "{error}");
    // Two tables below one prefix: a reset of one would empty the other.
    sink::open("redis", Kind::RedisJson.spec(), context.clone()).await.unwrap();
    let error = refusal(Kind::RedisSortedSet, &[("target.key_prefix", Some("part[*]:more:"))]).await;
    assert!(error.contains("overlaps"), "{error}");
    // Two tables in one topic: nobody could read either.
    sink::open("kafka", Kind::TopicOfRows.spec(), context.clone()).await.unwrap();
    let error = refusal(Kind::TopicOfChanges, &[]).await;
    assert!(error.contains("writes there already"), "{error}");
}
