//! Secrets that have to be read again (signing keys, seeds of second factors), sealed with a key that is not in the database.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;

/// AES-256-GCM with a random nonce, which stands before the sealed bytes.
pub struct Vault(RandomizedNonceKey);

impl Vault {
    pub const KEY_BYTES: usize = 32;

    pub fn new(key: &[u8; Self::KEY_BYTES]) -> Result<Self, Unspecified> {
        Ok(Self(RandomizedNonceKey::new(&AES_256_GCM, key)?))
    }

    /// `what` it is, and whose: what was sealed as one thing cannot be opened as another.
    pub fn seal(&self, what: &str, secret: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut bytes = secret.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(what), &mut bytes)?;
        Ok([nonce.as_ref().as_slice(), &bytes].concat())
    }

    /// Fails for other bytes than [`Vault::seal`] gave with the same key and `what`.
    pub fn open(&self, what: &str, sealed: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN).ok_or(Unspecified)?;
        let mut bytes = bytes.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let length = self.0.open_in_place(nonce, Aad::from(what), &mut bytes)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_for_the_same_thing_only() {
        let vault = Vault::new(&[7; 32]).expect("a key");
        let sealed = vault.seal("a", b"secret").expect("sealed");
        assert_ne!(sealed, vault.seal("a", b"secret").expect("sealed"), "the nonce is another each time");
        assert_eq!(vault.open("a", &sealed).expect("opened"), b"secret");
        assert!(vault.open("b", &sealed).is_err());
        assert!(Vault::new(&[8; 32]).expect("a key").open("a", &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(vault.open("a", &changed).is_err(), "byte {place} was changed");
        }
        assert!(vault.open("a", &sealed[..5]).is_err());
    }
}
