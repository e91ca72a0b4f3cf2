//! What every log does. Topics are named after the behaviour: all of them may run on one log.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chimera_connectors::Error;
use chimera_connectors::log::{Append, Entry, Header, Log, MAX_RECORD_BYTES, Record, TopicConfig};

use super::{now_ms, record};

const LONG: Duration = Duration::from_secs(20);

/// Everything that is in the partition, read in small pieces until `count` records are there.
async fn read_all(log: &Arc<impl Log + ?Sized>, topic: &str, partition: u32, count: usize) -> Vec<Entry> {
    let (mut entries, mut next) = (Vec::new(), 0);
    while entries.len() < count {
        let piece = log.read(topic, partition, next, 37, LONG).await.expect("records");
        let last = piece.last().unwrap_or_else(|| panic!("{} of {count} records of {topic}", entries.len()));
        next = last.offset + 1;
        entries.extend(piece);
    }
    assert_eq!(log.read(topic, partition, next, 37, Duration::from_millis(200)).await.expect("records"), []);
    entries
}

fn value(entry: &Entry) -> &str {
    std::str::from_utf8(entry.record.value.as_deref().expect("a value")).expect("text")
}

pub(super) async fn records_come_back_in_order(log: Arc<impl Log + ?Sized>) {
    let topic = "order";
    let (mut sent, mut positions) = (Vec::new(), Vec::new());
    for batch in 0..20 {
        let records: Vec<Append> = (0..=batch * 3).map(|n| record(topic, &format!("k{n}"), format!("{batch}:{n}"))).collect();
        sent.extend(records.iter().map(|append| append.record.clone()));
        positions.extend(log.append(records).await.expect("positions"));
    }
    let entries = read_all(&log, topic, 0, sent.len()).await;
    assert_eq!(entries.iter().map(|entry| entry.record.clone()).collect::<Vec<_>>(), sent);
    assert_eq!(entries[0].offset, 0);
    assert!(entries.windows(2).all(|pair| pair[0].offset < pair[1].offset));
    let told: Vec<u64> = positions.iter().map(|position| position.offset).collect();
    assert_eq!(entries.iter().map(|entry| entry.offset).collect::<Vec<_>>(), told);
    assert!(positions.iter().all(|position| position.topic == topic && position.partition == 0));
    assert!(log.end_offset(topic, 0).await.expect("an end") > *told.last().expect("a position"));
    assert_eq!(log.start_offset(topic, 0).await.expect("a start"), 0);
}

pub(super) async fn a_key_stays_in_its_partition(log: Arc<impl Log + ?Sized>) {
    let topic = "keys";
    log.create_topic(topic, TopicConfig { partitions: 5, retention: None }).await.expect("a topic");
    // Kafka's Java client: (murmur2(key) & 0x7fffffff) % 5, with the hashes that its own tests list.
    let expected = [("foobar", 1), ("abc", 2), ("21", 0), ("a-little-bit-longer-string", 4)];
    for round in 0..3 {
        let records = expected.iter().map(|(key, _)| record(topic, key, format!("{round}"))).collect();
        let positions = log.append(records).await.expect("positions");
        let partitions: Vec<u32> = positions.iter().map(|position| position.partition).collect();
        assert_eq!(partitions, expected.map(|(_, partition)| partition));
    }
    for (key, partition) in expected {
        let entries = read_all(&log, topic, partition, 3).await;
        assert!(entries.iter().all(|entry| entry.record.key.as_deref() == Some(key.as_bytes())));
    }
    let mut keyless = record(topic, "", "x");
    keyless.record.key = None;
    let mut chosen = record(topic, "foobar", "y");
    chosen.partition = Some(3);
    let positions = log.append(vec![keyless, chosen]).await.expect("positions");
    assert_eq!((positions[0].partition, positions[1].partition), (0, 3));
}

