//! What makes a request that is sent again the same request.

use std::fmt::{Display, Formatter, Result};

use uuid::Uuid;

/// An `Idempotency-Key`. Whoever keeps it can send its request again, after a crash too, and it is done once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// A new one, for something new.
    pub fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }
}

impl Default for Key {
    fn default() -> Self {
        Self::new()
    }
}

/// One that was kept.
impl From<String> for Key {
    fn from(kept: String) -> Self {
        Self(kept)
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.0)
    }
}
