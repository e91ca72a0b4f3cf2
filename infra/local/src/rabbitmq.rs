//! A private RabbitMQ server: one node, which knows no other.
//!
//! Erlang's nodes find each other through a port mapper (`epmd`). This node has one of its own, on a port of its own, so that it neither meets the
//! machine's nor leaves one behind that others come to lean on.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::process::{find_program, free_port, lives_in, make_folder, run, tail, wait_until};
use crate::{Error, Result};

const SERVER: &str = "RabbitMQ";
/// The Erlang machine takes seconds, and many of them on a busy machine.
const START_AT_MOST: Duration = Duration::from_secs(180);
const STOP_AT_MOST: Duration = Duration::from_secs(60);
pub(crate) const INSTALL: &str = "apt-get install rabbitmq-server";

/// How a server is started.
#[derive(Clone, Debug)]
pub struct RabbitMqOptions {
    /// Where its data is kept. Made if missing.
    pub dir: PathBuf,
    /// `None`: a free one, which may be another at each start.
    pub port: Option<u16>,
}

impl RabbitMqOptions {
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), port: None }
    }
}

/// A running server. Dropping this does not stop it.
#[derive(Debug)]
pub struct RabbitMq {
    dir: PathBuf,
    port: u16,
    adopted: bool,
}

impl RabbitMq {
    /// Starts the server of this folder, or adopts it if it runs already.
    pub fn start(options: &RabbitMqOptions) -> Result<Self> {
        let (program, mapper) = programs()?;
        let dir = make_folder(&options.dir)?;
        let mut server = Self { dir, port: 0, adopted: false };
        if let Some(port) = server.running()? {
            server.port = port;
            server.adopted = true;
            return Ok(server);
        }
        server.end_mapper();
        server.port = match options.port {
            Some(port) => port,
            None => free_port()?,
        };
        server.configure()?;
        server.launch(&program, &mapper)?;
        Ok(server)
    }

    /// Whether the server ran already.
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its data is kept.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// `amqp://guest:guest@127.0.0.1:port/%2f`. The user is known to everybody: only this machine reaches the server.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Stops the server of a folder, and what belongs to it, if they run.
    pub fn stop_in(dir: &Path) -> Result<()> {
        Self { dir: make_folder(dir)?, port: 0, adopted: true }.stop()
    }

    /// Stops the server once its queues are on the disk.
    pub fn stop(&self) -> Result<()> {
        self.end("TERM")
    }

    /// Ends the server as a crash would.
    pub fn crash(&self) -> Result<()> {
        self.end("KILL")
    }

    fn end(&self, signal: &str) -> Result<()> {
        if let Some(pid) = self.server_pid() {
            run(Command::new("kill").args([&format!("-{signal}"), &pid]))?;
            if !wait_until(STOP_AT_MOST, || !lives_in(&pid, &self.dir)) {
                return Err(Error::server(SERVER, &self.dir, format!("process {pid} did not stop: {}", tail(&self.log_file()))));
            }
        }
        self.end_mapper();
        match fs::remove_file(self.pid_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", self.pid_file())(error)),
            _ => Ok(()),
        }
    }

    /// The process ids of the server and of its port mapper, in one line.
    pub(crate) fn pid_file(&self) -> PathBuf {
        pid_file(&self.dir)
    }

    fn conf_file(&self) -> PathBuf {
        self.dir.join("rabbitmq.conf")
    }

    fn log_file(&self) -> PathBuf {
        self.dir.join("rabbitmq.log")
    }

    /// The process at this place of the pid file, if it runs, and in this folder: ids are given out again.
    fn pid(&self, place: usize) -> Option<String> {
        let text = fs::read_to_string(self.pid_file()).ok()?;
        let pid = text.split_whitespace().nth(place)?.to_owned();
        lives_in(&pid, &self.dir).then_some(pid)
    }

    fn server_pid(&self) -> Option<String> {
        self.pid(0)
    }

    fn end_mapper(&self) {
        if let Some(pid) = self.pid(1) {
            // One that is gone by now is as good.
            run(Command::new("kill").arg(&pid)).ok();
            wait_until(Duration::from_secs(5), || !lives_in(&pid, &self.dir));
        }
    }

    /// The port of the server that runs in this folder.
    fn running(&self) -> Result<Option<u16>> {
        let Some(pid) = self.server_pid() else { return Ok(None) };
        let conf = fs::read_to_string(self.conf_file()).map_err(Error::io("read", self.conf_file()))?;
        let port = conf.lines().find_map(|line| line.strip_prefix("listeners.tcp.local = 127.0.0.1:")?.trim().parse().ok());
        let Some(port) = port else { return Ok(None) };
        if wait_until(START_AT_MOST, || answers(port) || !lives_in(&pid, &self.dir)) && answers(port) {
            return Ok(Some(port));
        }
        if !lives_in(&pid, &self.dir) {
            return Ok(None);
        }
        Err(Error::server(SERVER, &self.dir, format!("process {pid} runs, but does not answer on port {port}: {}", tail(&self.log_file()))))
    }

