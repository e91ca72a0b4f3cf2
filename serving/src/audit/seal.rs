//! A link of the chain.

use bytes::Bytes;
use chimera_connectors::log::{Append, Record};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Change, TOPIC};

/// What is known of all changes of a topic after the topic's seal before it, up to its own last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// 1, 2, … over all topics.
    pub number: u64,
    pub topic: String,
    /// Offsets of the first and the last change.
    pub from: i64,
    pub to: i64,
    /// How many there are.
    pub changes: u64,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub sealed_at: DateTime<Utc>,
    /// BLAKE3 of the changes, in their order: 64 hexadecimal digits.
    pub digest: String,
    /// BLAKE3 of the seal before this one, and of all that stands here.
    pub hash: String,
}

impl Seal {
    /// Before the first seal.
    pub const NOTHING: &str = "";

    /// Seals changes of one topic in the order of their offsets. `None`: there are none.
    pub fn of(changes: &[Change], before: Option<&Self>, sealed_at: DateTime<Utc>) -> Option<Self> {
        let (first, last) = (changes.first()?, changes.last()?);
        let mut digest = digest();
        changes.iter().for_each(|change| change.digest(&mut digest));
        let mut seal = Self {
            number: before.map_or(0, |before| before.number) + 1,
            topic: first.topic.clone(),
            from: first.offset,
            to: last.offset,
            changes: changes.len() as u64,
            sealed_at,
            digest: digest.finalize().to_hex().to_string(),
            hash: String::new(),
        };
        seal.hash = seal.link(before.map_or(Self::NOTHING, |before| &before.hash));
        Some(seal)
    }

    /// What `hash` must be, after a seal with the hash `before`.
    pub fn link(&self, before: &str) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("chimera audit seal");
        for text in [before, &self.topic, &self.digest] {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        hasher.update(&self.number.to_le_bytes()).update(&self.from.to_le_bytes()).update(&self.to.to_le_bytes());
        hasher.update(&self.changes.to_le_bytes()).update(&self.sealed_at.timestamp_millis().to_le_bytes());
        hasher.finalize().to_hex().to_string()
    }

    pub fn append(&self) -> Append {
        // Cannot fail: a struct of texts and numbers.
        let value = serde_json::to_vec(self).unwrap_or_default();
        let record = Record::new(None, Some(Bytes::from(value)), self.sealed_at.timestamp_millis());
        Append { topic: TOPIC.to_owned(), partition: None, record }
    }
}

/// For changes in the order of their offsets.
pub(super) fn digest() -> blake3::Hasher {
    blake3::Hasher::new_derive_key("chimera audit changes")
}
