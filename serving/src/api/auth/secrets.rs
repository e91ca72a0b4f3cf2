//! Random secrets that are handed out once; only their hashes are kept.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::api::problem::{Problem, Result};

/// 256 random bits, as text. A plain hash is enough to keep them by: nobody can guess them.
pub struct Secret(String);

impl Secret {
    /// `prefix` says what it is to whoever finds it in a file.
    pub fn new(prefix: &str) -> Result<Self> {
        Ok(Self(format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(random::<32>()?))))
    }

    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }

    /// What the client is given.
    pub fn reveal(self) -> String {
        self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// By which a secret is found.
pub fn hash(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// From the system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(Problem::internal)?;
    Ok(bytes)
}
