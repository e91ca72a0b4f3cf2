//! Reads the records of epochs from the log: new transactions as they come, and journalled ranges again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::format::{MarkStatus, TransactionMark, transaction_id};
use chimera_connectors::log::{Entry, Log};

use crate::Error;
use crate::inputs::Inputs;
use crate::journal;

/// Records asked of the log at once.
const READ: usize = 8192;

/// The topic of a service's transaction marks.
pub fn transaction_topic(service: &str) -> String {
    format!("{service}.transaction")
}

/// A whole transaction, as its END mark tells.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub id: String,
    /// Topic → records.
    pub counts: BTreeMap<String, u64>,
    pub events: u64,
    /// The offset after its END mark.
    pub next_offset: u64,
    pub committed_ms: i64,
    /// The LSN after its commit.
    pub lsn: u64,
}

/// Turns an entry of `<service>.transaction` into a transaction. BEGIN marks, and what cannot be read, give `None`.
pub fn transaction(service: &str, entry: &Entry) -> Option<Transaction> {
    let mark = TransactionMark::parse(entry.record.value.as_ref()?).ok()?;
    if mark.status != MarkStatus::End {
        return None;
    }
    let counts: BTreeMap<String, u64> =
        mark.collections.iter().map(|collection| (format!("{service}.{}", collection.name), collection.event_count)).collect();
    Some(Transaction {
        events: counts.values().sum(),
        counts,
        next_offset: entry.offset + 1,
        committed_ms: mark.ts_ms,
        lsn: mark.lsn.unwrap_or(0),
        id: mark.id,
    })
}

/// Whose a record is.
#[derive(PartialEq)]
enum Owner {
    /// One of the transactions asked for.
    Ours,
    /// Nobody can tell: the record is no envelope. It is taken along, to be put aside when it is decoded.
    Unknown,
    /// A tombstone, or a record of an attempt that did not end, or of a later transaction.
    Other,
}

fn owner(entry: &Entry, ids: &HashSet<String>) -> Owner {
    match entry.record.value.as_ref() {
        None => Owner::Other,
        Some(value) => match transaction_id(value) {
            Some(id) if ids.contains(id) => Owner::Ours,
            Some(_) => Owner::Other,
            None => Owner::Unknown,
        },
    }
}

/// Reads the `count` records of `topic` from `from` on that belong to the transactions `ids`, and those between them that no one can read.
/// Returns the records and the next offset.
pub async fn take(log: &Arc<dyn Log>, topic: &str, from: u64, count: u64, ids: &HashSet<String>) -> Result<(Vec<Entry>, u64), Error> {
    let mut taken = Vec::with_capacity(count as usize);
    let (mut ours, mut unknown) = (0, 0);
    let mut next = from;
    while ours < count {
        let complete = ours + unknown >= count;
        let wait = if complete { Duration::ZERO } else { Duration::from_secs(1) };
        let missing = (count - ours) as usize;
        let read = log.read(topic, 0, next, (missing + 16).min(READ), wait).await?;
        if read.is_empty() {
            if complete {
                break;
            }
            tracing::warn!(topic, next, missing, "waiting for records that a transaction mark has announced");
        }
        for entry in read {
            if ours == count {
                break;
            }
            match owner(&entry, ids) {
                Owner::Ours => ours += 1,
                Owner::Unknown => unknown += 1,
                Owner::Other if ours + unknown >= count && entry.record.value.is_some() => return Ok((taken, next)),
                Owner::Other => {
                    next = entry.offset + 1;
                    continue;
                }
            }
            next = entry.offset + 1;
            taken.push(entry);
        }
    }
    Ok((taken, next))
}

/// Reads everything in `from..to`.
async fn range(log: &Arc<dyn Log>, topic: &str, from: u64, to: u64) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::with_capacity((to - from) as usize);
    let mut next = from;
    while next < to {
        let read = log.read(topic, 0, next, ((to - next) as usize).min(READ), Duration::ZERO).await?;
        let Some(last) = read.last() else { break };
        next = last.offset + 1;
        entries.extend(read.into_iter().filter(|entry| entry.offset < to));
    }
    Ok(entries)
}

/// Several journalled epochs, to be run as one.
pub struct Again {
    pub records: HashMap<String, Vec<Entry>>,
    /// The last of the epochs.
    pub last: journal::Entry,
}

/// Reads the records of consecutive journalled `epochs` (at least one), of the topics that `wanted` names.
pub async fn again(log: &Arc<dyn Log>, inputs: &Inputs, epochs: &[journal::Entry], wanted: &[String]) -> Result<Again, Error> {
    let mut ranges: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for epoch in epochs {
        for (topic, (from, to)) in &epoch.ranges {
            ranges.entry(topic).and_modify(|range| range.1 = *to).or_insert((*from, *to));
        }
    }
    let mut ids: HashMap<&str, HashSet<String>> = HashMap::new();
    let mut records = HashMap::new();
    for topic in wanted {
        let Some((from, to)) = ranges.get(topic.as_str()).copied() else { continue };
        let mut entries = range(log, topic, from, to).await?;
        if let Some(service) = inputs.database(topic) {
            if !ids.contains_key(service) {
                let marks = transaction_topic(service);
                let (from, to) = ranges.get(marks.as_str()).copied().unwrap_or_default();
                let marks = range(log, &marks, from, to).await?;
                ids.insert(service, marks.iter().filter_map(|entry| transaction(service, entry)).map(|t| t.id).collect());
            }
            entries.retain(|entry| owner(entry, &ids[service]) != Owner::Other);
        }
        records.insert(topic.clone(), entries);
    }
    let last = epochs.last().cloned().ok_or_else(|| Error::Journal("no epochs to read again".into()))?;
    Ok(Again { records, last })
}
