//! A private PostgreSQL server, set up for logical replication.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::Account;
use crate::process::{find_program, free_port, make_folder, run, tail, wait_until};
use crate::{Error, Result};

const SERVER: &str = "PostgreSQL";
const SUPERUSER: &str = "chimera";
const START_AT_MOST: Duration = Duration::from_secs(120);
pub(crate) const INSTALL: &str = "apt-get install postgresql";

/// How a server is started.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where its data is kept. Made if missing.
    pub dir: PathBuf,
    /// `None`: a free one, which may be another at each start.
    pub port: Option<u16>,
    /// Off only where losing everything with the machine's power does not matter.
    pub fsync: bool,
}

impl PostgresOptions {
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), port: None, fsync: true }
    }
}

/// A running server. Dropping this does not stop it.
#[derive(Debug)]
pub struct Postgres {
    /// The cluster's folder.
    data: PathBuf,
    bin: PathBuf,
    account: Account,
    port: u16,
    adopted: bool,
}

impl Postgres {
    /// Starts the server of this folder, or adopts it if it runs already; initialises the folder if it is new.
    pub fn start(options: &PostgresOptions) -> Result<Self> {
        let bin = bin_folder()?;
        let dir = make_folder(&options.dir)?;
        let account = Account::for_folder(&dir)?;
        let data = dir.join("data");
        if !data.join("PG_VERSION").exists() {
            initialise(&account, &bin, &dir, options.fsync)?;
        }
        let mut server = Self { data, bin, account, port: 0, adopted: false };
        if let Some(port) = server.running()? {
            server.port = port;
            server.adopted = true;
            return Ok(server);
        }
        server.port = match options.port {
            Some(port) => port,
            None => free_port()?,
        };
        server.configure(options)?;
        server.launch()?;
        Ok(server)
    }

