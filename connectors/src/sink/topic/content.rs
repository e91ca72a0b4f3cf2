//! A topic of changes by key as the table that it comes to, and records that lead from one table to another.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::CONNECTOR;
use crate::format::Format;
use crate::log::Log;
use crate::{Error, Result};

/// Records a read.
const READ: usize = 4096;

/// Key to row, both as the JSON that is in the topic.
pub(super) type Content = BTreeMap<Bytes, Bytes>;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    after: Option<&'a RawValue>,
}

/// The table that the topic comes to before the offsets `until`, a partition each; of all of it without.
pub(super) async fn content(log: &dyn Log, topic: &str, partitions: u32, format: Format, until: Option<&[u64]>) -> Result<Content> {
    let mut content = Content::new();
    for partition in 0..partitions {
        let end = match until {
            Some(until) => until.get(partition as usize).copied().unwrap_or(0),
            None => u64::MAX,
        };
        let mut next = 0;
        loop {
            let entries = log.read(topic, partition, next, READ, Duration::ZERO).await?;
            let Some(last) = entries.last() else { break };
            next = last.offset + 1;
            for entry in entries.into_iter().take_while(|entry| entry.offset < end) {
                let Some(key) = entry.record.key else { continue };
                let row = match entry.record.value {
                    None => None,
                    Some(value) if format == Format::Json => Some(value),
                    Some(value) => after(topic, entry.offset, &value)?,
                };
                match row {
                    Some(row) => content.insert(key, row),
                    None => content.remove(&key),
                };
            }
            if next >= end {
                break;
            }
        }
    }
    Ok(content)
}

fn after(topic: &str, offset: u64, value: &Bytes) -> Result<Option<Bytes>> {
    let envelope: Envelope<'_> =
        serde_json::from_slice(value).map_err(|error| Error::corrupt(CONNECTOR, format!("offset {offset} of topic `{topic}`: {error}")))?;
    Ok(envelope.after.map(|row| value.slice_ref(row.get().as_bytes())))
}

/// Keys and values that make `from` into `to`. A `None` is a tombstone.
pub(super) fn difference(from: &Content, to: &Content, format: Format) -> Vec<(Bytes, Option<Bytes>)> {
    let mut records = Vec::new();
    for (key, before) in from {
        match to.get(key) {
            Some(after) if after == before => {}
            Some(after) => records.push((key.clone(), Some(change(format, Some(before), Some(after))))),
            None => {
                if format == Format::DebeziumJson {
                    records.push((key.clone(), Some(change(format, Some(before), None))));
                }
                records.push((key.clone(), None));
            }
        }
    }
    let new = to.iter().filter(|(key, _)| !from.contains_key(*key));
    records.extend(new.map(|(key, after)| (key.clone(), Some(change(format, None, Some(after))))));
    records
}

fn change(format: Format, before: Option<&Bytes>, after: Option<&Bytes>) -> Bytes {
    if format != Format::DebeziumJson {
        return after.cloned().unwrap_or_default();
    }
    let op = match (before, after) {
        (None, _) => "c",
        (_, None) => "d",
        _ => "u",
    };
    let row = |row: Option<&Bytes>| row.map_or_else(|| "null".to_owned(), |row| String::from_utf8_lossy(row).into_owned());
    format!("{{\"before\":{},\"after\":{},\"op\":\"{op}\"}}", row(before), row(after)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_leads_from_one_table_to_the_other() {
        let table = |rows: &[(&'static str, &'static str)]| -> Content {
            rows.iter().map(|(key, row)| (Bytes::from_static(key.as_bytes()), Bytes::from_static(row.as_bytes()))).collect()
        };
        let (from, to) = (table(&[("1", "a"), ("2", "b"), ("3", "c")]), table(&[("2", "b"), ("3", "d"), ("4", "e")]));
        let text = |format| -> Vec<(String, Option<String>)> {
            let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
            difference(&from, &to, format).into_iter().map(|(key, value)| (text(key), value.map(text))).collect()
        };
        let some = |text: &str| Some(text.to_owned());
        let changes = [
            ("1".to_owned(), some(r#"{"before":a,"after":null,"op":"d"}"#)),
            ("1".to_owned(), None),
            ("3".to_owned(), some(r#"{"before":c,"after":d,"op":"u"}"#)),
            ("4".to_owned(), some(r#"{"before":null,"after":e,"op":"c"}"#)),
        ];
        assert_eq!(text(Format::DebeziumJson), changes);
        assert_eq!(text(Format::Json), [("1".to_owned(), None), ("3".to_owned(), some("d")), ("4".to_owned(), some("e"))]);
    }
}
