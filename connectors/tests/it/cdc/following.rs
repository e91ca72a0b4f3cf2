//! Snapshot and stream, side by side with writers; silence; trouble.

use std::time::{Duration, Instant};

use chimera_connectors::postgres_cdc::Phase;
use chimera_local::TestPostgres;
use sqlx::Row;

use super::support::{Bench, PATIENCE, replay, server, transactions};

pub(super) const SCHEMA: &str = "
CREATE TABLE accounts (id integer PRIMARY KEY, balance bigint NOT NULL, note text); ALTER TABLE accounts REPLICA IDENTITY FULL;
CREATE TABLE moves (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account integer NOT NULL, amount bigint NOT NULL); ALTER TABLE moves REPLICA IDENTITY FULL;
CREATE TABLE private (n integer);
INSERT INTO accounts SELECT n, 0, 'start' FROM generate_series(1, 2000) n;";
pub(super) const TABLES: [&str; 2] = ["public.accounts", "public.moves"];

/// Moves money about until told to stop; a third of the transactions is rolled back.
pub(super) async fn write(pool: sqlx::PgPool, seed: u64, stop: tokio_util::sync::CancellationToken) -> u64 {
    let mut state = seed;
    let mut random = move |bound: i32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i32 % bound
    };
    let mut committed = 0;
    while !stop.is_cancelled() {
        let (account, amount, fate) = (random(2500) + 1, random(1000), random(6));
        let sql = "INSERT INTO accounts VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, note = excluded.note";
        let result: Result<(), sqlx::Error> = async {
            let mut transaction = pool.begin().await?;
            let note = if fate < 2 { "never" } else { "moved" };
            sqlx::query(sql).bind(account).bind(i64::from(amount)).bind(note).execute(&mut *transaction).await?;
            sqlx::query("INSERT INTO moves (account, amount) VALUES ($1, $2)")
                .bind(account)
                .bind(i64::from(amount))
                .execute(&mut *transaction)
                .await?;
            match fate {
                0 | 1 => transaction.rollback().await,
                2 => {
                    sqlx::query("DELETE FROM accounts WHERE id = $1").bind(account).execute(&mut *transaction).await?;
                    transaction.commit().await
                }
                3 => {
                    sqlx::query("SAVEPOINT s").execute(&mut *transaction).await?;
                    sqlx::query("UPDATE accounts SET note = 'never' WHERE id = $1").bind(account).execute(&mut *transaction).await?;
                    sqlx::query("ROLLBACK TO s").execute(&mut *transaction).await?;
                    transaction.commit().await
                }
                _ => transaction.commit().await,
            }
        }
        .await;
        // Two writers may get into each other's way, or the server may be gone; what was not committed does not count.
        match result {
            Ok(()) => committed += u64::from(fate >= 2),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    committed
}

/// The log, replayed, is what the tables are.
pub(super) async fn check(bench: &Bench) -> usize {
    let logged = transactions(&*bench.log, &bench.service).await;
    let tables = replay(&logged, "id");
    for table in ["accounts", "moves"] {
        let expected = bench.table(table, "id").await;
        let found = tables.get(&format!("public.{table}")).cloned().unwrap_or_default();
        assert_eq!(found.len(), expected.len(), "{table}");
        assert!(found == expected, "{table} differs");
    }
    let never = logged.iter().flat_map(|transaction| &transaction.changes).find(|change| change["after"]["note"] == "never");
    assert!(never.is_none(), "was rolled back: {never:?}");
    logged.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_among_writers_loses_and_doubles_nothing() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let writers: Vec<_> = (0..3).map(|seed| tokio::spawn(write(bench.pool.clone(), seed, stop.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let running = bench.start(&TABLES);
    let start = Instant::now();
    while running.handle.status().transactions < 200 {
        assert!(start.elapsed() < PATIENCE, "{:?}", running.handle.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(running.handle.status().phase, Phase::Streaming);
    stop.cancel();
    let mut committed = 0;
    for writer in writers {
        committed += writer.await.expect("a writer");
    }
    bench.caught_up(&running.handle).await;
    running.stop().await;
    let logged = check(&bench).await;
    eprintln!("{committed} transactions committed, {logged} in the log");
    assert!(logged as u64 <= committed + 200, "the log has no more than was committed, and heartbeats");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_was_stopped_goes_on_where_it_was() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    for round in 0..4 {
        let running = bench.start(&TABLES);
        bench
            .execute(&format!(
                "INSERT INTO moves (account, amount) VALUES ({round}, 1); UPDATE accounts SET balance = {round} WHERE id < 10"
            ))
            .await;
        bench.caught_up(&running.handle).await;
        running.stop().await;
        bench.execute(&format!("INSERT INTO moves (account, amount) VALUES ({round}, 2)")).await;
    }
    let running = bench.start(&TABLES);
    bench.caught_up(&running.handle).await;
    running.stop().await;
    check(&bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_database_moves_on() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    let running = bench
        .start_with(chimera_connectors::postgres_cdc::Options { heartbeat_interval: Duration::from_millis(200), ..bench.options(&TABLES) });
    bench.caught_up(&running.handle).await;
    let confirmed = async || {
        let sql = "SELECT (confirmed_flush_lsn - '0/0')::bigint, (pg_current_wal_lsn() - confirmed_flush_lsn)::bigint FROM pg_replication_slots WHERE slot_name = $1";
        let row = sqlx::query(sql).bind(format!("chimera_{}", bench.service)).fetch_one(&bench.pool).await.expect("a slot");
        (row.get::<i64, _>(0), row.get::<i64, _>(1))
    };
    let (before, _) = confirmed().await;
    // Nothing that is published; more than what may be left behind.
    bench.execute("INSERT INTO private SELECT n FROM generate_series(1, 50000) n").await;
    let start = Instant::now();
    loop {
        let (now, behind) = confirmed().await;
        if now > before + 1_000_000 && behind < 1_000_000 {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{before} {now} {behind}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A position that is asked for is passed soon.
    let mut waits = Vec::new();
    for _ in 0..20 {
        bench.execute("INSERT INTO private VALUES (1)").await;
        let start = Instant::now();
        bench.caught_up(&running.handle).await;
        waits.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    waits.sort();
    eprintln!("from a nudge to its position: p50 {:?}, most {:?}", waits[10], waits[19]);
    running.stop().await;
    check(&bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_larger_than_an_append_is_whole() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    let running = bench.start(&TABLES);
    bench.caught_up(&running.handle).await;
    bench.execute("INSERT INTO moves (account, amount) SELECT n, n FROM generate_series(1, 60000) n").await;
    bench.execute("UPDATE accounts SET balance = 1 WHERE id = 1").await;
    bench.caught_up(&running.handle).await;
    running.stop().await;
    let bytes: usize = {
        let entries = bench.log.read(&format!("{}.public.moves", bench.service), 0, 0, 100, Duration::ZERO).await.expect("read");
        entries.iter().map(|entry| entry.record.value.as_ref().map_or(0, bytes::Bytes::len)).sum::<usize>() * 600
    };
    assert!(bytes > 16 << 20, "{bytes} bytes are no large transaction");
    check(&bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_is_waited_for_and_one_that_stops_is_not_held_up() {
    let Ok(mut server) = TestPostgres::start().map_err(|error| eprintln!("skipped: no PostgreSQL: {error}")) else { return };
    let bench = Bench::new(&server, SCHEMA).await;
    let running = bench.start(&TABLES);
    bench.caught_up(&running.handle).await;
    bench.execute("INSERT INTO moves (account, amount) VALUES (1, 1)").await;
    bench.caught_up(&running.handle).await;
    tokio::task::block_in_place(|| server.crash_and_restart()).expect("the server comes back");
    bench.execute("SELECT 1").await;
    bench.execute("INSERT INTO moves (account, amount) VALUES (1, 2)").await;
    bench.caught_up(&running.handle).await;
    check(&bench).await;

    // WAL that nobody confirms would keep the server from stopping.
    bench.execute("INSERT INTO private SELECT n FROM generate_series(1, 1000) n").await;
    bench.pool.close().await;
    let start = Instant::now();
    tokio::task::block_in_place(|| server.stop()).expect("the server stops");
    eprintln!("stopped in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    let says = async |running: &super::support::Running, words: &[&str]| {
        let start = Instant::now();
        loop {
            if let Phase::Waiting { error } = running.handle.status().phase
                && words.iter().all(|word| error.contains(word))
            {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "wanted {words:?}: {:?}", running.handle.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let running = bench.start(&["public.nowhere"]);
    says(&running, &["public.nowhere", "does not exist"]).await;
    running.stop().await;

    let running = bench.start(&["public.accounts"]);
    bench.caught_up(&running.handle).await;
    running.stop().await;
    let running = bench.start(&TABLES);
    says(&running, &["public.moves", "publication"]).await;
    running.stop().await;

    bench.execute(&format!("SELECT pg_drop_replication_slot('chimera_{}')", bench.service)).await;
    let running = bench.start(&["public.accounts"]);
    says(&running, &["slot", "is gone", "delete the topics"]).await;
    running.stop().await;

    let mut nowhere = bench.options(&TABLES);
    nowhere.url = "postgres://postgres@127.0.0.1:1/none".to_owned();
    let running = bench.start_with(nowhere);
    says(&running, &["PostgreSQL"]).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_was_cut_off_is_taken_anew() {
    let Some(server) = server() else { return };
    let bench = Bench::new(server, SCHEMA).await;
    // What is left of an attempt: a slot, and the beginning of a snapshot in the log.
    bench.execute(&format!("SELECT pg_create_logical_replication_slot('chimera_{}', 'pgoutput')", bench.service)).await;
    let record = |topic: &str, value: String| chimera_connectors::log::Append {
        topic: format!("{}.{topic}", bench.service),
        partition: Some(0),
        record: chimera_connectors::log::Record::new(None, Some(value.into()), 1),
    };
    let begin = r#"{"status":"BEGIN","id":"snapshot:1","event_count":null,"data_collections":null,"ts_ms":1}"#.to_owned();
    let row = r#"{"before":null,"after":{"id":1,"balance":7,"note":"of before"},"source":{"schema":"public","table":"accounts"},"transaction":{"id":"snapshot:1","total_order":1,"data_collection_order":1},"op":"r","ts_ms":1}"#.to_owned();
    bench.log.append(vec![record("transaction", begin), record("public.accounts", row)]).await.expect("appended");
    let running = bench.start(&TABLES);
    bench.caught_up(&running.handle).await;
    running.stop().await;
    check(&bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_lost_its_end_is_noticed() {
    let Some(server) = server() else { return };
    let mut bench = Bench::new(server, SCHEMA).await;
    let running = bench.start(&TABLES);
    bench.caught_up(&running.handle).await;
    bench.execute("UPDATE accounts SET balance = 1 WHERE id = 1").await;
    bench.caught_up(&running.handle).await;
    running.stop().await;
    // What a copy from before the update would hold.
    let topic = format!("{}.transaction", bench.service);
    let old = chimera_connectors::log::embedded::EmbeddedLog::open(bench.unused_log_dir()).expect("a log");
    let marks = bench.log.read(&topic, 0, 0, 2, Duration::ZERO).await.expect("read");
    let marks =
        marks.into_iter().map(|entry| chimera_connectors::log::Append { topic: topic.clone(), partition: Some(0), record: entry.record });
    chimera_connectors::log::Log::append(&*old, marks.collect()).await.expect("appended");
    bench.log = old;
    let running = bench.start(&TABLES);
    let start = Instant::now();
    while !matches!(running.handle.status().phase, Phase::Waiting { error } if error.contains("the log lost its end")) {
        assert!(start.elapsed() < PATIENCE, "{:?}", running.handle.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.stop().await;
}
