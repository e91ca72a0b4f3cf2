//! A host's part of a dataflow: a process of its own, told what to do on the connection that is its standard input. It ends with it.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chimera_models::ImageTower;
use chimera_sql::{Dataflow, DataflowConfig, EngineError, Share};
use tokio::io::{BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::frame::{self, MAX_BYTES};
use super::message::{self, Reply, Request, Start};
use super::{Credentials, exchange, prepare};
use crate::{durable, functions};

/// Requests that may wait; the driver sends no more than an epoch before it waits itself.
const WAITING: usize = 64;
/// How often it is looked whether the host is still there.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The checkpoints of a folder by the names that their driver gave them.
const NAMES_FILE: &str = "checkpoints.json";
const STATE_FOLDER: &str = "state";

/// Why a part ends.
enum Stop {
    Failed(String),
    NotHeld,
    Broken(Error),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

struct Part {
    dataflow: Dataflow,
    folder: PathBuf,
    writer: BufWriter<OwnedWriteHalf>,
    runtime: Handle,
}

/// Runs until the connection on standard input, or the process that started this one, is gone; then the process ends.
/// `tower` loads the image tower, if the dataflow uses it.
pub async fn run(
    folder: PathBuf,
    credentials: Credentials,
    tower: impl FnOnce() -> Option<Arc<ImageTower>> + Send + 'static,
) -> Result<()> {
    end_with_the_host();
    let connection = std::net::TcpStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    connection.set_nonblocking(true)?;
    let stream = TcpStream::from_std(connection)?;
    prepare(&stream)?;
    let (reader, writer) = stream.into_split();
    let (sender, mut requests) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut reader = BufReader::new(reader);
        while let Ok(Some(request)) = frame::read::<Request>(&mut reader, MAX_BYTES).await {
            if sender.send(request).await.is_err() {
                break;
            }
        }
        // Whatever the dataflow does, it may wait for ever for parts that are gone.
        std::process::exit(0);
    });
    let Some((Request::Start(start), _)) = requests.recv().await else {
        return Err(Error::new(ErrorKind::InvalidData, "the first request is not a start"));
    };
    let share = share(&start, &credentials).await?;
    let runtime = Handle::current();
    let driven = tokio::task::spawn_blocking(move || {
        let mut writer = BufWriter::new(writer);
        let stopped = match open(&start, &folder, share, tower) {
            Ok(dataflow) => {
                let mut part = Part { dataflow, folder, writer, runtime: runtime.clone() };
                let stopped = part.drive(&mut requests);
                writer = part.writer;
                stopped
            }
            Err(stopped) => stopped,
        };
        let reply = match stopped {
            Stop::Failed(message) => Reply::Failed(message),
            Stop::NotHeld => Reply::NotHeld,
            Stop::Broken(error) => return Err(error),
        };
        runtime.block_on(frame::write(&mut writer, &reply, &[]))
    });
    driven.await.map_err(Error::other)?
}

/// Nobody else ends this process when its host is killed.
fn end_with_the_host() {
    let host = std::os::unix::process::parent_id();
    std::thread::spawn(move || {
        while std::os::unix::process::parent_id() == host {
            std::thread::sleep(LOOK_EVERY);
        }
        std::process::exit(0);
    });
}

/// Where this part takes rows, which the host is told on standard output, and where it sends them.
async fn share(start: &Start, credentials: &Credentials) -> Result<Share> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let own = listener.local_addr()?;
    let mut hosts = Vec::with_capacity(start.hosts.len());
    for (index, host) in start.hosts.iter().enumerate() {
        hosts.push(if index == start.index { own } else { exchange::forward(host.clone(), credentials.clone(), start.run).await? });
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", own.port())?;
    out.flush()?;
    Ok(Share { hosts, index: start.index, listener: Arc::new(listener) })
}