pub(super) async fn an_append_is_whole_in_all_topics(log: Arc<impl Log + ?Sized>) {
    let topics = ["whole.a", "whole.b", "whole.c"];
    for topic in topics {
        log.create_topic(topic, TopicConfig::default()).await.expect("a topic");
    }
    const APPENDS: usize = 30;
    let writer = {
        let log = log.clone();
        async move {
            for n in 0..APPENDS {
                log.append(topics.iter().map(|topic| record(topic, "k", format!("{n}"))).collect()).await.expect("positions");
            }
        }
    };
    let reader = async {
        let mut seen = 0;
        while seen < APPENDS {
            // What is seen in the first topic is there in those that are looked at later.
            let first = log.read(topics[0], 0, 0, 1000, LONG).await.expect("records").len();
            for topic in &topics[1..] {
                let other = log.read(topic, 0, 0, 1000, LONG).await.expect("records").len();
                assert!(other >= first, "{first} records in {}, but {other} in {topic}", topics[0]);
            }
            seen = first;
        }
    };
    tokio::join!(writer, reader);
}

pub(super) async fn a_refused_append_leaves_nothing(log: Arc<impl Log + ?Sized>) {
    let (good, other) = ("refused.good", "refused.other");
    log.append(vec![record(good, "k", "before"), record(other, "k", "before")]).await.expect("positions");
    let mut bad = record(other, "k", "bad");
    bad.partition = Some(7);
    let error = log.append(vec![record(good, "k", "lost"), record(other, "k", "lost"), bad]).await.expect_err("no partition 7");
    assert!(matches!(&error, Error::NoSuchTopic { topic, partition: 7 } if topic == other), "{error}");
    assert!(log.append(vec![record(good, "k", "lost"), record("no/such name", "k", "bad")]).await.is_err());
    log.append(vec![record(good, "k", "after"), record(other, "k", "after")]).await.expect("positions");
    for topic in [good, other] {
        assert_eq!(read_all(&log, topic, 0, 2).await.iter().map(value).collect::<Vec<_>>(), ["before", "after"]);
    }
    assert_eq!(log.append(Vec::new()).await.expect("nothing"), []);
}

pub(super) async fn tombstones_and_empty_values_are_told_apart(log: Arc<impl Log + ?Sized>) {
    let topic = "tombstones";
    let bytes = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    let pairs = [(bytes("k"), None), (bytes("k"), bytes("")), (None, bytes("v")), (None, None), (bytes(""), bytes("v"))];
    let records: Vec<Record> =
        pairs.into_iter().enumerate().map(|(n, (key, value))| Record::new(key, value, 1_300_000_000_000 + n as i64)).collect();
    let appends = records.iter().map(|record| Append { topic: topic.to_owned(), partition: Some(0), record: record.clone() }).collect();
    log.append(appends).await.expect("positions");
    let entries = read_all(&log, topic, 0, records.len()).await;
    assert_eq!(entries.into_iter().map(|entry| entry.record).collect::<Vec<_>>(), records);
}

pub(super) async fn headers_travel_with_their_record(log: Arc<impl Log + ?Sized>) {
    let topic = "headers";
    let header = |name: &str, value: &'static [u8]| Header { name: name.to_owned(), value: Bytes::from_static(value) };
    let mut records: Vec<Append> = (0..4).map(|n| record(topic, "k", format!("{n}"))).collect();
    records[1].record.headers = vec![header("a", b"1"), header("b", b"\xff\x00"), header("a", b"")];
    records[2].record.value = None;
    records[2].record.headers = vec![header(&"n".repeat(255), b"x")];
    let expected: Vec<Record> = records.iter().map(|append| append.record.clone()).collect();
    log.append(records).await.expect("positions");
    let read: Vec<Record> = read_all(&log, topic, 0, 4).await.into_iter().map(|entry| entry.record).collect();
    assert_eq!(read, expected);
    assert_eq!(read[1].header("a").map(|value| &value[..]), Some(&b"1"[..]));
    let mut refused = record(topic, "k", "v");
    refused.record.headers = vec![header(&"n".repeat(256), b"x")];
    let error = log.append(vec![refused]).await.expect_err("too long a name");
    assert!(matches!(error, Error::Config { .. }), "{error}");
}

