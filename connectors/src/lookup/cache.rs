//! Answers that are at hand for a while, in bounded memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Key;

/// What an entry takes beside its key and its value.
const ENTRY_BYTES: usize = 96;

/// Of how much, and for how long, answers are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub bytes: usize,
    pub rows: usize,
    /// `None`: until others need the room.
    pub ttl: Option<Duration>,
}

struct Answer {
    value: Option<Bytes>,
    since: Instant,
}

/// Two generations: what was used since the newer one began, and what was used before. When the newer one has half of the room, it takes
/// the place of the older one, which is forgotten: what is used often stays.
pub(super) struct Cache {
    limits: Limits,
    newer: HashMap<Key, Answer>,
    older: HashMap<Key, Answer>,
    newer_bytes: usize,
}

impl Cache {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, newer: HashMap::new(), older: HashMap::new(), newer_bytes: 0 }
    }

    /// The answer to `key`, if it is still known at `now`.
    pub(super) fn get(&mut self, key: &Key, now: Instant) -> Option<Option<Bytes>> {
        let is_fresh = |answer: &Answer| self.limits.ttl.is_none_or(|ttl| now.duration_since(answer.since) < ttl);
        if let Some(answer) = self.newer.get(key) {
            return is_fresh(answer).then(|| answer.value.clone());
        }
        let answer = self.older.remove(key).filter(is_fresh)?;
        let value = answer.value.clone();
        self.keep(key.clone(), answer);
        Some(value)
    }

    pub(super) fn insert(&mut self, key: Key, value: Option<Bytes>, now: Instant) {
        self.older.remove(&key);
        self.keep(key, Answer { value, since: now });
    }

    fn keep(&mut self, key: Key, answer: Answer) {
        let bytes = size(&key, &answer);
        if self.newer_bytes + bytes > self.limits.bytes / 2 || self.newer.len() + 1 > self.limits.rows.div_ceil(2) {
            self.older = std::mem::take(&mut self.newer);
            self.newer_bytes = 0;
        }
        if bytes > self.limits.bytes / 2 || self.limits.rows == 0 {
            return;
        }
        self.newer_bytes += bytes;
        if let Some(before) = self.newer.insert(key.clone(), answer) {
            self.newer_bytes -= size(&key, &before);
        }
    }
}

fn size(key: &Key, answer: &Answer) -> usize {
    ENTRY_BYTES + key.iter().map(|part| part.len() + size_of::<String>()).sum::<usize>() + answer.value.as_ref().map_or(0, Bytes::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Key {
        vec![n.to_string()]
    }

    #[test]
    fn an_answer_is_known_for_its_time() {
        let start = Instant::now();
        let mut cache = Cache::new(Limits { bytes: 1 << 20, rows: 100, ttl: Some(Duration::from_secs(5)) });
        cache.insert(key(1), Some(Bytes::from_static(b"a")), start);
        cache.insert(key(2), None, start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(cache.get(&key(1), at(4)), Some(Some(Bytes::from_static(b"a"))));
        assert_eq!(cache.get(&key(2), at(4)), Some(None), "that there is no row is an answer too");
        assert_eq!((cache.get(&key(1), at(5)), cache.get(&key(3), start)), (None, None));
        // Using an answer makes it no younger.
        cache.insert(key(1), None, at(6));
        assert_eq!(cache.get(&key(1), at(10)), Some(None));
        assert_eq!(cache.get(&key(1), at(11)), None);
    }

    #[test]
    fn room_is_bounded_and_what_is_used_stays() {
        let now = Instant::now();
        let mut cache = Cache::new(Limits { bytes: 1 << 20, rows: 10, ttl: None });
        for n in 0..1_000 {
            cache.insert(key(n), None, now);
            assert!(cache.newer.len() + cache.older.len() <= 10);
            assert_eq!(cache.get(&key(0), now), Some(None), "the first one is used all the time");
        }
        let mut small = Cache::new(Limits { bytes: 1_000, rows: usize::MAX, ttl: None });
        for n in 0..1_000 {
            small.insert(key(n), Some(Bytes::from(vec![0; 100])), now);
            let held = small.newer.iter().chain(&small.older).map(|(key, answer)| size(key, answer)).sum::<usize>();
            assert!(held <= 1_000, "{held} bytes");
        }
        small.insert(key(0), Some(Bytes::from(vec![0; 5_000])), now);
        assert_eq!(small.get(&key(0), now), None, "larger than the room");
    }
}
