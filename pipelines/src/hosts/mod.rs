//! Dataflows that several machines compute together.
//!
//! The process of `chimera up` alone reads the log, forms epochs and writes stores. For each pipeline it opens a connection to every host
//! ([`remote`]). A host ([`server`]) starts a process a dataflow ([`part`]), whose end ends everything that belongs to it: a dataflow that
//! waits for rows of a host that died cannot be stopped in another way. The processes of a dataflow send each other rows through the hosts'
//! one port ([`exchange`]). Whatever fails anywhere ends the dataflow everywhere; it is started again from the last checkpoint that all hosts hold.

mod exchange;
mod frame;
mod greeting;
mod message;
mod part;
pub mod pem;
pub(crate) mod remote;
mod server;
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use uuid::Uuid;

pub use greeting::Secret;
pub use part::run as run_part;
pub(crate) use remote::Remote;
pub use server::{PART_COMMAND, TLS_VARIABLES, TOKEN_VARIABLE, serve};
use tls::Link;
pub use tls::{Files, Tls, TlsError};

/// How long a host may take to answer a greeting, or to take a connection.
const GREETING_WAIT: Duration = Duration::from_secs(10);
/// A connection on which nothing comes or goes is probed after this, and given up after a few probes: a machine that is gone sends no farewell.
/// While something is on its way to it, the system's own patience counts, which is longer.
const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBES: u32 = 3;

/// The machines that compute the dataflows.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// `host:port` of each, reachable under that name by this process and by all hosts.
    pub addresses: Vec<String>,
    pub credentials: Credentials,
}

/// What proves that both sides of a connection belong together.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub secret: Secret,
    /// `None`: connections are neither encrypted nor signed.
    pub tls: Option<Tls>,
}

/// What can go wrong between this process and a host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("host {host} cannot be reached: {source}; is `chimera host` running there?")]
    Unreachable { host: String, source: std::io::Error },
    #[error("TLS with host {host} failed ({source}): both sides need a certificate of the same CA, for the name that is called")]
    Tls { host: String, source: std::io::Error },
    #[error("host {host} refused: {reason}")]
    Refused { host: String, reason: String },
    #[error("the connection to host {host} broke off: {source}")]
    Broken { host: String, source: std::io::Error },
    #[error("host {host}: {message}")]
    Failed { host: String, message: String },
    #[error("host {host} does not hold the checkpoint; the dataflow is built anew from the log")]
    NotHeld { host: String },
    #[error("host {host} plans the pipeline in another way than this process does: install the same chimera on both")]
    OtherPlan { host: String },
}

/// Which dataflow, among those of all who use a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct DataflowId {
    /// The epoch journal of whom it belongs to.
    pub engine: Uuid,
    /// Letters, digits, `-` and `_`.
    pub name: String,
}

impl DataflowId {
    const NAME_BYTES: usize = 100;

    /// Of any name: what a folder cannot be called is replaced, and a hash tells two of them apart.
    pub fn new(engine: Uuid, name: &str) -> Self {
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(60).collect();
        let hash = blake3::hash(name.as_bytes()).to_hex();
        Self { engine, name: format!("{plain}-{}", &hash[..12]) }
    }

    fn is_valid(&self) -> bool {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=Self::NAME_BYTES).contains(&self.name.len()) && self.name.chars().all(is_plain)
    }
}

/// What a connection to a host is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Purpose {
    /// To start this host's part of a dataflow and to drive it: the connection is its process's from then on.
    Drive { dataflow: DataflowId, run: Uuid },
    /// To send rows to the process that takes part in this run of a dataflow.
    Exchange { run: Uuid },
    /// To end a dataflow, if it runs, and to remove its state.
    Forget { dataflow: DataflowId },
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = socket2::TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Connects to a host, and proves who this is.
async fn connect(host: &str, credentials: &Credentials, purpose: &Purpose) -> Result<Link, Error> {
    let unreachable = |source| Error::Unreachable { host: host.to_owned(), source };
    let timed_out = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let connected = tokio::time::timeout(GREETING_WAIT, TcpStream::connect(host)).await;
    let stream = connected.map_err(timed_out).and_then(|connected| connected).map_err(unreachable)?;
    prepare(&stream).map_err(unreachable)?;
    let wait = tokio::time::timeout(GREETING_WAIT, async {
        let mut link = match &credentials.tls {
            None => Link::Left(stream),
            Some(tls) => tls.connect(host, stream).await?,
        };
        let refused = greeting::offer(&mut link, &credentials.secret, purpose).await?;
        Ok((link, refused))
    });
    match wait.await.map_err(timed_out).and_then(|greeted| greeted) {
        Ok((link, None)) => Ok(link),
        Ok((_, Some(reason))) => Err(Error::Refused { host: host.to_owned(), reason }),
        Err(source) if tls::is_cause(&source) => Err(Error::Tls { host: host.to_owned(), source }),
        Err(error) => Err(unreachable(error)),
    }
}

/// Asks every host to end a dataflow and to remove its state. One that is away keeps its folder.
pub(crate) async fn forget(hosts: &Hosts, dataflow: &DataflowId) {
    for host in &hosts.addresses {
        if let Err(error) = connect(host, &hosts.credentials, &Purpose::Forget { dataflow: dataflow.clone() }).await {
            tracing::warn!(dataflow = dataflow.name, %error, "the state of a dropped view stays on a host");
        }
    }
}

/// A listener that only this machine reaches.
async fn listen_locally() -> std::io::Result<(tokio::net::TcpListener, SocketAddr)> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_a_folder_of_its_own() {
        let engine = Uuid::nil();
        let ids = ["sales", "sales/..", "../sales", "saLes", &"x".repeat(300), ""].map(|name| DataflowId::new(engine, name));
        assert!(ids.iter().all(DataflowId::is_valid), "{ids:?}");
        let names: std::collections::HashSet<_> = ids.iter().map(|id| &id.name).collect();
        assert_eq!(names.len(), ids.len());
        assert!(!DataflowId { engine, name: "../x".into() }.is_valid());
    }
}
