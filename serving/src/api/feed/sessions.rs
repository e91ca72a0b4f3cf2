//! What each session looked at last, remembered by this process for the feed.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

/// SKUs a session, the newest first.
const SKUS_A_SESSION: usize = 5;
/// At about half a kilobyte each.
const SESSIONS: u64 = 50_000;
const FORGET_AFTER: Duration = Duration::from_secs(2 * 60 * 60);

/// The last SKUs of the sessions that were here lately; the oldest sessions are forgotten first.
pub struct Sessions(Cache<String, Arc<[Box<str>]>>);

impl Default for Sessions {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(SESSIONS).time_to_idle(FORGET_AFTER).build())
    }
}

impl Sessions {
    /// Remembers that this session looked at this SKU now.
    pub fn looked_at(&self, session: &str, sku: &str) {
        self.0.entry_by_ref(session).and_upsert_with(|entry| {
            let before = entry.map(|entry| entry.into_value()).unwrap_or_default();
            let rest = before.iter().filter(|other| &***other != sku).take(SKUS_A_SESSION - 1).cloned();
            std::iter::once(Box::from(sku)).chain(rest).collect()
        });
    }

    /// The newest first.
    pub fn last(&self, session: &str) -> Arc<[Box<str>]> {
        self.0.get(session).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_old_ones_go() {
        let sessions = Sessions::default();
        for sku in ["a", "b", "c", "a", "d", "e", "f"] {
            sessions.looked_at("s", sku);
        }
        assert_eq!(sessions.last("s").iter().map(|sku| &**sku).collect::<Vec<_>>(), ["f", "e", "d", "a", "c"]);
        assert!(sessions.last("t").is_empty());
    }
}
