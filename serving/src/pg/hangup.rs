//! Notices a client that goes away while its statement runs: a subscription to a quiet view has nothing to send, and would not see it.

use std::io::Result;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::TcpStream;

/// How often it is looked, once the client has sent something: the readiness stays until somebody reads.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The socket twice: to serve, and for [`gone`].
pub(super) fn watched(socket: TcpStream) -> Result<(TcpStream, TcpStream)> {
    let socket = socket.into_std()?;
    let watched = socket.try_clone()?;
    Ok((TcpStream::from_std(socket)?, TcpStream::from_std(watched)?))
}

/// Completes when the client has closed its side, and what it sent before could be read: a request to cancel is followed by the end at once.
pub(super) async fn gone(watched: TcpStream) {
    loop {
        let Ok(ready) = watched.ready(Interest::READABLE).await else { return };
        tokio::time::sleep(LOOK_EVERY).await;
        // Whoever reads at all has read by now; a running statement does not, and a client may have said goodbye to it.
        if ready.is_read_closed() {
            return;
        }
    }
}