fn open(
    start: &Start,
    folder: &Path,
    share: Share,
    tower: impl FnOnce() -> Option<Arc<ImageTower>>,
) -> std::result::Result<Dataflow, Stop> {
    let tower = if start.functions_version.is_empty() { None } else { tower() };
    let version = functions::version(tower.as_deref());
    if !start.functions_version.is_empty() && start.functions_version != version {
        return Err(Stop::Failed(format!("its image model is `{version}`, this side's is `{}`", start.functions_version)));
    }
    let program =
        start.text.read(&functions::functions(tower)).map_err(|e| Stop::Failed(format!("the pipeline cannot be planned: {e}")))?;
    let state = folder.join(STATE_FOLDER);
    let checkpoint = match start.checkpoint {
        Some(name) => {
            let held = *names(folder).get(&name).ok_or(Stop::NotHeld)?;
            chimera_operators::checkpoint_files(&state, held).map_err(|_| Stop::NotHeld)?;
            // Those of runs that were given up are forgotten.
            remember(folder, &BTreeMap::from([(name, held)]))?;
            Some(held)
        }
        None => match std::fs::remove_dir_all(&state) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => None,
        },
    };
    std::fs::create_dir_all(&state)?;
    let config =
        DataflowConfig { workers: start.workers, share: Some(share), storage: Some(state), checkpoint, ..DataflowConfig::default() };
    program.start(config).map_err(|error| match error {
        EngineError::OtherProgram { .. } => Stop::NotHeld,
        error => error.into(),
    })
}

fn names(folder: &Path) -> BTreeMap<Uuid, Uuid> {
    std::fs::read(folder.join(NAMES_FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn remember(folder: &Path, names: &BTreeMap<Uuid, Uuid>) -> Result<()> {
    durable::write(&folder.join(NAMES_FILE), &serde_json::to_vec(names)?)
}

impl Part {
    fn reply(&mut self, reply: &Reply, payload: &[u8]) -> std::result::Result<(), Stop> {
        Ok(self.runtime.block_on(frame::write(&mut self.writer, reply, payload))?)
    }

    /// Does what is asked until it fails; a driver that goes away ends the process.
    fn drive(&mut self, requests: &mut mpsc::Receiver<(Request, Vec<u8>)>) -> Stop {
        let mut result = self.reply(&Reply::Started { fingerprint: self.dataflow.fingerprint() }, &[]);
        loop {
            if let Err(stop) = result {
                return stop;
            }
            let Some((request, payload)) = requests.blocking_recv() else {
                return Stop::Broken(ErrorKind::UnexpectedEof.into());
            };
            result = self.answer(request, &payload);
        }
    }

    fn answer(&mut self, request: Request, payload: &[u8]) -> std::result::Result<(), Stop> {
        let unreadable = |error: arrow::error::ArrowError| Stop::Failed(format!("rows on their way: {error}"));
        match request {
            Request::Start(_) => Err(Stop::Failed("it was started already".into())),
            Request::Push { table } => Ok(self.dataflow.push(&table, message::decode(payload).map_err(unreadable)?)?),
            Request::Step { now } => {
                if let Some(now) = now {
                    self.dataflow.advance(now);
                }
                for output in self.dataflow.step()? {
                    for piece in message::pieces(&output.changes) {
                        let rows = message::encode(&piece).map_err(unreadable)?;
                        self.reply(&Reply::Changes { table: output.table.clone() }, &rows)?;
                    }
                }
                let row_errors = self.dataflow.take_row_errors().into_iter().map(|error| (error.message, error.count)).collect();
                self.reply(&Reply::Stepped { row_errors }, &[])
            }
            Request::Checkpoint(name) => {
                let state = self.dataflow.checkpoint()?;
                let mut names = names(&self.folder);
                names.insert(name, state);
                // In the order of time; the dataflow keeps two.
                while names.len() > 2 {
                    names.pop_first();
                }
                remember(&self.folder, &names)?;
                self.reply(&Reply::Checkpointed, &[])
            }
        }
    }
}
