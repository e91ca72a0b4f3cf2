//! Serving until told to stop.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::jobs;
use super::router::router;
use super::state::App;

/// Serves `app` on `listener` until `shutdown` is done. Then no connection is taken any more, event streams end, and requests in
/// progress have
/// [`super::state::Limits::shutdown_grace`] to end.
pub async fn serve(app: App, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let _metrics = AbortOnDropHandle::new(tokio::spawn(metrics_upkeep(app.clone())));
    let _hub = AbortOnDropHandle::new(tokio::spawn(app.hub.clone().run()));
    let _jobs = jobs::start(&app);
    let takes_within = app.limits.takes_within;
    let listener = listener.tap_io(move |connection| {
        if let Err(error) = set_up(connection, takes_within) {
            tracing::debug!(%error, "a connection keeps the system's settings");
        }
    });
    let (stopping, grace) = (app.stopping.clone(), app.limits.shutdown_grace);
    let signal = stopping.clone();
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        signal.cancel();
    });
    let served = tokio::select! {
        result = server.into_future() => result,
        () = async { stopping.cancelled().await; tokio::time::sleep(grace).await } => {
            tracing::warn!(grace_ms = grace.as_millis(), "some requests did not end in time and are cut off");
            Ok(())
        }
    };
    // Nothing is evaluated any more; what the last evaluations noted is not lost.
    match tokio::time::timeout(grace, app.flags.exposures.write(&app.log)).await {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => tracing::warn!(%problem, "the last exposures are not in the log"),
        Err(_) => tracing::warn!("the log took too long: the last exposures may not be in it"),
    }
    served
}

/// A client that stops reading, or vanishes, would hold its connection, and the place of its stream, for ever: the system ends a connection whose
/// bytes wait for so long.
fn set_up(connection: &TcpStream, takes_within: Duration) -> io::Result<()> {
    connection.set_nodelay(true)?;
    SockRef::from(connection).set_tcp_user_timeout(Some(takes_within))
}

/// Drops samples that were rendered; without it histograms that nobody scrapes grow.
async fn metrics_upkeep(app: App) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        app.metrics.run_upkeep();
    }
}