pub(super) async fn a_reader_waits_for_the_first_record(log: Arc<impl Log + ?Sized>) {
    let topic = "waiting";
    log.create_topic(topic, TopicConfig::default()).await.expect("a topic");
    let started = Instant::now();
    assert_eq!(log.read(topic, 0, 0, 10, Duration::from_millis(300)).await.expect("nothing"), []);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(290) && waited < Duration::from_secs(5), "{waited:?}");

    let appended = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        log.append(vec![record(topic, "k", "1"), record(topic, "k", "2")]).await.expect("positions");
        Instant::now()
    };
    let read = async {
        let entries = log.read(topic, 0, 0, 10, LONG).await.expect("records");
        (entries, Instant::now())
    };
    let (appended, (entries, woken)) = tokio::join!(appended, read);
    assert!(!entries.is_empty() && value(&entries[0]) == "1");
    let late = woken.saturating_duration_since(appended);
    assert!(late < Duration::from_secs(2), "woken {late:?} after the append");
    assert_eq!(log.read(topic, 0, 0, 0, LONG).await.expect("nothing"), []);
}

pub(super) async fn what_is_in_the_log_is_given_without_a_wait(log: Arc<impl Log + ?Sized>) {
    let topic = "no.wait";
    let mut next = 0;
    for round in 0..4 {
        log.append((0..3).map(|n| record(topic, "k", format!("{round}/{n}"))).collect()).await.expect("positions");
        // On from where the last round found the end, and once more from the beginning.
        for start in [next, 0] {
            let (mut at, expected) = (start, if start == next { 3 } else { 3 * (round + 1) });
            for read in 0..expected {
                let entries = log.read(topic, 0, at, 1, Duration::ZERO).await.expect("records");
                assert_eq!(entries.len(), 1, "record {read} of {expected} is there, in round {round}");
                at = entries[0].offset + 1;
            }
            assert_eq!(log.read(topic, 0, at, 1, Duration::ZERO).await.expect("nothing"), []);
            assert_eq!(log.read(topic, 0, at, 1, Duration::ZERO).await.expect("still nothing"), []);
            next = at;
        }
    }
}

pub(super) async fn a_reader_may_start_anywhere(log: Arc<impl Log + ?Sized>) {
    let topic = "anywhere";
    let positions = log.append((0..500).map(|n| record(topic, "k", format!("{n}"))).collect()).await.expect("positions");
    for start in [0, 1, 63, 64, 250, 499] {
        let entries = log.read(topic, 0, positions[start].offset, 5, LONG).await.expect("records");
        let expected: Vec<String> = (start..500.min(start + entries.len())).map(|n| n.to_string()).collect();
        assert!(!entries.is_empty() && entries.len() <= 5);
        assert_eq!(entries.iter().map(value).collect::<Vec<_>>(), expected);
    }
    // Two readers at places of their own, turn by turn.
    let (mut near, mut far) = (0, positions[400].offset);
    for _ in 0..5 {
        for next in [&mut near, &mut far] {
            let entries = log.read(topic, 0, *next, 10, LONG).await.expect("records");
            assert_eq!(entries[0].offset, *next);
            *next = entries.last().expect("records").offset + 1;
        }
    }
    // One that starts past the end waits until the log has come there.
    let end = log.end_offset(topic, 0).await.expect("an end");
    assert_eq!(log.read(topic, 0, end + 1, 5, Duration::from_millis(200)).await.expect("nothing"), []);
    let later = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        log.append((500..510).map(|n| record(topic, "k", format!("{n}"))).collect()).await.expect("positions");
    };
    let (entries, ()) = tokio::join!(log.read(topic, 0, end + 1, 5, LONG), later);
    assert_eq!(value(&entries.expect("records")[0]), "501");
}

