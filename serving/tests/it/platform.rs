//! The whole platform as a process of its own: `chimera up` on a port of its own, and the other commands beside it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary, with nothing of the environment that would lead it elsewhere.
pub fn chimera(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chimera"));
    for name in ["DATABASE_URL", "REDIS_URL", "RABBITMQ_URL", "CHIMERA_SMTP_URL", "CHIMERA_KAFKA", "CHIMERA_LISTEN", "CHIMERA_CONFIG"] {
        command.env_remove(name);
    }
    command.env("CHIMERA_HOME", home).stdin(Stdio::null());
    command
}

/// A running `chimera up`; it ends with the test.
pub struct Platform {
    home: PathBuf,
    child: Child,
}

impl Platform {
    /// Starts it in `home`, and waits until it answers. It sends no messages: RabbitMQ takes its time.
    pub fn start(home: &Path, arguments: &[&str]) -> Self {
        Self::start_whole(home, &[arguments, &["--no-notifications"]].concat())
    }

    /// The same with messages.
    pub fn start_whole(home: &Path, arguments: &[&str]) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(home.join("up.log")).expect("a log file");
        let child = chimera(home)
            .args(["up", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the platform starts");
        let mut platform = Self { home: home.to_owned(), child };
        let deadline = Instant::now() + Duration::from_secs(120);
        while !chimera(home).arg("status").output().expect("status runs").status.success() {
            let ended = platform.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "the platform did not come up:\n{}", platform.log());
            std::thread::sleep(Duration::from_millis(200));
        }
        platform
    }

    /// As a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("a child");
        std::mem::forget(self);
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("up.log")).unwrap_or_default()
    }

    /// What `chimera verify` finds, of all stores or of one.
    pub fn verify(&self, store: Option<&str>) -> Value {
        let mut command = chimera(&self.home);
        command.args(["verify", "--output", "json"]).args(store.map(|store| ["--store", store]).into_iter().flatten());
        let verified = command.output().expect("verify runs");
        let said = String::from_utf8_lossy(&verified.stderr);
        serde_json::from_slice(&verified.stdout).unwrap_or_else(|error| panic!("verify gave no JSON ({error}):\n{said}"))
    }

    /// What `chimera audit` says.
    pub fn trail(&self, arguments: &[&str]) -> Value {
        let said = chimera(&self.home).args(["audit", "--output", "json"]).args(arguments).output().expect("audit runs");
        let errors = String::from_utf8_lossy(&said.stderr);
        serde_json::from_slice(&said.stdout).unwrap_or_else(|error| panic!("audit gave no JSON ({error}):\n{errors}"))
    }

    /// What `chimera audit verify` says once `written` is true and everything is sealed.
    pub async fn sealed_after(&self, written: impl Fn() -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let (written, sealed) = (written(), self.trail(&["verify"]));
            if written && sealed["unsealed"] == 0 || Instant::now() > deadline {
                return sealed;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let note = std::fs::read_to_string(self.home.join("running.json")).expect("a note");
        serde_json::from_str::<Value>(&note).expect("JSON")["http_url"].as_str().expect("an address").to_owned()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = chimera(&self.home).arg("down").output();
    }
}
