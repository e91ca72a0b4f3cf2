//! TLS for gRPC, of both ends where a CA for clients is given: programs show a certificate, besides the token of whom they act for.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chimera_pipelines::hosts::pem::{self, PemError};
use futures::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::server::Connected;

/// Who does not get through the handshake in this time is hung up on.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes in progress; more connections wait.
const HANDSHAKES: usize = 64;

/// PEM files.
#[derive(Clone, Debug)]
pub struct Files {
    /// The server's certificate, and those between it and its CA.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Whose certificates clients must have; `None`: they need none.
    pub client_ca: Option<PathBuf>,
}

/// The files do not make a TLS server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error("the CA of clients cannot be used: {0}")]
    Clients(#[from] rustls::server::VerifierBuilderError),
    #[error("the certificate and the key cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// What takes connections by TLS.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads the files. They are read once: a new certificate needs a new start.
    pub fn load(files: &Files) -> Result<Self, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let builder = match &files.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(pem::roots(path)?);
                builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(roots, provider).build()?)
            }
        };
        let mut config = builder.with_single_cert(pem::certificates(&files.certificate)?, pem::key(&files.key)?)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Connections whose handshake is done; those that fail are left out.
    pub(super) fn connections(self, listener: TcpListener) -> impl Stream<Item = io::Result<Secured>> {
        let handshakes = TcpListenerStream::new(listener).map(move |connection| {
            let acceptor = self.0.clone();
            async move {
                let connection = match connection {
                    Ok(connection) => connection,
                    Err(error) => return Some(Err(error)),
                };
                connection.set_nodelay(true).ok();
                match tokio::time::timeout(HANDSHAKE, acceptor.accept(connection)).await {
                    Ok(Ok(secured)) => Some(Ok(Secured(secured))),
                    Ok(Err(error)) => {
                        tracing::info!(%error, "a TLS handshake of gRPC failed");
                        None
                    }
                    Err(_) => None,
                }
            }
        });
        handshakes.buffer_unordered(HANDSHAKES).filter_map(std::future::ready)
    }
}

/// A connection by TLS, as tonic takes it.
pub(super) struct Secured(TlsStream<TcpStream>);

impl Connected for Secured {
    type ConnectInfo = <TcpStream as Connected>::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.0.get_ref().0.connect_info()
    }
}

impl AsyncRead for Secured {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
