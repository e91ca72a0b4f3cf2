//! What the server said.

use std::ops::Deref;

use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderMap};

/// A body, read like the body itself, with status and headers beside it.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: T,
}

impl<T> Answer<T> {
    /// What an `if_match` of a later change names.
    pub fn etag(&self) -> Option<&str> {
        self.header(ETAG.as_str())
    }

    /// Whether this is the answer of an earlier request with the same key.
    pub fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn into_body(self) -> T {
        self.body
    }
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}
