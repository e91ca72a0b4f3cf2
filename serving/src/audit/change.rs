//! A row of the trail.

/// A change of a row of a table, as it was committed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Change {
    /// `orders.public.orders`.
    pub topic: String,
    /// Where in its topic it stands.
    pub offset: i64,
    /// `c` created, `u` updated, `d` deleted, `r` there already when capture began.
    pub op: Option<String>,
    pub transaction_id: Option<String>,
    /// Milliseconds since 1970.
    pub committed_ms: Option<i64>,
    /// The row as JSON; `None`: there was none.
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Change {
    /// Its columns, as a SELECT lists them. `row_key` is left out: it stands in the images.
    pub const COLUMNS: &str = "topic, \"offset\", op, transaction_id, committed_ms, before, after";

    /// Adds it to a digest: every value with its length before it, so that no two different changes give the same bytes.
    pub fn digest(&self, hasher: &mut blake3::Hasher) {
        let mut text = |value: Option<&str>| {
            hasher.update(&value.map_or(u64::MAX, |value| value.len() as u64).to_le_bytes());
            hasher.update(value.unwrap_or_default().as_bytes());
        };
        text(Some(&self.topic));
        text(self.op.as_deref());
        text(self.transaction_id.as_deref());
        text(self.before.as_deref());
        text(self.after.as_deref());
        hasher.update(&self.offset.to_le_bytes());
        hasher.update(&[u8::from(self.committed_ms.is_some())]);
        hasher.update(&self.committed_ms.unwrap_or_default().to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(change: &Change) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        change.digest(&mut hasher);
        hasher.finalize()
    }

    #[test]
    fn every_value_counts_and_none_runs_into_the_next() {
        let change = Change {
            topic: "t".into(),
            offset: 1,
            op: Some("u".into()),
            transaction_id: Some("7".into()),
            committed_ms: Some(0),
            before: Some("ab".into()),
            after: Some("c".into()),
        };
        let others = [
            Change { topic: "u".into(), ..change.clone() },
            Change { offset: 2, ..change.clone() },
            Change { op: None, ..change.clone() },
            Change { transaction_id: None, ..change.clone() },
            Change { committed_ms: None, ..change.clone() },
            Change { before: Some("a".into()), after: Some("bc".into()), ..change.clone() },
            Change { before: Some(String::new()), ..change.clone() },
            Change { before: None, ..change.clone() },
        ];
        let mut digests: Vec<_> = others.iter().map(digest).chain([digest(&change)]).map(|hash| hash.to_hex()).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), others.len() + 1);
    }
}