pub(super) async fn groups_have_positions_of_their_own(log: Arc<impl Log + ?Sized>) {
    let topic = "positions";
    log.create_topic(topic, TopicConfig { partitions: 2, retention: None }).await.expect("a topic");
    assert_eq!(log.committed("one", topic, 0).await.expect("nothing"), None);
    log.commit("one", topic, 0, 17).await.expect("a commit");
    log.commit("one", topic, 1, 3).await.expect("a commit");
    log.commit("two", topic, 0, 5).await.expect("a commit");
    log.commit("one", topic, 0, 9).await.expect("a position may go back");
    assert_eq!(log.committed("one", topic, 0).await.expect("a position"), Some(9));
    assert_eq!(log.committed("one", topic, 1).await.expect("a position"), Some(3));
    assert_eq!(log.committed("two", topic, 0).await.expect("a position"), Some(5));
    assert_eq!(log.committed("two", topic, 1).await.expect("nothing"), None);
}

pub(super) async fn old_records_are_dropped(log: Arc<impl Log + ?Sized>) {
    let (topic, kept) = ("retention", "retention.none");
    let hour = Duration::from_secs(3600);
    log.create_topic(topic, TopicConfig { partitions: 1, retention: Some(hour) }).await.expect("a topic");
    log.create_topic(kept, TopicConfig::default()).await.expect("a topic");
    let aged = |topic: &str, n: u32, age_ms: i64| {
        let mut append = record(topic, "k", format!("{n}:{}", "x".repeat(1000)));
        append.record.timestamp_ms = now_ms() - age_ms;
        append
    };
    // One append, so that the border between old and new lies inside of what is stored together.
    let records = (0..300).map(|n| aged(topic, n, if n < 200 { 2 * 3_600_000 } else { 0 })).collect();
    let positions = log.append(records).await.expect("positions");
    log.append((0..10).map(|n| aged(kept, n, 9_000_000_000)).collect()).await.expect("positions");

    assert!(log.enforce_retention().await.expect("a count") >= 200);
    assert_eq!(log.enforce_retention().await.expect("a count"), 0);
    assert_eq!(log.start_offset(topic, 0).await.expect("a start"), positions[200].offset);
    assert_eq!(log.start_offset(kept, 0).await.expect("a start"), 0);
    let entries = log.read(topic, 0, 0, 10, LONG).await.expect("records");
    assert_eq!(entries[0].offset, positions[200].offset);
    assert!(value(&entries[0]).starts_with("200:"));

    // A topic may become empty; its offsets go on.
    let all_old = "retention.all";
    log.create_topic(all_old, TopicConfig { partitions: 1, retention: Some(hour) }).await.expect("a topic");
    log.append((0..50).map(|n| aged(all_old, n, 2 * 3_600_000)).collect()).await.expect("positions");
    log.enforce_retention().await.expect("a count");
    let (start, end) = (log.start_offset(all_old, 0).await.expect("a start"), log.end_offset(all_old, 0).await.expect("an end"));
    // Kafka keeps the marker of the last transaction, which is as new as the append.
    assert!((50..=end).contains(&start), "{start} {end}");
    let next = log.append(vec![aged(all_old, 50, 0)]).await.expect("positions").remove(0).offset;
    assert!(next >= end);
    let entries = log.read(all_old, 0, 0, 10, LONG).await.expect("records");
    assert_eq!((entries.len(), entries[0].offset), (1, next));
}

pub(super) async fn what_does_not_exist_is_said(log: Arc<impl Log + ?Sized>) {
    let missing = |error: Error| matches!(&error, Error::NoSuchTopic { topic, .. } if topic == "missing");
    assert!(missing(log.read("missing", 0, 0, 1, Duration::ZERO).await.expect_err("no topic")));
    assert!(missing(log.end_offset("missing", 0).await.expect_err("no topic")));
    assert!(missing(log.start_offset("missing", 0).await.expect_err("no topic")));
    assert!(missing(log.commit("g", "missing", 0, 1).await.expect_err("no topic")));
    assert!(missing(log.committed("g", "missing", 0).await.expect_err("no topic")));
    log.create_topic("small", TopicConfig::default()).await.expect("a topic");
    let error = log.read("small", 1, 0, 1, Duration::ZERO).await.expect_err("no partition");
    assert!(matches!(error, Error::NoSuchTopic { partition: 1, .. }));
    for (name, partitions) in [("", 1), ("a b", 1), ("..", 1), ("none", 0), ("many", 100_000)] {
        let error = log.create_topic(name, TopicConfig { partitions, retention: None }).await.expect_err("refused");
        assert!(matches!(error, Error::Config { .. }), "{error}");
    }
}

