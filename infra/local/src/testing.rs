//! Servers for tests: in a folder of their own, on a free port, gone when the test is, whether it ends, panics or is killed.

use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::rabbitmq::pid_file;
use crate::{AppendFsync, Error, Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis, RedisOptions, Result};

/// A process that waits for the end of ours, seen by the pipe to it being closed, and then ends a server and removes its folder.
/// It needs no signal from us, so it also works when we are killed.
pub(crate) struct Reaper(Child);

const SCRIPT: &str = r#"
read -r _
for pid in $(head -n 1 "$1" 2>/dev/null); do
  kill -"$2" "$pid" 2>/dev/null
  n=0
  while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
  kill -KILL "$pid" 2>/dev/null
done
[ -n "$3" ] && rm -rf "$3"
"#;

impl Reaper {
    /// Will end the processes named in the first line of `pid_file` by `signal`, then remove `folder`.
    pub(crate) fn spawn(pid_file: &Path, signal: &str, folder: Option<&Path>) -> Result<Self> {
        Command::new("sh")
            .args(["-c", SCRIPT, "reaper"])
            .arg(pid_file)
            .arg(signal)
            .arg(folder.unwrap_or_else(|| Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's group: Ctrl-C is for the tests, this one has work to do after them.
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(Error::io("run", "sh"))
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Nothing can be done about a failure here, and the folder is a temporary one.
        let _ = self.0.wait();
    }
}

/// A temporary folder that other users may pass through; its `Reaper` removes it.
pub(crate) fn temporary_folder() -> Result<PathBuf> {
    let folder =
        tempfile::Builder::new().prefix("chimera-test-").tempdir().map_err(Error::io("make a folder in", std::env::temp_dir()))?.keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).map_err(Error::io("set the permissions of", &folder))?;
    Ok(folder)
}

/// A PostgreSQL server for one test, without `fsync`.
pub struct TestPostgres {
    server: Postgres,
    options: PostgresOptions,
    _reaper: Reaper,
}

impl TestPostgres {
    pub fn start() -> Result<Self> {
        let folder = temporary_folder()?;
        let options = PostgresOptions { fsync: false, ..PostgresOptions::new(folder.join("postgres")) };
        // Before the server, so that one that starts only half is ended as well.
        let reaper = Reaper::spawn(&options.dir.join("data/postmaster.pid"), "QUIT", Some(&folder))?;
        Ok(Self { server: Postgres::start(&options)?, options, _reaper: reaper })
    }

    /// A streaming replica of it.
    pub fn replicate(&self) -> Result<Self> {
        let folder = temporary_folder()?;
        let options = PostgresOptions { fsync: false, ..PostgresOptions::new(folder.join("postgres")) };
        let reaper = Reaper::spawn(&options.dir.join("data/postmaster.pid"), "QUIT", Some(&folder))?;
        Ok(Self { server: self.server.replicate(&options)?, options, _reaper: reaper })
    }

    /// Stops the server, as a crash would, and starts it again on the same port.
    pub fn crash_and_restart(&mut self) -> Result<()> {
        self.server.crash()?;
        self.start_again()
    }

    /// Starts a server that was stopped on the same port.
    pub fn start_again(&mut self) -> Result<()> {
        self.options.port = Some(self.server.port());
        self.server = Postgres::start(&self.options)?;
        Ok(())
    }
}

impl Deref for TestPostgres {
    type Target = Postgres;

    fn deref(&self) -> &Postgres {
        &self.server
    }
}

/// A Redis server for one test.
pub struct TestRedis {
    server: Redis,
    options: RedisOptions,
    _reaper: Reaper,
}

impl TestRedis {
    pub fn start() -> Result<Self> {
        let folder = temporary_folder()?;
        let options = RedisOptions { append_fsync: AppendFsync::Never, ..RedisOptions::new(folder.join("redis")) };
        let reaper = Reaper::spawn(&options.dir.join("redis.pid"), "KILL", Some(&folder))?;
        Ok(Self { server: Redis::start(&options)?, options, _reaper: reaper })
    }

    /// Stops the server and starts it again on the same port, with its data.
    pub fn restart(&mut self) -> Result<()> {
        self.server.stop()?;
        self.start_again()
    }

    /// Starts a server that was stopped on the same port, with its data.
    pub fn start_again(&mut self) -> Result<()> {
        self.options.port = Some(self.server.port());
        self.server = Redis::start(&self.options)?;
        Ok(())
    }
}

impl Deref for TestRedis {
    type Target = Redis;

    fn deref(&self) -> &Redis {
        &self.server
    }
}

/// A RabbitMQ server for one test.
pub struct TestRabbitMq {
    server: RabbitMq,
    options: RabbitMqOptions,
    _reaper: Reaper,
}

impl TestRabbitMq {
    pub fn start() -> Result<Self> {
        let folder = temporary_folder()?;
        let options = RabbitMqOptions::new(folder.join("rabbitmq"));
        let reaper = Reaper::spawn(&pid_file(&options.dir), "KILL", Some(&folder))?;
        Ok(Self { server: RabbitMq::start(&options)?, options, _reaper: reaper })
    }

    /// Starts a server that was stopped, or crashed, on the same port, with its data.
    pub fn start_again(&mut self) -> Result<()> {
        self.options.port = Some(self.server.port());
        self.server = RabbitMq::start(&self.options)?;
        Ok(())
    }
}

impl Deref for TestRabbitMq {
    type Target = RabbitMq;

    fn deref(&self) -> &RabbitMq {
        &self.server
    }
}
