//! `chimera host`, and the command by which it starts a process a dataflow.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use chimera_pipelines::hosts::{self, Credentials, Secret};
use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;

use super::Settings;
use super::instance::Lock;
use super::up::engine;

/// Where a host listens unless it is told otherwise: on this machine alone.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7070);
/// Below the data folder, so that `chimera up` may run from the same one.
const FOLDER: &str = "host";

/// Lend this machine to the pipelines of a `chimera up` elsewhere
#[derive(Debug, Args)]
#[command(after_help = "\
A `chimera up --hosts ADDRESS,…` uses it. Both need the same token (CHIMERA_HOSTS_TOKEN, at least 16 bytes) and the same version.
It listens where --listen says [default: 127.0.0.1:7070]. With --hosts-certificate, --hosts-key and --hosts-ca, on all machines, connections are
by TLS, and both ends show a certificate; without, rows go over the network as they are: give it an address of a private network then.

Examples:
  CHIMERA_HOSTS_TOKEN=… chimera host --listen 10.0.0.2:7070
  CHIMERA_HOSTS_TOKEN=… chimera up --hosts 10.0.0.2:7070,10.0.0.3:7070")]
pub struct Arguments {}

/// Compute one dataflow's part, for the `chimera host` that starts this
#[derive(Debug, Args)]
pub struct PartArguments {
    /// Where its state is
    #[arg(long)]
    folder: PathBuf,
}

/// The token, and all that proves that this process and its hosts belong together.
pub fn credentials(settings: &Settings) -> anyhow::Result<(String, Credentials)> {
    let Some(token) = settings.hosts_token.clone() else {
        bail!("hosts need a token that all of them share; put the same one into CHIMERA_HOSTS_TOKEN (or --hosts-token) everywhere");
    };
    let secret = Secret::new(&token)
        .with_context(|| format!("the token of the hosts is too short; it takes {} bytes or more", Secret::TOKEN_BYTES))?;
    Ok((token, Credentials { secret, tls: settings.hosts_tls()? }))
}

pub async fn run(settings: Settings, _: Arguments) -> anyhow::Result<()> {
    let (token, credentials) = credentials(&settings)?;
    let folder = settings.data_dir.join(FOLDER);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let _lock = Lock::take(&folder)?;
    let address = if settings.listen_is_given { settings.listen } else { ADDRESS };
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}; choose another address with --listen"))?;
    let address = listener.local_addr().context("the address that is listened on")?;
    let program = std::env::current_exe().context("where this program is")?;
    let signal = super::up::stop_signal()?;
    let how = if credentials.tls.is_some() { ", by TLS" } else { "" };
    eprintln!("This machine computes for `chimera up --hosts {address}`{how}. Ctrl-C stops it.");
    println!("{}", json!({ "listen": address.to_string(), "data_dir": folder }));
    tokio::select! {
        served = hosts::serve(listener, token, credentials, folder, program) => served.context("the host ended"),
        () = signal => Ok(()),
    }
}

pub async fn run_part(settings: Settings, arguments: PartArguments) -> anyhow::Result<()> {
    let (_, credentials) = credentials(&settings)?;
    let runtime = tokio::runtime::Handle::current();
    let tower = move || runtime.block_on(engine::image_tower());
    hosts::run_part(arguments.folder, credentials, tower).await.context("a dataflow's part")
}
