//! The headers `ETag` and `If-Match`: who changes something says which state of it they saw, and does not overwrite what they did not see.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::api::problem::{Problem, Result, kinds};

/// The versions that a change may replace. An extractor: a change without the header is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whatever is there.
    Any,
    OneOf(Vec<i64>),
}

impl IfMatch {
    /// For `$n::bigint[] IS NULL OR version = ANY($n)`.
    pub fn versions(&self) -> Option<&[i64]> {
        match self {
            Self::Any => None,
            Self::OneOf(versions) => Some(versions),
        }
    }

    /// For a row that is locked.
    pub fn check(&self, version: i64) -> Result<()> {
        match self {
            Self::OneOf(versions) if !versions.contains(&version) => Err(changed_meanwhile(version)),
            _ => Ok(()),
        }
    }

    fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let mut versions = Vec::new();
        let mut is_there = false;
        for value in headers.get_all(header::IF_MATCH) {
            is_there = true;
            let text = value.to_str().map_err(|_| malformed())?;
            for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
                match tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                    _ if tag == "*" => return Ok(Some(Self::Any)),
                    // A tag that was never given out matches nothing.
                    Some(version) => versions.extend(version.parse::<i64>()),
                    // Nor does a weak one: what it names need not be the same to the byte.
                    None if tag.starts_with("W/\"") => {}
                    None => return Err(malformed()),
                }
            }
        }
        Ok(is_there.then_some(Self::OneOf(versions)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::read(&parts.headers)?
            .ok_or_else(|| Problem::new(&kinds::PRECONDITION_REQUIRED, "A change of this needs the header `If-Match`."))
    }
}

fn malformed() -> Problem {
    Problem::new(&kinds::BAD_PARAMETER, "The header `If-Match` is not a list of tags such as \"7\", with their quotes.")
}

pub fn changed_meanwhile(version: i64) -> Problem {
    Problem::new(&kinds::CHANGED_MEANWHILE, format!("It is at version {version} now."))
        .with("version", version)
        .header(header::ETAG, etag(version))
}

/// A version as an `ETag`.
pub fn etag(version: i64) -> HeaderValue {
    // Cannot fail: digits and quotes.
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Result<Option<IfMatch>> {
        IfMatch::read(&HeaderMap::from_iter(values.iter().map(|value| (header::IF_MATCH, HeaderValue::from_static(value)))))
    }

    #[test]
    fn tags_are_read_and_weak_and_foreign_ones_match_nothing() {
        assert_eq!(read(&[]).expect("none"), None);
        assert_eq!(read(&["\"7\""]).expect("a tag"), Some(IfMatch::OneOf(vec![7])));
        assert_eq!(read(&["\"7\", \"x\" ,W/\"8\"", "\"9\""]).expect("tags"), Some(IfMatch::OneOf(vec![7, 9])));
        assert_eq!(read(&["*"]).expect("any"), Some(IfMatch::Any));
        assert_eq!(read(&[""]).expect("nothing"), Some(IfMatch::OneOf(vec![])));
        for wrong in ["7", "\"7", "seven"] {
            assert_eq!(read(&[wrong]).expect_err(wrong).status(), 400);
        }
    }
}
