//! Where the log ends, and so where a reader goes on.

use std::collections::HashMap;
use std::time::Duration;

use super::error::{Error, Result};
use crate::format::{MarkStatus, TransactionMark};
use crate::log::Log;

/// What the log's transaction marks say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Resume {
    /// Position of the last `END`; `None` until a first snapshot is complete.
    pub end_lsn: Option<u64>,
    /// How often transactions after that were begun and not ended, by their id without an attempt's number.
    unfinished: HashMap<String, u32>,
}

impl Resume {
    /// Reads the marks from the end backwards.
    pub(super) async fn read(log: &dyn Log, topic: &str) -> Result<Self> {
        let mut resume = Self::default();
        let oldest = log.start_offset(topic, 0).await?;
        let mut end = log.end_offset(topic, 0).await?;
        let mut window = 64;
        while end > oldest {
            let from = end.saturating_sub(window).max(oldest);
            for (offset, value) in values(log, topic, from, end).await?.into_iter().rev() {
                let mark = TransactionMark::parse(&value).map_err(|message| Error::Mark { topic: topic.to_owned(), offset, message })?;
                if resume.see(&mark) {
                    return Ok(resume);
                }
            }
            end = from;
            window *= 4;
        }
        Ok(resume)
    }

    /// Takes in the mark before all that were seen; says whether older ones do not matter.
    fn see(&mut self, mark: &TransactionMark) -> bool {
        // Replayed records have transactions of their own, which say nothing about the database.
        if mark.id.starts_with(crate::dlq::TRANSACTION_PREFIX) {
            return false;
        }
        if mark.status == MarkStatus::End {
            self.end_lsn = mark.lsn;
            return true;
        }
        let base = match mark.id.rsplit_once(':') {
            Some((base, _attempt)) if base.contains(':') => base,
            _ => &mark.id,
        };
        *self.unfinished.entry(base.to_owned()).or_default() += 1;
        false
    }

    /// The id of a transaction. One that was cut off gets a number, so that nobody takes its remains for the whole.
    pub(super) fn transaction_id(&self, base: String) -> String {
        match self.unfinished.get(&base) {
            Some(attempts) => format!("{base}:{}", attempts + 1),
            None => base,
        }
    }
}

/// Values of the records at `from..end`.
async fn values(log: &dyn Log, topic: &str, from: u64, end: u64) -> Result<Vec<(u64, bytes::Bytes)>> {
    let mut values = Vec::new();
    let mut next = from;
    while next < end {
        let entries = log.read(topic, 0, next, (end - next) as usize, Duration::ZERO).await?;
        let Some(last) = entries.last() else { break };
        next = last.offset + 1;
        values.extend(entries.into_iter().filter(|e| e.offset < end).filter_map(|e| Some((e.offset, e.record.value?))));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(status: MarkStatus, id: &str, lsn: Option<u64>) -> TransactionMark {
        TransactionMark { status, id: id.to_owned(), event_count: 0, collections: Vec::new(), ts_ms: 0, lsn }
    }

    #[test]
    fn cut_off_transactions_get_another_id() {
        let mut resume = Resume::default();
        for id in ["8:120:2", "8:120", "dlq:x"] {
            assert!(!resume.see(&mark(MarkStatus::Begin, id, None)));
        }
        assert!(!resume.see(&mark(MarkStatus::End, "dlq:x", Some(50))));
        assert!(resume.see(&mark(MarkStatus::End, "7:99", Some(110))));
        assert_eq!(resume.end_lsn, Some(110));
        assert_eq!(resume.transaction_id("8:120".into()), "8:120:3");
        assert_eq!(resume.transaction_id("9:130".into()), "9:130");
    }
}