    /// Starts a streaming replica of this server in another folder; it is only read from.
    pub fn replicate(&self, options: &PostgresOptions) -> Result<Self> {
        let dir = make_folder(&options.dir)?;
        let account = Account::for_folder(&dir)?;
        let mut copy = account.command(self.bin.join("pg_basebackup"));
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "-d", &self.url("postgres")]);
        if !options.fsync {
            copy.arg("--no-sync");
        }
        run(copy.arg("-D").arg(dir.join("data")))?;
        Self::start(options)
    }

    /// Whether the server ran already.
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `postgres://chimera@127.0.0.1:port/database`. The superuser has no password: only this machine reaches the server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database if there is none of that name; returns whether it made it.
    pub fn create_database(&self, name: &str) -> Result<bool> {
        let literal = name.replace('\'', "''");
        if self.query("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{literal}'"))?.trim() == "1" {
            return Ok(false);
        }
        self.query("postgres", &format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")))?;
        Ok(true)
    }

    /// Runs SQL through `psql`; rows come as lines, columns parted by `|`.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        run(Command::new(self.bin.join("psql")).args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql]))
    }

    /// Ends sessions and stops the server; returns once it is gone. What was committed stays.
    pub fn stop(&self) -> Result<()> {
        self.control(&["stop", "-w", "-t", "60", "-m", "fast"])
    }

    /// Stops the server as a crash would: the next start recovers from the write-ahead log.
    pub fn crash(&self) -> Result<()> {
        self.control(&["stop", "-w", "-t", "60", "-m", "immediate"])
    }

    /// The file whose first line is the server's process id.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.data.join("postmaster.pid")
    }

    fn log_file(&self) -> PathBuf {
        self.data.join("server.log")
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        run(self.account.command(self.bin.join("pg_ctl")).arg("-D").arg(&self.data).args(arguments)).map(drop)
    }

    /// The port of the server that runs in this folder; removes the mark of one that was killed.
    fn running(&self) -> Result<Option<u16>> {
        let text = match fs::read_to_string(self.pid_file()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", self.pid_file())(error)),
        };
        let lines: Vec<&str> = text.lines().collect();
        let pid = lines.first().map_or("", |line| line.trim());
        match fs::read_link(format!("/proc/{pid}/cwd")) {
            Ok(folder) if folder != self.data => {
                // The id was given to another process since: PostgreSQL would take that one for itself and refuse to start.
                fs::remove_file(self.pid_file()).map_err(Error::io("remove", self.pid_file()))?;
                return Ok(None);
            }
            Ok(_) => {}
            Err(_) if self.control(&["status"]).is_err() => return Ok(None),
            Err(_) => {}
        }
        let Some(port) = lines.get(3).and_then(|line| line.trim().parse().ok()) else { return Ok(None) };
        let answers = || Self { port, adopted: true, account: self.account.clone(), bin: self.bin.clone(), data: self.data.clone() };
        let answers = answers();
        if wait_until(START_AT_MOST, || answers.query("postgres", "SELECT 1").is_ok()) {
            return Ok(Some(port));
        }
        Err(Error::server(
            SERVER,
            &self.data,
            format!("process {pid} runs, but does not answer on port {port}: {}", tail(&self.log_file())),
        ))
    }

    /// Writes our settings beside PostgreSQL's own; they are read by its last line.
    fn configure(&self, options: &PostgresOptions) -> Result<()> {
        let durable = if options.fsync { "on" } else { "off" };
        let settings = format!(
            "# Written at each start.\n\
             listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nmax_connections = 200\n\
             wal_level = logical\nmax_wal_senders = 32\nmax_replication_slots = 32\nwal_writer_delay = 10ms\n\
             shared_buffers = 128MB\nwork_mem = 8MB\nmaintenance_work_mem = 64MB\nmax_wal_size = 1GB\nrandom_page_cost = 1.1\njit = off\n\
             timezone = 'UTC'\nlog_timezone = 'UTC'\nfsync = {durable}\nfull_page_writes = {durable}\n",
            port = self.port
        );
        let file = self.data.join("chimera.conf");
        fs::write(&file, settings).map_err(Error::io("write", &file))?;
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .map_err(Error::io("set the permissions of", &file))?;
        let log = self.log_file();
        match fs::rename(&log, log.with_extension("log.old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("move away", &log)(error)),
            _ => Ok(()),
        }
    }

    fn launch(&self) -> Result<()> {
        let seconds = START_AT_MOST.as_secs().to_string();
        let log = self.log_file();
        let started = run(self
            .account
            .command(self.bin.join("pg_ctl"))
            .args(["start", "-s", "-w", "-t", &seconds, "-D"])
            .arg(&self.data)
            .arg("-l")
            .arg(&log));
        match started {
            Ok(_) => Ok(()),
            Err(Error::Command { output, .. }) => {
                Err(Error::server(SERVER, &self.data, format!("it did not start on port {}: {output}\n{}", self.port, tail(&log))))
            }
            Err(error) => Err(error),
        }
    }
}

/// The newest installed version's programs, or those in `PATH`.
pub(crate) fn bin_folder() -> Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let mut folders: Vec<PathBuf> = versions.into_iter().rev().map(|(_, folder)| folder).collect();
    folders.push("/opt/homebrew/opt/postgresql/bin".into());
    let found =
        find_program("initdb", &folders).and_then(|file| fs::canonicalize(file).ok()).and_then(|file| Some(file.parent()?.to_owned()));
    match found {
        Some(folder) if folder.join("postgres").exists() => Ok(folder),
        _ => Err(Error::Missing { what: SERVER.to_owned(), hint: format!("install it with `{INSTALL}`") }),
    }
}

/// Makes the cluster beside its place and moves it there whole, so that one that was interrupted is never taken for one.
fn initialise(account: &Account, bin: &Path, dir: &Path, fsync: bool) -> Result<()> {
    let new = dir.join("data.new");
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", &new)(error)),
        _ => {}
    }
    let mut command = account.command(bin.join("initdb"));
    command.args(["--encoding=UTF8", "--locale=C", "--auth=trust", "-U", SUPERUSER]);
    if !fsync {
        command.arg("--no-sync");
    }
    run(command.arg("-D").arg(&new))?;
    let conf = new.join("postgresql.conf");
    let mut text = fs::read_to_string(&conf).map_err(Error::io("read", &conf))?;
    text.push_str("\ninclude_if_exists = 'chimera.conf'\n");
    fs::write(&conf, text).map_err(Error::io("write", &conf))?;
    fs::rename(&new, dir.join("data")).map_err(Error::io("move into place", &new))
}
