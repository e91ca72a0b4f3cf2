//! How far a store has come in each source, and the token by which a reader asks for at least that much.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A position per source: for a database (`orders`) the LSN just after a commit, for a plain topic (`clickstream`) the next offset.
///
/// The same type is what a store has reached, and what a write hands out as its position token: `orders:24023128,catalog:17`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Frontier(pub BTreeMap<String, u64>);

/// The text is not a position token.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("position token `{0}` is not of the form `source:number[,source:number…]`; pass on the token that a write returned, unchanged")]
pub struct ParseError(String);

impl Frontier {
    /// A token may not name more sources than this: tokens come from outside.
    pub const MAX_SOURCES: usize = 32;

    /// The position of one source.
    pub fn single(source: impl Into<String>, position: u64) -> Self {
        Self(BTreeMap::from([(source.into(), position)]))
    }

    /// The position of `source`, 0 where nothing of it has been seen.
    pub fn get(&self, source: &str) -> u64 {
        self.0.get(source).copied().unwrap_or(0)
    }

    /// Moves `source` forward to `position`; never back.
    pub fn advance(&mut self, source: &str, position: u64) {
        match self.0.get_mut(source) {
            Some(at) => *at = (*at).max(position),
            None => {
                self.0.insert(source.to_owned(), position);
            }
        }
    }

    /// Moves every source forward to where `other` is.
    pub fn merge(&mut self, other: &Frontier) {
        for (source, position) in &other.0 {
            self.advance(source, *position);
        }
    }

    /// Whether everything up to `wanted` is included here. Sources that `sources` does not list are not waited for: a store that
    /// does not read a source will never reach it.
    pub fn covers(&self, wanted: &Frontier, sources: &[String]) -> bool {
        wanted.0.iter().all(|(source, position)| !sources.contains(source) || self.get(source) >= *position)
    }
}

impl fmt::Display for Frontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (source, position)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{source}:{position}")?;
        }
        Ok(())
    }
}

impl FromStr for Frontier {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError(text.chars().take(80).collect());
        let mut frontier = Frontier::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (source, position) = part.split_once(':').ok_or_else(bad)?;
            let named =
                !source.is_empty() && source.len() <= 64 && source.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            if !named || frontier.0.len() == Self::MAX_SOURCES {
                return Err(bad());
            }
            frontier.advance(source, position.parse().map_err(|_| bad())?);
        }
        Ok(frontier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_round_trip_and_rubbish_is_refused() {
        let token: Frontier = "catalog:17,orders:24023128".parse().expect("a token");
        assert_eq!(token.to_string(), "catalog:17,orders:24023128");
        for bad in ["orders", "orders:-1", ":3", "orders:x", "a b:1"] {
            assert!(bad.parse::<Frontier>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_store_is_not_asked_for_sources_it_does_not_read() {
        let mut at = Frontier::single("orders", 10);
        let wanted: Frontier = "orders:10,catalog:99".parse().expect("a token");
        assert!(at.covers(&wanted, &["orders".to_owned()]));
        assert!(!at.covers(&wanted, &["orders".to_owned(), "catalog".to_owned()]));
        at.advance("catalog", 99);
        at.advance("catalog", 3);
        assert!(at.covers(&wanted, &["orders".to_owned(), "catalog".to_owned()]));
    }
}
