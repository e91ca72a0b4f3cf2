//! What PEM files hold, for all that speaks TLS here. They are read once a process: a new certificate needs a new start.

use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, RootCertStore};

/// A file does not hold what it is for.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    #[error("cannot read {what} in {}: {source}", path.display())]
    Pem { what: &'static str, path: PathBuf, source: pem::Error },
    #[error("{} has no certificate", .0.display())]
    Empty(PathBuf),
    #[error("{} has a certificate that is no CA's: {source}", path.display())]
    Root { path: PathBuf, source: rustls::Error },
}

/// A certificate and those between it and its CA, or several CAs'; one at least.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let bad = |source| PemError::Pem { what: "certificates", path: path.to_owned(), source };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path).map_err(bad)?.collect::<Result<_, _>>().map_err(bad)?;
    if certificates.is_empty() { Err(PemError::Empty(path.to_owned())) } else { Ok(certificates) }
}

pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_file(path).map_err(|source| PemError::Pem { what: "a private key", path: path.to_owned(), source })
}

/// The CAs that others' certificates are to be of.
pub fn roots(path: &Path) -> Result<RootCertStore, PemError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|source| PemError::Root { path: path.to_owned(), source })?;
    }
    Ok(roots)
}
