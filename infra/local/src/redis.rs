//! A private Redis server that appends every write to a file.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::process::{find_program, free_port, make_folder, run, tail, wait_until};
use crate::resp::ask;
use crate::{Error, Result};

const SERVER: &str = "Redis";
const START_AT_MOST: Duration = Duration::from_secs(120);
pub(crate) const INSTALL: &str = "apt-get install redis-server";

/// How often the file of writes is forced to the disk. A killed process loses nothing with any of them; a machine without power may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFsync {
    /// Before each reply.
    Always,
    EverySecond,
    /// When the system does.
    Never,
}

/// How a server is started.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Where its data is kept. Made if missing.
    pub dir: PathBuf,
    /// `None`: a free one, which may be another at each start.
    pub port: Option<u16>,
    pub append_fsync: AppendFsync,
}

impl RedisOptions {
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), port: None, append_fsync: AppendFsync::EverySecond }
    }
}

/// A running server. Dropping this does not stop it.
#[derive(Debug)]
pub struct Redis {
    dir: PathBuf,
    port: u16,
    adopted: bool,
}

impl Redis {
    /// Starts the server of this folder, or adopts it if it runs already.
    pub fn start(options: &RedisOptions) -> Result<Self> {
        let program = find_program("redis-server", &["/usr/bin".into(), "/opt/homebrew/bin".into()])
            .ok_or_else(|| Error::Missing { what: SERVER.to_owned(), hint: format!("install it with `{INSTALL}`") })?;
        let dir = make_folder(&options.dir)?;
        let mut server = Self { dir, port: 0, adopted: false };
        if let Some(port) = server.running() {
            server.port = port;
            server.adopted = true;
            return Ok(server);
        }
        server.port = match options.port {
            Some(port) => port,
            None => free_port()?,
        };
        server.configure(options.append_fsync)?;
        run(std::process::Command::new(program).arg(server.conf_file()))?;
        // While it loads its file it answers with an error; both end well or badly in the log.
        if wait_until(START_AT_MOST, || server.is_ours(server.port)) {
            return Ok(server);
        }
        Err(Error::server(
            SERVER,
            &server.dir,
            format!("it did not start on port {}: {}", server.port, tail(&server.dir.join("redis.log"))),
        ))
    }

    /// Whether the server ran already.
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:port/`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Sends a command; the strings of its reply in order.
    pub fn ask(&self, command: &[&str]) -> Result<Vec<String>> {
        ask(self.port, command).map_err(|error| Error::server(SERVER, &self.dir, format!("`{}`: {error}", command.join(" "))))
    }

    /// Stops the server once its file is on the disk.
    pub fn stop(&self) -> Result<()> {
        // It closes the connection instead of an answer.
        let answer = ask(self.port, &["SHUTDOWN"]);
        let gone = || !self.pid_file().exists() && ask(self.port, &["PING"]).is_err();
        if wait_until(Duration::from_secs(60), gone) {
            return Ok(());
        }
        Err(Error::server(SERVER, &self.dir, format!("it did not stop: {answer:?}")))
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.dir.join("redis.pid")
    }

    fn conf_file(&self) -> PathBuf {
        self.dir.join("redis.conf")
    }

    /// The port of the server that runs in this folder.
    fn running(&self) -> Option<u16> {
        let conf = fs::read_to_string(self.conf_file()).ok()?;
        let port = conf.lines().find_map(|line| line.strip_prefix("port "))?.trim().parse().ok()?;
        let ours = wait_until(START_AT_MOST, || match ask(port, &["PING"]) {
            Err(error) => !error.to_string().starts_with("LOADING"),
            Ok(_) => true,
        });
        (ours && self.is_ours(port)).then_some(port)
    }

    /// Whether the server on that port answers and keeps its data here.
    fn is_ours(&self, port: u16) -> bool {
        ask(port, &["PING"]).is_ok()
            && ask(port, &["CONFIG", "GET", "dir"]).is_ok_and(|reply| reply.get(1).is_some_and(|dir| self.dir.as_os_str() == dir.as_str()))
    }

    fn configure(&self, append_fsync: AppendFsync) -> Result<()> {
        let append_fsync = match append_fsync {
            AppendFsync::Always => "always",
            AppendFsync::EverySecond => "everysec",
            AppendFsync::Never => "no",
        };
        let dir = self.dir.to_str().filter(|dir| !dir.contains(['"', '\\', '\n']));
        let dir = dir.ok_or_else(|| Error::server(SERVER, &self.dir, "the folder's name has a character that Redis cannot be told"))?;
        let settings = format!(
            "# Written at each start.\nport {port}\nbind 127.0.0.1\nprotected-mode yes\ndaemonize yes\ndir \"{dir}\"\n\
             pidfile \"{dir}/redis.pid\"\nlogfile \"{dir}/redis.log\"\nloglevel notice\ndatabases 16\n\
             appendonly yes\nappendfsync {append_fsync}\nsave \"\"\nmaxmemory-policy noeviction\nhz 20\n",
            port = self.port
        );
        fs::write(self.conf_file(), settings).map_err(Error::io("write", self.conf_file()))
    }
}
