//! `chimera host`: takes connections, starts a process for each dataflow, and passes rows on to them.

use std::collections::HashMap;
use std::io::Result;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::greeting::{self, Guest};
use super::{Credentials, DataflowId, GREETING_WAIT, Link, Purpose, Tls, exchange, listen_locally, prepare};

/// The command of the binary that [`super::run_part`] is behind, and where it finds the token.
pub const PART_COMMAND: &str = "host-part";
pub const TOKEN_VARIABLE: &str = "CHIMERA_HOSTS_TOKEN";
/// Likewise the [`super::Files`]: certificate, key, CA.
pub const TLS_VARIABLES: [&str; 3] = ["CHIMERA_HOSTS_CERTIFICATE", "CHIMERA_HOSTS_KEY", "CHIMERA_HOSTS_CA"];

/// Connections at once; of each dataflow there are a few from every other host.
const CONNECTIONS: usize = 4096;

/// A process that takes part in a dataflow.
struct Running {
    run: Uuid,
    /// Where it takes rows of the others, once it does.
    port: Option<u16>,
    stop: CancellationToken,
    /// Cancelled when it has ended.
    ended: CancellationToken,
}

struct Server {
    token: String,
    credentials: Credentials,
    folder: PathBuf,
    program: PathBuf,
    running: Mutex<HashMap<DataflowId, Running>>,
}

/// Serves until the future is dropped. `token` is what the secret was made of, `folder` holds the state of dataflows, `program` is the binary.
pub async fn serve(listener: TcpListener, token: String, credentials: Credentials, folder: PathBuf, program: PathBuf) -> Result<()> {
    let server = Arc::new(Server { token, credentials, folder, program, running: Mutex::default() });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%from, "too many connections; one was closed");
            continue;
        };
        let server = server.clone();
        tokio::spawn(async move {
            if let Err(error) = server.take(stream).await {
                tracing::debug!(%from, %error, "a connection broke off");
            }
            drop(place);
        });
    }
}