    fn configure(&self) -> Result<()> {
        let settings = format!(
            "# Written at each start.\nlisteners.tcp.local = 127.0.0.1:{port}\nlog.file.level = warning\nlog.console = false\n\
             disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.absolute = 512MB\nraft.wal_max_size_bytes = 32000000\n",
            port = self.port
        );
        fs::write(self.conf_file(), settings).map_err(Error::io("write", self.conf_file()))?;
        let plugins = self.dir.join("enabled_plugins");
        fs::write(&plugins, "[].\n").map_err(Error::io("write", &plugins))
    }

    fn launch(&self, program: &Path, mapper: &Path) -> Result<()> {
        let mapper_port = free_port()?.to_string();
        let mapper = self.spawn(Command::new(mapper).args(["-port", &mapper_port, "-address", "127.0.0.1"]))?;
        let dir = &self.dir;
        let mut command = Command::new(program);
        command
            .env("HOME", dir)
            .env("LC_ALL", "C")
            .env("ERL_EPMD_PORT", &mapper_port)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            // Nothing of the system's own server.
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_NODENAME", "chimera@localhost")
            .env("RABBITMQ_DIST_PORT", free_port()?.to_string())
            .env("RABBITMQ_MNESIA_BASE", dir.join("data"))
            .env("RABBITMQ_LOG_BASE", dir)
            .env("RABBITMQ_LOGS", self.log_file())
            .env("RABBITMQ_PID_FILE", dir.join("node.pid"))
            .env("RABBITMQ_CONFIG_FILE", self.conf_file())
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("enabled_plugins"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", dir.join("generated"))
            // The script becomes the server, rather than waiting for it: so its process id is the server's.
            .env("RABBITMQ_ALLOW_INPUT", "1")
            // Erlang's schedulers look for work in a busy loop, which costs the others on a small machine.
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
            );
        let mut server = self.spawn(&mut command)?;
        let pids = format!("{} {}\n", server.id(), mapper.id());
        fs::write(self.pid_file(), pids).map_err(Error::io("write", self.pid_file()))?;
        let mut ended = None;
        let is_up = wait_until(START_AT_MOST, || {
            ended = server.try_wait().ok().flatten();
            ended.is_some() || answers(self.port)
        });
        // They go on without us; these wait for them, so that they do not stay in the table of processes when they end before us.
        for mut child in [server, mapper] {
            std::thread::spawn(move || child.wait());
        }
        if is_up && ended.is_none() {
            return Ok(());
        }
        let said = tail(&self.dir.join("output.log"));
        self.end("KILL").ok();
        Err(Error::server(SERVER, &self.dir, format!("it did not start on port {}: {said}\n{}", self.port, tail(&self.log_file()))))
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        let log = self.dir.join("output.log");
        let output = fs::File::create(&log).map_err(Error::io("write", &log))?;
        let copy = output.try_clone().map_err(Error::io("write", &log))?;
        let program = command.get_program().to_owned();
        command
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(copy)
            .process_group(0)
            .spawn()
            .map_err(Error::io("run", program))
    }
}

pub(crate) fn pid_file(dir: &Path) -> PathBuf {
    dir.join("rabbitmq.pid")
}

/// The server and the port mapper. Not the script in /usr/sbin, which wants to be root and to become another user.
pub(crate) fn programs() -> Result<(PathBuf, PathBuf)> {
    let missing = || Error::Missing { what: SERVER.to_owned(), hint: format!("install it with `{INSTALL}`") };
    let server = find_program("rabbitmq-server", &["/usr/lib/rabbitmq/bin".into(), "/opt/homebrew/sbin".into()]).ok_or_else(missing)?;
    let mapper = find_program("epmd", &["/usr/bin".into(), "/opt/homebrew/bin".into()]).ok_or_else(missing)?;
    Ok((server, mapper))
}

/// Whether an AMQP server begins to speak.
fn answers(port: u16) -> bool {
    let begin = || -> io::Result<u8> {
        let second = Duration::from_secs(1);
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), second)?;
        stream.set_read_timeout(Some(second))?;
        stream.write_all(b"AMQP\0\0\x09\x01")?;
        let mut kind = [0];
        stream.read_exact(&mut kind).map(|()| kind[0])
    };
    // The first byte of a frame of the kind `method`.
    begin().is_ok_and(|kind| kind == 1)
}
