//! The platform killed with SIGKILL at random moments while a real shop's orders come in; afterwards every store equals the plain SQL.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::platform::{Platform, chimera};

/// Invoices played, and how often the platform is killed meanwhile; `make chaos` plays the whole year.
const INVOICES: &str = "2500";
const KILLS: u64 = 5;

/// The first `invoices` of the year, with two writers.
pub fn replay(home: &Path, year: &Path, invoices: &str) -> Command {
    let mut command = chimera(home);
    command.args(["replay", "--speed", "max", "--connections", "2", "--limit", invoices]).arg(year);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

pub fn year() -> Option<PathBuf> {
    let data = std::env::var("CHIMERA_DATA").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    let year = Path::new(&data).join("online-retail/online_retail.csv.gz");
    if !year.is_file() {
        eprintln!("skipped: a real year under faults: no {}", year.display());
        return None;
    }
    Some(year)
}

pub fn assert_verified(platform: &Platform) {
    let verified = platform.verify(None);
    assert_eq!(verified["equal"], true, "{verified:#}");
}

#[test]
fn killed_again_and_again_every_store_still_equals_the_plain_sql() {
    let Some(year) = year() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    // Checkpoints come often, so that kills hit them.
    let arguments = ["--no-sample", "--checkpoint-every", "1"];
    let mut platform = Platform::start(home, &arguments);
    let mut replay = replay(home, &year, INVOICES).spawn().expect("replay starts");
    for kill in 0..KILLS {
        // No two kills at the same point of a checkpoint's interval.
        std::thread::sleep(Duration::from_millis(700 + kill * 1_300 + u64::from(std::process::id()) % 700));
        platform.kill();
        platform = Platform::start(home, &arguments);
    }
    let replayed = replay.wait().expect("replay ends");
    assert!(replayed.success(), "PostgreSQL holds other totals than the file");
    assert_verified(&platform);
}

#[test]
fn a_store_that_loses_its_data_while_the_platform_runs_is_given_it_again() {
    let Some(year) = year() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let platform = Platform::start(home, &["--no-sample"]);
    assert!(replay(home, &year, "300").status().expect("replay runs").success());
    let note: serde_json::Value = serde_json::from_slice(&std::fs::read(home.join("running.json")).expect("the note")).expect("JSON");
    let url = |name: &str| note[name].as_str().expect("a URL").to_owned();
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).output().expect("the program runs");
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run("redis-cli", &["-u", &url("redis_url"), "FLUSHALL"]);
    let reporting = url("database_url").replace("/postgres", "/reporting");
    run("psql", &[&reporting, "-v", "ON_ERROR_STOP=1", "-qc", "TRUNCATE sales_by_country, audit, chimera_applied"]);
    assert!(replay(home, &year, "600").status().expect("replay runs").success());
    assert_verified(&platform);
}