impl Server {
    async fn take(self: Arc<Self>, stream: TcpStream) -> Result<()> {
        prepare(&stream)?;
        let mut stream = match &self.credentials.tls {
            None => Link::Left(stream),
            Some(tls) => tokio::time::timeout(GREETING_WAIT, tls.accept(stream)).await??,
        };
        let Some(guest) = tokio::time::timeout(GREETING_WAIT, greeting::hear(&mut stream, &self.credentials.secret)).await?? else {
            return Ok(());
        };
        match &guest.purpose {
            Purpose::Drive { dataflow, .. } | Purpose::Forget { dataflow } if !dataflow.is_valid() => {
                greeting::refuse(&mut stream, format!("`{}` is no name of a dataflow", dataflow.name.escape_default())).await
            }
            Purpose::Drive { dataflow, run } => {
                let (dataflow, run) = (dataflow.clone(), *run);
                self.drive(stream, &guest, dataflow, run).await
            }
            Purpose::Exchange { run } => {
                let port = self.running.lock().values().find(|running| running.run == *run).and_then(|running| running.port);
                let Some(port) = port else {
                    return greeting::refuse(&mut stream, "this run of a dataflow is not here, or not yet".into()).await;
                };
                let mut local = TcpStream::connect(("127.0.0.1", port)).await?;
                greeting::welcome(&mut stream, &self.credentials.secret, &guest).await?;
                exchange::join(&mut local, &mut stream).await;
                Ok(())
            }
            Purpose::Forget { dataflow } => {
                self.end(dataflow).await;
                match tokio::fs::remove_dir_all(self.folder_of(dataflow)).await {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        greeting::refuse(&mut stream, format!("the state cannot be removed: {error}")).await
                    }
                    _ => greeting::welcome(&mut stream, &self.credentials.secret, &guest).await,
                }
            }
        }
    }

    fn folder_of(&self, dataflow: &DataflowId) -> PathBuf {
        self.folder.join(dataflow.engine.to_string()).join(&dataflow.name)
    }

    /// Ends the process that takes part in a dataflow: its driver has begun another run, or is gone.
    async fn end(&self, dataflow: &DataflowId) {
        let ended = self.running.lock().get(dataflow).map(|running| {
            running.stop.cancel();
            running.ended.clone()
        });
        if let Some(ended) = ended {
            ended.cancelled().await;
        }
    }

    async fn drive(self: Arc<Self>, mut stream: Link, guest: &Guest, dataflow: DataflowId, run: Uuid) -> Result<()> {
        self.end(&dataflow).await;
        let folder = self.folder_of(&dataflow);
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let guard = ended.clone().drop_guard();
        let running = Running { run, port: None, stop: stop.clone(), ended };
        let replaced = self.running.lock().insert(dataflow.clone(), running);
        if let Some(replaced) = replaced {
            replaced.stop.cancel();
        }
        let started = async {
            std::fs::create_dir_all(&folder)?;
            greeting::welcome(&mut stream, &self.credentials.secret, guest).await?;
            self.spawn(inside(stream).await?, &folder)
        };
        match started.await {
            Ok(child) => {
                tracing::info!(dataflow = dataflow.name, "a dataflow's part starts");
                self.watch(child, &dataflow, run, &stop).await;
            }
            Err(error) => tracing::error!(dataflow = dataflow.name, %error, "a dataflow's part cannot be started"),
        }
        self.ended(&dataflow, run, guard);
        Ok(())
    }

    /// The process has the connection for its standard input.
    fn spawn(&self, stream: TcpStream, folder: &Path) -> Result<Child> {
        let connection: OwnedFd = stream.into_std()?.into();
        let mut command = Command::new(&self.program);
        command.arg(PART_COMMAND).arg("--folder").arg(folder).env(TOKEN_VARIABLE, &self.token);
        if let Some(files) = self.credentials.tls.as_ref().map(Tls::files) {
            command.envs(TLS_VARIABLES.iter().zip([&files.certificate, &files.key, &files.ca]));
        }
        command.stdin(Stdio::from(connection)).stdout(Stdio::piped()).kill_on_drop(true).spawn()
    }

    async fn watch(&self, mut child: Child, dataflow: &DataflowId, run: Uuid, stop: &CancellationToken) {
        let said = child.stdout.take();
        let port = async {
            let mut line = String::new();
            BufReader::new(said?).read_line(&mut line).await.ok()?;
            line.trim().parse().ok()
        };
        tokio::select! {
            port = port => {
                if let Some(running) = self.running.lock().get_mut(dataflow).filter(|running| running.run == run) {
                    running.port = port;
                }
            }
            () = stop.cancelled() => {}
        }
        tokio::select! {
            _ = child.wait() => {}
            () = stop.cancelled() => drop(child.kill().await),
        }
        tracing::info!(dataflow = dataflow.name, "a dataflow's part has ended");
    }

    fn ended(&self, dataflow: &DataflowId, run: Uuid, ended: DropGuard) {
        let mut running = self.running.lock();
        if running.get(dataflow).is_some_and(|running| running.run == run) {
            running.remove(dataflow);
        }
        drop(ended);
    }
}

/// A connection that another process can take over. What is by TLS ends here, and goes on to an address of this machine.
async fn inside(link: Link) -> Result<TcpStream> {
    let mut secured = match link {
        Link::Left(stream) => return Ok(stream),
        Link::Right(secured) => secured,
    };
    let (listener, address) = listen_locally().await?;
    let mut ours = TcpStream::connect(address).await?;
    let theirs = loop {
        let (stream, from) = listener.accept().await?;
        if from == ours.local_addr()? {
            break stream;
        }
    };
    tokio::spawn(async move { exchange::join(&mut ours, &mut secured).await });
    Ok(theirs)
}
