//! TLS between machines, of both ends: each shows a certificate of one CA, and who connects sees to it that the other's is for the name that
//! was called. The greeting, by the shared token, comes after it all the same.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use tokio_util::either::Either;

use super::pem::{self, PemError};

/// A connection between machines: as it is, or by TLS.
pub(super) type Link = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// PEM files.
#[derive(Clone, Debug)]
pub struct Files {
    /// Of this machine, and those between it and the CA: for the names by which others call it, to serve and to call.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Whose certificates all machines have.
    pub ca: PathBuf,
}

/// The files do not make TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error("the CA of the hosts cannot be used: {0}")]
    Ca(#[from] VerifierBuilderError),
    #[error("the certificate and the key cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// Both ends of connections between machines.
#[derive(Clone)]
pub struct Tls {
    files: Files,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

impl Tls {
    /// Reads the files: once a process, so all machines are started again with new certificates.
    pub fn load(files: Files) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (chain, key) = (pem::certificates(&files.certificate)?, pem::key(&files.key)?);
        let roots = Arc::new(pem::roots(&files.ca)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build()?;
        let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let server = server.with_client_cert_verifier(verifier).with_single_cert(chain.clone(), key.clone_key())?;
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let client = client.with_root_certificates(roots).with_client_auth_cert(chain, key)?;
        Ok(Self { files, acceptor: Arc::new(server).into(), connector: Arc::new(client).into() })
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Link> {
        Ok(Either::Right(Box::new(self.acceptor.accept(stream).await?.into())))
    }

    /// `host`: `name:port`, as it was called.
    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<Link> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
        Ok(Either::Right(Box::new(self.connector.connect(name, stream).await?.into())))
    }
}

/// Whether it was TLS that failed: a certificate that is not taken, by either side, or no TLS on the other one.
pub(super) fn is_cause(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<rustls::Error>())
}
