//! Whose cart a request is about.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use uuid::Uuid;

use crate::api::access::Caller;
use crate::api::auth::secrets::{self, Secret};
use crate::api::problem::{Problem, Result, kinds};

/// In which a guest sends the token of their cart.
pub const GUEST: HeaderName = HeaderName::from_static("chimera-cart");
/// What the token of a guest's cart begins with.
const PREFIX: &str = "chg_";
/// 256 bits in base 64.
const RANDOM_CHARS: usize = 43;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    User(Uuid),
    /// The hash of the token: who holds it holds the cart.
    Guest([u8; 32]),
    /// Nobody yet: a guest without a cart.
    New,
}

impl Owner {
    /// The key of the copy in Redis, and the channel in which changes are told. `None`: there is no cart.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::User(id) => Some(format!("cart:{id}")),
            Self::Guest(hash) => Some(format!("cart:guest:{}", blake3::Hash::from_bytes(*hash).to_hex())),
            Self::New => None,
        }
    }

    /// By which what is theirs is told from what is others'. `None`: they have nothing.
    pub fn scope(&self) -> Option<Vec<u8>> {
        match self {
            Self::User(id) => Some(id.as_bytes().to_vec()),
            Self::Guest(hash) => Some(hash.to_vec()),
            Self::New => None,
        }
    }

    /// What stands in the row of the cart; one of them at most.
    pub(super) fn columns(&self) -> (Option<Uuid>, Option<&[u8]>) {
        match self {
            Self::User(id) => (Some(*id), None),
            Self::Guest(hash) => (None, Some(hash)),
            Self::New => (None, None),
        }
    }

    /// The owner of a cart that is to be made if there is none, and the token that a new guest is given.
    pub(super) fn or_new_guest(self) -> Result<(Self, Option<String>)> {
        if self != Self::New {
            return Ok((self, None));
        }
        let token = Secret::new(PREFIX)?;
        Ok((Self::Guest(token.hash()), Some(token.reveal())))
    }

    /// Who holds this token; `None`: it is none of ours.
    pub(in crate::api) fn of_token(token: &str) -> Option<Self> {
        let random = token.strip_prefix(PREFIX)?;
        let is_ours = random.len() == RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_ours.then(|| Self::Guest(secrets::hash(token)))
    }

    /// By the header alone.
    pub(in crate::api) fn of_guest(headers: &HeaderMap) -> Result<Self> {
        let Some(token) = headers.get(GUEST) else { return Ok(Self::New) };
        token
            .to_str()
            .ok()
            .and_then(Self::of_token)
            .ok_or_else(|| Problem::new(&kinds::BAD_PARAMETER, "The header `chimera-cart` is not the token of a cart."))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Owner {
    type Rejection = Problem;

    /// Who has logged in has a cart of their own; the token of a guest's cart that comes along is left alone until it is merged.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        match parts.extensions.get::<Caller>() {
            Some(caller) => caller.user_id().map(Self::User),
            None => Self::of_guest(&parts.headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_ours_or_none() {
        let (owner, token) = Owner::New.or_new_guest().expect("randomness");
        let token = token.expect("a new guest has a token");
        assert_eq!(Owner::of_token(&token), Some(owner));
        assert_eq!(owner.or_new_guest().expect("nothing to do"), (owner, None));
        for wrong in ["", "chg_", "chg_1", &token[1..], &token[..token.len() - 1], &format!("{token}x"), &token.replace("chg_", "chr_")] {
            assert_eq!(Owner::of_token(wrong), None, "{wrong}");
        }
        assert_eq!(Owner::of_token(&format!("chg_{}", "é".repeat(RANDOM_CHARS))), None);
    }
}
