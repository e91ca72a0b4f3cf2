//! Changes of what somebody has read: the header `If-Match` says which version they mean.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::api::problem::{Problem, Result, kinds};

/// The header `If-Match`; a request without one is refused.
pub struct IfMatch(String);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let value = parts.headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
        let missing = || Problem::new(&kinds::IF_MATCH_NEEDED, "The request has no header `If-Match`: send the `ETag` that you read.");
        value.map(|value| Self(value.to_owned())).ok_or_else(missing)
    }
}

impl IfMatch {
    /// Refuses the request unless it means this version.
    pub fn check(&self, version: i64) -> Result<()> {
        let etag = etag(version);
        if self.0.split(',').map(str::trim).any(|wanted| wanted == "*" || wanted == etag) {
            return Ok(());
        }
        let detail = format!("It is at version {version}, which is not the one that `If-Match` names.");
        Err(Problem::new(&kinds::STALE_VERSION, detail).with("version", version))
    }
}

/// A version as an `ETag`.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_versions_that_are_named_has_to_be_it() {
        let means = |header: &str, version| IfMatch(header.to_owned()).check(version).is_ok();
        assert!(means("\"3\"", 3) && means("\"2\", \"3\"", 3) && means("*", 3));
        assert!(!means("\"33\"", 3) && !means("3", 3) && !means("W/\"3\"", 3) && !means("", 3));
    }
}
