//! The embedded log and a process that is killed, or a disk that refuses. The process is this test binary again, told by a variable
//! of the environment to append.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::log::{EmbeddedLog, Log};

use super::{record, run};

const FOLDER: &str = "CHIMERA_TEST_LOG_FOLDER";
const APPENDERS: usize = 4;
const TOPICS: [&str; 2] = ["left", "right"];

/// How far each appender has come in one topic; its values count from 0 without gaps.
fn counts(log: &EmbeddedLog, topic: &str) -> HashMap<String, u64> {
    run(async {
        let (mut counts, mut next) = (HashMap::new(), 0);
        let Ok(end) = log.end_offset(topic, 0).await else { return counts };
        while next < end {
            for entry in log.read(topic, 0, next, 10_000, Duration::ZERO).await.expect("records") {
                assert_eq!(entry.offset, next);
                let who = String::from_utf8_lossy(entry.record.key.as_deref().expect("a key")).into_owned();
                let value = String::from_utf8_lossy(entry.record.value.as_deref().expect("a value")).into_owned();
                let number: u64 = value.split(':').next().and_then(|number| number.parse().ok()).expect("a number");
                let count = counts.entry(who).or_insert(0);
                assert_eq!(*count, number, "a gap or a repetition in {topic} at offset {next}");
                *count += 1;
                next += 1;
            }
        }
        counts
    })
}

fn spawn(test: &str, folder: &Path, shell: Option<&str>) -> Child {
    let program = std::env::current_exe().expect("this program");
    let arguments = ["--exact", test, "--nocapture", "--test-threads=1"];
    let mut command = match shell {
        Some(script) => {
            let mut command = Command::new("sh");
            command.args(["-c", script]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command
        .args(arguments)
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// Not a test of its own: what the killed process does.
#[test]
fn child_appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let log = EmbeddedLog::open(folder).expect("a log");
    let reached = counts(&log, TOPICS[0]);
    run(async {
        let append = |who: usize| {
            let log: Arc<EmbeddedLog> = log.clone();
            let mut number = reached.get(&who.to_string()).copied().unwrap_or(0);
            async move {
                loop {
                    // Small and large appends, so that some are torn when the process goes.
                    let size = if number.is_multiple_of(7) { 60 } else { 1 + number % 3 };
                    let value = |n: u64| format!("{n}:{}", "x".repeat((n as usize * 37) % 3000));
                    let both = (number..number + size).flat_map(|n| TOPICS.map(|topic| record(topic, &who.to_string(), value(n))));
                    log.append(both.collect()).await.expect("positions");
                    number += size;
                    say(&format!("acknowledged {who} {number}"));
                }
            }
        };
        futures::future::join_all((0..APPENDERS).map(append)).await;
    });
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged: HashMap<String, u64> = HashMap::new();
    for round in 0..6 {
        let mut child = spawn("log::crash::child_appends_until_it_is_killed", folder.path(), None);
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut heard = 0;
        for line in lines.map_while(Result::ok) {
            let mut words = line.split(' ');
            if words.next() != Some("acknowledged") {
                continue;
            }
            let (who, number) = (words.next().expect("who"), words.next().and_then(|number| number.parse().ok()).expect("a number"));
            acknowledged.insert(who.to_owned(), number);
            heard += 1;
            if heard == 40 + 45 * round {
                child.kill().expect("a kill");
            }
        }
        child.wait().expect("its end");
        assert!(heard >= 40, "the process ended by itself after {heard} appends");

        let log = EmbeddedLog::open(folder.path()).expect("the log opens again");
        let (left, right) = (counts(&log, TOPICS[0]), counts(&log, TOPICS[1]));
        assert_eq!(left, right, "half an append was kept");
        for (who, number) in &acknowledged {
            assert!(left[who] >= *number, "appender {who} was told {number}, but {} are there", left[who]);
        }
    }
}

/// Not a test of its own: appends what cannot be compressed until the file may not grow any more, then tries something small.
#[test]
fn child_appends_until_the_disk_refuses() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let log = EmbeddedLog::open(folder).expect("a log");
    run(async {
        let mut state = 1u64;
        for number in 0..100 {
            let mut noisy = |number: u64| {
                let noise = (0..7 << 20).map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    char::from(b' ' + (state >> 58) as u8)
                });
                record("left", "0", format!("{number}:{}", noise.collect::<String>()))
            };
            // From the second on more than a file may hold, so that no file that is begun anew in between takes it.
            let records = if number == 0 { vec![noisy(0)] } else { (number..number + 12).map(&mut noisy).collect() };
            match log.append(records).await {
                Ok(_) => say(&format!("acknowledged 0 {}", number + 1)),
                Err(error) => {
                    say(&format!("refused {error}"));
                    let small = log.append(vec![record("left", "0", format!("{number}:"))]).await.expect_err("it stays refused");
                    say(&format!("refused {small}"));
                    return;
                }
            }
        }
    });
}

#[test]
fn nothing_is_acknowledged_after_the_disk_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    // Files may have 66 MiB (in units of 512 bytes), and too large a write is an error, not a signal.
    let script = "trap '' XFSZ; ulimit -f 135168 && exec \"$0\" \"$@\"";
    let mut child = spawn("log::crash::child_appends_until_the_disk_refuses", folder.path(), Some(script));
    let lines: Vec<String> = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok).collect();
    child.wait().expect("its end");
    let acknowledged = lines.iter().filter(|line| line.starts_with("acknowledged")).count() as u64;
    let refused: Vec<&String> = lines.iter().filter(|line| line.starts_with("refused")).collect();
    assert!(acknowledged >= 1 && refused.len() == 2, "{lines:?}");
    assert!(refused.iter().all(|line| line.contains("until the process is started again")), "{refused:?}");

    let log = EmbeddedLog::open(folder.path()).expect("the log opens again");
    assert!(counts(&log, "left")["0"] >= acknowledged);
    run(async { log.append(vec![record("left", "0", "x")]).await.expect("and appends again") });
}
