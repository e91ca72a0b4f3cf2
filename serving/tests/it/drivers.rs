//! Live views through drivers and tools that fetch rows in parts.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::psql::{Shop, order};

/// psql asks for a cursor's rows in parts where FETCH_COUNT says so.
#[test]
fn cursors_give_rows_in_parts_and_stay_at_their_moment() {
    let shop = Shop::start();
    let query = "SELECT country, orders, revenue FROM sales.by_country ORDER BY country";
    let parts = shop.psql(&shop.token, &["-At", "-v", "FETCH_COUNT=3", "-c", query]);
    assert!(parts.status.success(), "{parts:?}");
    assert_eq!(String::from_utf8_lossy(&parts.stdout).trim(), shop.ask(query));

    // An answer that is too large to be sent whole.
    let large = "SELECT value FROM generate_series(1, 1200000) AS s(value)";
    let parts = shop.psql(&shop.token, &["-At", "-v", "FETCH_COUNT=50000", "-c", large]);
    assert_eq!(String::from_utf8_lossy(&parts.stdout).lines().count(), 1_200_000, "{}", String::from_utf8_lossy(&parts.stderr));

    // What a cursor gives is of the moment in which it was declared.
    let script = |middle: &str| {
        format!(
            "BEGIN;\nDECLARE c NO SCROLL CURSOR FOR SELECT orders FROM sales.totals UNION ALL SELECT orders FROM sales.totals;\n\
            DECLARE h CURSOR WITH HOLD FOR SELECT orders FROM sales.totals;\nFETCH 1 FROM c;\n{middle}\nFETCH ALL FROM c;\nFETCH c;\n\
            CLOSE c;\nCOMMIT;\nFETCH h;\nCLOSE ALL;\n\\echo now\nSELECT orders FROM sales.totals;\n"
        )
    };
    let before = shop.ask("SELECT orders FROM sales.totals");
    let path = shop.home.path().join("cursor.sql");
    let simulate = format!(
        "\\! CHIMERA_HOME={} {} simulate --rate 20 --duration 4 > /dev/null\n\\! sleep 2",
        shop.home.path().display(),
        env!("CARGO_BIN_EXE_chimera")
    );
    std::fs::write(&path, script(&simulate)).expect("written");
    let done = shop.psql(&shop.token, &["-Atq", "-f", path.to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..3], [&before, &before, &before], "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(lines[3], "now");
    assert!(lines[4].parse::<u64>().expect("a count") > before.parse().expect("a count"), "{said}");

    for (statements, message) in [
        ("DECLARE c CURSOR FOR SELECT 1", "transaction block"),
        ("BEGIN; DECLARE c CURSOR FOR SELECT 1; DECLARE c CURSOR FOR SELECT 1", "already exists"),
        ("BEGIN; DECLARE c CURSOR FOR SELECT 1; COMMIT; FETCH c", "does not exist"),
        ("BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH PRIOR FROM c", "scan forward"),
        ("BEGIN; DECLARE c CURSOR FOR DROP TABLE a", "only reading"),
        ("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; ROLLBACK; FETCH c", "does not exist"),
        ("BEGIN; DECLARE c CURSOR FOR SELECT * FROM generate_series(1, 1500000); FETCH ALL FROM c", "FETCH FORWARD"),
        ("BEGIN; SELECT nothing FROM sales.totals", "nothing"),
        ("SAVEPOINT a", "transaction block"),
    ] {
        let error = shop.refused(statements);
        assert!(error.contains(message), "{statements}: {error}");
    }
    let moved = shop.ask("BEGIN; DECLARE c CURSOR FOR SELECT * FROM generate_series(1, 9); MOVE 3 FROM c; FETCH 2 c; COMMIT");
    assert_eq!(moved, "BEGIN\nDECLARE CURSOR\nMOVE 3\n4\n5\nCOMMIT");
    // Places for cursors are bounded, and free again.
    let many: String = (0..65).map(|n| format!("DECLARE c{n} CURSOR WITH HOLD FOR SELECT 1; ")).collect();
    assert!(shop.refused(&many).contains("64 cursors"));
    assert!(
        shop.ask(&many.replace("c64 CURSOR WITH HOLD FOR SELECT 1;", "c0; CLOSE ALL").replace("DECLARE c0; ", "FETCH c0; "))
            .contains("CLOSE CURSOR ALL")
    );

    // A subscription that is asked for what there is.
    let subscribed =
        shop.ask("BEGIN; DECLARE s CURSOR FOR SUBSCRIBE sales.totals; FETCH ALL s; FETCH 5 s WITH (TIMEOUT = '100ms'); COMMIT");
    assert_eq!(subscribed.lines().filter(|line| line.contains("upsert")).count(), 1, "{subscribed}");

    // Errors point at their place.
    let error = shop.refused("SELECT 1;\nSELECT 2 2");
    assert!(error.contains("LINE 2: SELECT 2 2\n"), "{error}");
    let error = shop.refused("SELECT 1;\nSELECT orders, contry FROM sales.by_country");
    assert!(error.contains("contry"), "{error}");
    order(shop.home.path());
}

/// PostgreSQL's JDBC driver, which Metabase, DBeaver and reports use.
#[test]
fn the_jdbc_driver_reads_live_views() {
    let Some(jar) = jdbc_jar() else { return };
    let shop = Shop::start();
    let address = shop.views_url.rsplit_once('@').expect("a user").1.split('/').next().expect("a host").to_owned();
    let token = std::fs::read_to_string(shop.home.path().join("reader.token")).expect("the token");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/drivers/Jdbc.java");
    let done = Command::new("java").arg("-cp").arg(jar).args([source, &address, token.trim()]).output().expect("java runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
}

/// The driver's jar, fetched by Maven the first time. `None`: it cannot be had, and why has been said.
fn jdbc_jar() -> Option<PathBuf> {
    let skipped = |why: &str| {
        eprintln!("skipped: {why}");
        None
    };
    let pom = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/jdbc/pom.xml");
    let version = std::fs::read_to_string(pom).expect("the pom");
    let version =
        version.split("<artifactId>postgresql</artifactId>").nth(1).and_then(|rest| rest.split(['<', '>']).nth(2)).expect("a version");
    let Some(home) = std::env::var_os("HOME") else { return skipped("there is no HOME to keep the driver in") };
    let folder = PathBuf::from(home).join(".cache/chimera/jdbc").join(version);
    let jar = folder.join(format!("postgresql-{version}.jar"));
    if Command::new("java").arg("-version").stderr(Stdio::null()).status().is_err() {
        return skipped("Java is not installed");
    }
    if !jar.exists() {
        let output = format!("-DoutputDirectory={}", folder.display());
        match Command::new("mvn").args(["-q", "-B", "-f", pom, "package", &output]).status() {
            Ok(status) if status.success() => {}
            _ => return skipped("Maven could not fetch the JDBC driver"),
        }
    }
    Some(jar)
}
