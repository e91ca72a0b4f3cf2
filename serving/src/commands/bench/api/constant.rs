//! The reference: a route that answers a constant, with nothing around it.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::net::TcpListener;

/// Serves it on a port and threads of its own, for as long as this process lives.
pub fn serve() -> anyhow::Result<SocketAddr> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("constant").build()?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("cannot listen for the reference")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    // Not on this thread, which may be one of another runtime.
    std::thread::spawn(move || {
        let routes = Router::new().route("/", get(|| async { "constant" }).post(|_: Bytes| async { "constant" }));
        runtime.block_on(async { axum::serve(TcpListener::from_std(listener)?, routes).await })
    });
    Ok(address)
}
