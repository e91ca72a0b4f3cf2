//! The sample shop, read with PostgreSQL's own psql.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::platform::{Platform, chimera};

/// A running platform with the sample shop, and how it is reached.
pub struct Shop {
    pub platform: Platform,
    pub views_url: String,
    pub database_url: String,
    pub token: String,
    pub home: tempfile::TempDir,
}

impl Shop {
    /// A small shop of our own making: the sample.
    pub fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"))
    }

    /// In a folder that may hold what was there before.
    pub fn start_in(home: tempfile::TempDir) -> Self {
        let platform = Platform::start(home.path(), &["--listen-pg", "127.0.0.1:0"]);
        let note: serde_json::Value =
            serde_json::from_slice(&std::fs::read(home.path().join("running.json")).expect("the note")).expect("JSON");
        let text = |name: &str| note[name].as_str().expect("a URL").to_owned();
        let token = std::fs::read_to_string(home.path().join("operator.token")).expect("the token").trim().to_owned();
        let verified = platform.verify(Some("sales.by_country"));
        assert_eq!(verified["equal"], true, "{verified:#}");
        Self { views_url: text("views_url"), database_url: text("database_url"), platform, token, home }
    }

    /// As a power cut would; what it leaves behind.
    pub fn kill(self) -> tempfile::TempDir {
        self.platform.kill();
        self.home
    }

    pub fn psql(&self, password: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("psql");
        command.args([&self.views_url, "-X", "-v", "ON_ERROR_STOP=1"]).args(arguments).env("PGPASSWORD", password);
        command.stdin(Stdio::null()).output().expect("psql runs")
    }

    pub fn ask(&self, sql: &str) -> String {
        let done = self.psql(&self.token, &["-At", "-c", sql]);
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    pub fn refused(&self, sql: &str) -> String {
        let done = self.psql(&self.token, &["-c", sql]);
        assert!(!done.status.success(), "{sql} was not refused: {}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8_lossy(&done.stderr).into_owned()
    }

    /// As another user: what came on stdout, or on stderr where it fails.
    pub fn as_user(&self, user: &str, sql: &str) -> Result<String, String> {
        let token = std::fs::read_to_string(self.home.path().join(format!("{user}.token"))).expect("the token");
        let url = self.views_url.replace("operator@", &format!("{user}@"));
        let mut psql = Command::new("psql");
        psql.args([&url, "-X", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql]).env("PGPASSWORD", token.trim()).stdin(Stdio::null());
        let done = psql.output().expect("psql runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if done.status.success() { Ok(text(&done.stdout) + &text(&done.stderr)) } else { Err(text(&done.stderr)) }
    }

    /// The same through PostgreSQL itself.
    pub fn reporting(&self, sql: &str) -> String {
        self.database("reporting", sql)
    }

    pub fn database(&self, name: &str, sql: &str) -> String {
        let url = self.database_url.replace("/postgres", &format!("/{name}"));
        let done = Command::new("psql").args([&url, "-X", "-At", "-c", sql]).output().expect("psql runs");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }
}

/// Shoppers come for five seconds.
pub fn order(home: &Path) {
    let done = chimera(home).args(["simulate", "--rate", "20", "--duration", "5"]).output().expect("simulate runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
