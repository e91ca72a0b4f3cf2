//! What a log in a folder has to show beyond the suite: it is the same after a restart, and one process at a time has it.

use std::time::Duration;

use chimera_connectors::Error;
use chimera_connectors::log::{EmbeddedLog, Log, TopicConfig};

use super::{now_ms, record, run};

#[test]
fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut count = 0;
    for round in 0..4u64 {
        run(async {
            let log = EmbeddedLog::open(folder.path()).expect("a log");
            if round == 0 {
                let retention = Some(Duration::from_secs(3600));
                log.create_topic("old", TopicConfig { partitions: 2, retention }).await.expect("a topic");
                let mut gone = record("old", "k", "gone");
                gone.partition = Some(1);
                gone.record.timestamp_ms = now_ms() - 7_200_000;
                log.append(vec![gone; 20]).await.expect("positions");
                assert_eq!(log.enforce_retention().await.expect("a count"), 20);
            }
            assert_eq!((log.start_offset("old", 1).await.expect("a start"), log.end_offset("old", 1).await.expect("an end")), (20, 20));
            assert_eq!(log.committed("g", "old", 1).await.expect("a position"), round.checked_sub(1));
            log.commit("g", "old", 1, round).await.expect("a commit");
            for size in [1, 10, 2000] {
                let records = (count..count + size).map(|n| record("t", &n.to_string(), n.to_string())).collect();
                assert_eq!(log.append(records).await.expect("positions")[0].offset, count);
                count += size;
            }
            let mut next = 0;
            while next < count {
                for entry in log.read("t", 0, next, 500, Duration::ZERO).await.expect("records") {
                    assert_eq!((entry.offset, entry.record.value.as_deref()), (next, Some(next.to_string().as_bytes())));
                    next += 1;
                }
            }
            assert_eq!((next, log.end_offset("t", 0).await.expect("an end")), (count, count));
            assert_eq!(log.topics().await.expect("topics").len(), 2);
        });
    }
}

#[test]
fn a_folder_is_open_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = EmbeddedLog::open(folder.path()).expect("a log");
    let error = EmbeddedLog::open(folder.path()).err().expect("it is open already");
    assert!(matches!(error, Error::Unavailable { .. }) && error.to_string().contains("open in another process"), "{error}");
    drop(first);
    assert!(EmbeddedLog::open(folder.path()).is_ok());
}

#[test]
fn a_folder_that_is_none_is_an_error() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    assert!(EmbeddedLog::open(file.path()).is_err());
}