pub(super) async fn large_records_pass_and_larger_ones_are_refused(log: Arc<impl Log + ?Sized>) {
    let topic = "large";
    // No two are alike and none can be compressed.
    let noise = |seed: u64, length: usize| {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        Bytes::from((0..length).map(|_| next()).collect::<Vec<u8>>())
    };
    let lengths = [1, 100, 70_000, MAX_RECORD_BYTES - 5, 3, 2_000_000];
    let records: Vec<Append> = lengths.iter().map(|length| record(topic, "large", noise(*length as u64, *length))).collect();
    for (n, append) in records.iter().enumerate() {
        log.append(vec![append.clone()]).await.unwrap_or_else(|error| panic!("record {n}: {error}"));
    }
    let entries = read_all(&log, topic, 0, records.len()).await;
    for (entry, append) in entries.iter().zip(&records) {
        assert!(entry.record == append.record, "{} bytes differ", append.record.value.as_ref().map_or(0, Bytes::len));
    }
    let error = log.append(vec![record(topic, "large", noise(1, MAX_RECORD_BYTES))]).await.expect_err("too large");
    assert!(matches!(&error, Error::Config { message, .. } if message.contains("larger than")), "{error}");
}

pub(super) async fn appenders_do_not_disturb_each_other(log: Arc<impl Log + ?Sized>) {
    let topic = "appenders";
    const APPENDERS: usize = 16;
    const APPENDS: usize = 40;
    log.create_topic(topic, TopicConfig { partitions: 3, retention: None }).await.expect("a topic");
    let append = |who: usize| {
        let log = log.clone();
        async move {
            let mut told = Vec::new();
            for n in 0..APPENDS {
                let records = (0..3).map(|part| record(topic, &format!("{who}/{part}"), format!("{n}"))).collect();
                told.extend(log.append(records).await.expect("positions"));
            }
            told
        }
    };
    let told = futures::future::join_all((0..APPENDERS).map(append)).await.concat();
    let places: HashSet<(u32, u64)> = told.iter().map(|position| (position.partition, position.offset)).collect();
    assert_eq!(places.len(), APPENDERS * APPENDS * 3);
    let mut by_key: BTreeMap<Bytes, Vec<String>> = BTreeMap::new();
    for partition in 0..3 {
        let count = places.iter().filter(|(at, _)| *at == partition).count();
        for entry in read_all(&log, topic, partition, count).await {
            assert!(places.contains(&(partition, entry.offset)));
            by_key.entry(entry.record.key.clone().expect("a key")).or_default().push(value(&entry).to_owned());
        }
    }
    assert_eq!(by_key.len(), APPENDERS * 3);
    let expected: Vec<String> = (0..APPENDS).map(|n| n.to_string()).collect();
    for (key, values) in by_key {
        assert_eq!(values, expected, "{key:?}");
    }
}

pub(super) async fn a_topic_is_made_once(log: Arc<impl Log + ?Sized>) {
    let config = TopicConfig { partitions: 4, retention: None };
    let made = futures::future::join_all((0..5).map(|_| log.create_topic("once", config.clone()))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    log.create_topic("once", TopicConfig { partitions: 9, retention: None }).await.expect("it is left as it is");
    log.append(vec![record("once.other", "k", "v")]).await.expect("an unknown topic is made");
    let topics = log.topics().await.expect("topics");
    assert!(topics.windows(2).all(|pair| pair[0].name < pair[1].name));
    let partitions = |name: &str| topics.iter().find(|topic| topic.name == name).map(|topic| topic.partitions);
    assert_eq!((partitions("once"), partitions("once.other"), partitions("once.missing")), (Some(4), Some(1), None));
}
