use std::panic::{AssertUnwindSafe, catch_unwind};

use chimera_local::{Postgres, PostgresOptions, TestPostgres};

use crate::{listens, or_skip};

#[test]
fn a_server_decodes_its_log_survives_a_crash_and_ends_with_its_test() {
    let Some(mut server) = or_skip(TestPostgres::start()) else { return };
    let port = server.port();
    assert_eq!(server.query("postgres", "SHOW wal_level").expect("wal_level").trim(), "logical");
    assert!(server.create_database("orders").expect("a database"));
    assert!(!server.create_database("orders").expect("the database is there"));
    server.query("orders", "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)").expect("rows");
    server.query("orders", "SELECT pg_create_logical_replication_slot('s', 'pgoutput')").expect("a slot");

    server.crash_and_restart().expect("a restart");
    assert_eq!(server.port(), port);
    assert_eq!(server.query("orders", "SELECT count(*), sum(n) FROM t").expect("a sum").trim(), "1000|500500");
    assert_eq!(server.query("orders", "SHOW server_encoding").expect("an encoding").trim(), "UTF8");
    let refused = server.query("orders", "SELECT nothing FROM t").expect_err("no such column").to_string();
    assert!(refused.contains("\"nothing\" does not exist"), "{refused}");

    drop(server);
    assert!(!listens(port));
}

#[test]
fn a_running_server_is_adopted_and_a_stale_mark_is_not_taken_for_one() {
    let Some(server) = or_skip(TestPostgres::start()) else { return };
    let data = server.query("postgres", "SHOW data_directory").expect("a folder");
    let folder = std::path::Path::new(data.trim()).parent().expect("a folder above").to_owned();
    let options = PostgresOptions { fsync: false, ..PostgresOptions::new(&folder) };

    let adopted = Postgres::start(&options).expect("the same server");
    assert!(adopted.adopted());
    assert_eq!(adopted.port(), server.port());

    adopted.stop().expect("a stop");
    assert!(!listens(server.port()));
    // The mark of a server that was killed, whose process id is ours now.
    std::fs::write(folder.join("data/postmaster.pid"), format!("{}\n{}\n0\n{}\n", std::process::id(), data.trim(), server.port()))
        .expect("a mark");
    let again = Postgres::start(&options).expect("a new server");
    assert!(!again.adopted());
    assert_eq!(again.query("postgres", "SELECT 1").expect("an answer").trim(), "1");
}

#[test]
fn a_server_ends_when_its_test_panics() {
    let mut port = 0;
    let result = catch_unwind(AssertUnwindSafe(|| {
        let Some(server) = or_skip(TestPostgres::start()) else { return };
        port = server.port();
        assert!(listens(port));
        panic!("as a failing test does");
    }));
    assert!(port == 0 || result.is_err());
    assert!(port == 0 || !listens(port));
}
