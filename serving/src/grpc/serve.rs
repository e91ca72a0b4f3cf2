//! Serving until told to stop.

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::discounts::Discounts;
use super::proto::DESCRIPTOR;
use super::proto::discount_service_server::DiscountServiceServer;
use super::tls::Tls;
use crate::api::App;

/// A basket of a hundred items is a tenth of this.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Calls in progress on one connection; more wait for their turn. All connections together share the bound of HTTP.
const MAX_CALLS_A_CONNECTION: usize = 64;
/// Also of calls that watch health, which do not end by themselves.
const MAX_STREAMS_A_CONNECTION: u32 = 128;
/// A connection whose other end does not answer is closed after this and as much again.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// The server could not be set up, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the description of the gRPC services cannot be read: {0}")]
    Description(#[from] tonic_reflection::server::Error),
    #[error("the gRPC server broke off: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves on `listener`, by TLS if there is one, until `shutdown` is done. Then no connection is taken any more, health says so to those who
/// watch it, and calls in progress have [`crate::api::Limits::shutdown_grace`] to end.
pub async fn serve(
    app: App,
    listener: TcpListener,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<DiscountServiceServer<Discounts>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let discounts = DiscountServiceServer::new(Discounts::new(app.clone())).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let (stopping, grace) = (CancellationToken::new(), app.limits.shutdown_grace);
    let stopped = stopping.clone().cancelled_owned();
    let router = Server::builder()
        // A caller's own deadline counts where it is shorter.
        .timeout(app.limits.request_timeout)
        .concurrency_limit_per_connection(MAX_CALLS_A_CONNECTION)
        .max_concurrent_streams(MAX_STREAMS_A_CONNECTION)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(discounts);
    let server = async {
        match tls {
            None => router.serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stopped).await,
            Some(tls) => router.serve_with_incoming_shutdown(tls.connections(listener), stopped).await,
        }
    };
    let until_cut_off = async {
        shutdown.await;
        health.set_not_serving::<DiscountServiceServer<Discounts>>().await;
        stopping.cancel();
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        result = server => Ok(result?),
        () = until_cut_off => {
            tracing::warn!(grace_ms = grace.as_millis(), "some gRPC calls did not end in time and are cut off");
            Ok(())
        }
    }
}
