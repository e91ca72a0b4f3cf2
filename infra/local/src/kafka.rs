//! One Apache Kafka broker from Maven Central's jars, for tests and for trying things.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{find_program, free_port, make_folder, run, tail, wait_until};
use crate::testing::{Reaper, temporary_folder};
use crate::{Error, Result};

const SERVER: &str = "Kafka";
const POM: &str = include_str!("../../kafka/pom.xml");
const START_AT_MOST: Duration = Duration::from_secs(120);
const DOWNLOAD_AT_MOST: Duration = Duration::from_secs(300);
/// Any 16 bytes in base64: the cluster has one member.
const CLUSTER_ID: &str = "Q2hpbWVyYVRlc3RDbHVzdA";

/// A running broker; it ends when this is dropped or our process is gone.
pub struct KafkaBroker {
    port: u16,
    _reaper: Reaper,
}

impl KafkaBroker {
    /// A broker for one test, in a folder of its own. [`Error::Missing`] where Java, Maven or the jars cannot be had.
    pub fn start() -> Result<Self> {
        let (java, jars) = needs()?;
        let folder = temporary_folder()?;
        let reaper = Reaper::spawn(&folder.join("kafka.pid"), "KILL", Some(&folder))?;
        launch(&java, &jars, &folder, free_port()?, reaper)
    }

    /// A broker whose data stay in `folder`.
    pub fn start_in(folder: &Path, port: u16) -> Result<Self> {
        let (java, jars) = needs()?;
        let folder = make_folder(folder)?;
        let reaper = Reaper::spawn(&folder.join("kafka.pid"), "TERM", None)?;
        launch(&java, &jars, &folder, port, reaper)
    }

    /// `127.0.0.1:port`.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Where things are kept that can be fetched again: `~/.cache/chimera`.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    Some(cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("chimera"))
}

/// Java and the folder of the jars, which are fetched the first time.
fn needs() -> Result<(PathBuf, PathBuf)> {
    let missing = |what: &str, hint: &str| Error::Missing { what: what.to_owned(), hint: hint.to_owned() };
    let java = find_program("java", &[]).ok_or_else(|| missing("Java", "install it with `apt-get install openjdk-17-jre-headless`"))?;
    let cache = cache_folder().ok_or_else(|| missing("a home folder", "set HOME"))?.join("kafka");
    let jars = cache.join(version());
    if jars.exists() {
        return Ok((java, jars));
    }
    let maven = find_program("mvn", &[]).ok_or_else(|| missing("Maven", "install it with `apt-get install maven`"))?;
    let cache = make_folder(&cache)?;
    let new = tempfile::Builder::new().prefix("fetching-").tempdir_in(&cache).map_err(Error::io("make a folder in", &cache))?;
    let pom = new.path().join("pom.xml");
    fs::write(&pom, POM).map_err(Error::io("write", &pom))?;
    fetch(&maven, &pom, new.path())?;
    match fs::rename(new.path().join("jars"), &jars) {
        // Another test was faster.
        Err(_) if jars.exists() => {}
        renamed => renamed.map_err(Error::io("move into place", &jars))?,
    }
    Ok((java, jars))
}

/// The broker's version, as the pom says.
fn version() -> &'static str {
    let (_, rest) = POM.split_once("<kafka.version>").expect("the pom names the version");
    rest.split_once('<').expect("the element ends").0
}

fn fetch(maven: &Path, pom: &Path, folder: &Path) -> Result<()> {
    let log = folder.join("maven.log");
    let file = fs::File::create(&log).map_err(Error::io("write", &log))?;
    let mut maven = Command::new(maven)
        .args(["-q", "-B", "-f"])
        .arg(pom)
        .arg("package")
        .arg(format!("-DoutputDirectory={}", folder.join("jars").display()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(file)
        .spawn()
        .map_err(Error::io("run", maven))?;
    let started = Instant::now();
    let failed = |why: String| Error::Missing { what: "a Kafka broker".to_owned(), hint: format!("Maven could not fetch its jars: {why}") };
    loop {
        match maven.try_wait().map_err(Error::io("wait for", "mvn"))? {
            Some(status) if status.success() => return Ok(()),
            Some(_) => return Err(failed(tail(&log))),
            None if started.elapsed() > DOWNLOAD_AT_MOST => {
                maven.kill().and_then(|()| maven.wait()).map_err(Error::io("end", "mvn"))?;
                return Err(failed(format!("not done after {} s", DOWNLOAD_AT_MOST.as_secs())));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn launch(java: &Path, jars: &Path, folder: &Path, port: u16, reaper: Reaper) -> Result<KafkaBroker> {
    let conf = folder.join("server.properties");
    fs::write(&conf, properties(folder, port, free_port()?)).map_err(Error::io("write", &conf))?;
    let class_path = format!("{}/*", jars.display());
    let machine =
        ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp"];
    let format = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c"];
    run(Command::new(java).args(machine).arg(&class_path).args(format).arg(&conf))?;

    let log = folder.join("kafka.log");
    let file = fs::File::create(&log).map_err(Error::io("write", &log))?;
    let copy = file.try_clone().map_err(Error::io("write", &log))?;
    let mut broker = Command::new(java)
        .args(machine)
        .arg(&class_path)
        .arg("kafka.Kafka")
        .arg(&conf)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .process_group(0)
        .spawn()
        .map_err(Error::io("run", java))?;
    let pid_file = folder.join("kafka.pid");
    fs::write(&pid_file, format!("{}\n", broker.id())).map_err(Error::io("write", &pid_file))?;
    let mut ended = None;
    let answers = wait_until(START_AT_MOST, || {
        ended = broker.try_wait().ok().flatten();
        ended.is_some() || answers(port)
    });
    // The reaper ends it; without this it would stay in the table of processes until we end.
    std::thread::spawn(move || broker.wait());
    if answers && ended.is_none() {
        return Ok(KafkaBroker { port, _reaper: reaper });
    }
    Err(Error::server(SERVER, folder, format!("it does not answer on port {port}: {}", tail(&log))))
}

fn properties(folder: &Path, port: u16, controller_port: u16) -> String {
    format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller_port}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\ncontroller.listener.names=CONTROLLER\n\
         log.dirs={}\nauto.create.topics.enable=false\ngroup.initial.rebalance.delay.ms=0\n\
         offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\ntransaction.state.log.num.partitions=1\n\
         log.retention.check.interval.ms=1000\nlog.initial.task.delay.ms=1000\nlog.segment.delete.delay.ms=0\n\
         message.max.bytes=33554432\nreplica.fetch.max.bytes=33554432\n",
        folder.join("data").display()
    )
}

/// Whether the broker answers the question which requests it knows (ApiVersions, version 0).
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<()> {
        let patience = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), patience)?;
        stream.set_read_timeout(Some(patience))?;
        // Length 10; request 18, version 0; correlation 1; no client's name.
        stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer)?;
        if answer[4..] == [0, 0, 0, 1] { Ok(()) } else { Err(std::io::ErrorKind::InvalidData.into()) }
    };
    ask().is_ok()
}
