//! Rows between the parts of a dataflow. What computes it speaks to addresses of its own machine: behind each stands a forwarder to one of the
//! others, which goes in through that host's port and greets it as everybody does.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::{Credentials, Error, Purpose, connect, listen_locally};

/// Between attempts to reach a part that may not have started yet.
const RETRY_EVERY: Duration = Duration::from_millis(50);
/// And to reach one with which something is wrong that somebody has to mend.
const WRONG_EVERY: Duration = Duration::from_secs(5);

/// An address of this machine behind which the part of a run on `host` is.
pub async fn forward(host: String, credentials: Credentials, run: Uuid) -> std::io::Result<SocketAddr> {
    let (listener, address) = listen_locally().await?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((local, _)) => drop(tokio::spawn(pass_on(local, host.clone(), credentials.clone(), run))),
                Err(error) => {
                    tracing::warn!(%error, "a connection for rows to another host was not taken");
                    tokio::time::sleep(RETRY_EVERY).await;
                }
            }
        }
    });
    Ok(address)
}

async fn pass_on(mut local: TcpStream, host: String, credentials: Credentials, run: Uuid) {
    let mut remote = loop {
        let pause = match connect(&host, &credentials, &Purpose::Exchange { run }).await {
            Ok(remote) => break remote,
            Err(error @ Error::Tls { .. }) => {
                tracing::error!(%error, "rows are not sent between hosts");
                WRONG_EVERY
            }
            Err(error) => {
                tracing::debug!(host, %error, "not there yet");
                RETRY_EVERY
            }
        };
        tokio::time::sleep(pause).await;
    };
    join(&mut local, &mut remote).await;
}

/// Passes bytes in both directions until one side closes. The sender of rows connects again, and goes on where the receiver stands.
pub async fn join(local: &mut TcpStream, other: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    local.set_nodelay(true).ok();
    if let Err(error) = tokio::io::copy_bidirectional_with_sizes(local, other, 64 << 10, 64 << 10).await {
        tracing::debug!(%error, "a connection for rows broke off");
    }
}
