//! The platform killed with SIGKILL at random moments while a real shop's orders come in; afterwards every store equals the plain SQL.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::platform::{Platform, chimera};

/// Invoices played, and how often the platform is killed meanwhile; `make chaos` plays the whole year.
const INVOICES: &str = "2500";
const KILLS: u64 = 5;

#[test]
fn killed_again_and_again_every_store_still_equals_the_plain_sql() {
    let data = std::env::var("CHIMERA_DATA").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    let year = Path::new(&data).join("online-retail/online_retail.csv.gz");
    if !year.is_file() {
        eprintln!("skipped: the year under SIGKILL: no {}", year.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let mut platform = Platform::start(home, &["--no-sample"]);
    let mut replay = chimera(home)
        .args(["replay", "--speed", "max", "--connections", "2", "--limit", INVOICES])
        .arg(&year)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("replay starts");
    for kill in 0..KILLS {
        // No two kills at the same point of a checkpoint's interval.
        std::thread::sleep(Duration::from_millis(700 + kill * 1_300 + u64::from(std::process::id()) % 700));
        platform.kill();
        platform = Platform::start(home, &["--no-sample"]);
    }
    let replayed = replay.wait().expect("replay ends");
    assert!(replayed.success(), "PostgreSQL holds other totals than the file");
    let verified = platform.verify(None);
    assert_eq!(verified["equal"], true, "{verified:#}");
}
