//! Debezium's transaction metadata: which transaction an envelope belongs to, and the marks around a transaction.

use std::ops::Range;

use serde::Deserialize;

use super::json_reader::{JsonError, JsonReader, Kind};

/// Which side of a transaction a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkStatus {
    Begin,
    End,
}

/// How many events of a transaction went to one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// `schema.table`: with the service and a dot before it, the topic's name.
    pub name: String,
    pub event_count: u64,
}

/// A record of a `<service>.transaction` topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionMark {
    pub status: MarkStatus,
    pub id: String,
    /// Events of an ended transaction, tombstones not counted; 0 in a `BEGIN`.
    pub event_count: u64,
    /// Empty in a `BEGIN`.
    pub collections: Vec<Collection>,
    /// Commit time in milliseconds since 1970.
    pub ts_ms: i64,
    /// In an `END`: the position just after the commit. Taken from the id where Debezium itself wrote the mark.
    pub lsn: Option<u64>,
}

#[derive(Deserialize)]
struct RawMark {
    status: String,
    id: String,
    event_count: Option<u64>,
    data_collections: Option<Vec<RawCollection>>,
    #[serde(default)]
    ts_ms: i64,
    lsn: Option<u64>,
}

#[derive(Deserialize)]
struct RawCollection {
    data_collection: String,
    event_count: u64,
}

impl TransactionMark {
    /// Reads a mark; the error says what is wrong with it.
    pub fn parse(value: &[u8]) -> Result<Self, String> {
        let raw: RawMark = serde_json::from_slice(value).map_err(|error| format!("not a transaction mark: {error}"))?;
        let status = match raw.status.as_str() {
            "BEGIN" => MarkStatus::Begin,
            "END" => MarkStatus::End,
            other => return Err(format!("a transaction mark has the status `{other}`; BEGIN and END are known")),
        };
        let from_id = || raw.id.split(':').nth(1).and_then(|lsn| lsn.parse().ok());
        let lsn = if status == MarkStatus::End { raw.lsn.or_else(from_id) } else { None };
        let collections = raw.data_collections.unwrap_or_default();
        Ok(Self {
            status,
            event_count: raw.event_count.unwrap_or(0),
            collections: collections.into_iter().map(|c| Collection { name: c.data_collection, event_count: c.event_count }).collect(),
            ts_ms: raw.ts_ms,
            lsn,
            id: raw.id,
        })
    }
}

/// The id of the transaction that an envelope belongs to; `None` without one. Fast: looks at the envelope's end before it reads the whole.
pub fn transaction_id(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(&value[transaction_id_range(value)?]).ok()
}

/// Where the id stands in the envelope, without its quotes.
pub(crate) fn transaction_id_range(value: &[u8]) -> Option<Range<usize>> {
    // In a JSON text this sequence cannot be part of a string: the quotes would be escaped.
    const LABEL: &[u8] = b"\"transaction\":{\"id\":\"";
    let tail_from = value.len().saturating_sub(384);
    let tail = &value[tail_from..];
    if let Some(at) = tail.windows(LABEL.len()).rposition(|window| window == LABEL) {
        let from = tail_from + at + LABEL.len();
        let len = value[from..].iter().position(|&byte| byte == b'"' || byte == b'\\')?;
        if value[from + len] == b'"' {
            return Some(from..from + len);
        }
    }
    by_reading(value).ok().flatten()
}

/// The same for envelopes written in another way.
fn by_reading(value: &[u8]) -> Result<Option<Range<usize>>, JsonError> {
    let mut found = None;
    let mut reader = JsonReader::new(value)?;
    envelope_fields(&mut reader, |reader, name| {
        if name != "transaction" || reader.kind()? != Kind::Object {
            return reader.skip().map(drop);
        }
        reader.object(|reader, name| {
            if name == "id" && reader.kind()? == Kind::String {
                let text = reader.skip()?;
                let end = reader.position() - 1;
                found = (!text.contains('\\')).then_some(end + 2 - text.len()..end);
                return Ok(());
            }
            reader.skip().map(drop)
        })
    })?;
    Ok(found)
}

/// Reads an envelope's fields, bare or (as Kafka Connect does it with schemas) in its `payload`.
pub(super) fn envelope_fields<'a, E: From<JsonError>>(
    reader: &mut JsonReader<'a>,
    mut field: impl FnMut(&mut JsonReader<'a>, &str) -> Result<(), E>,
) -> Result<(), E> {
    reader.object(|reader, name| match name {
        "payload" if reader.kind()? == Kind::Object => reader.object(&mut field),
        _ => field(reader, name),
    })?;
    Ok(reader.end()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_whatever_stands_around_them() {
        let long = "x".repeat(1000);
        for (envelope, id) in [
            (r#"{"after":{},"transaction":{"id":"7:99","total_order":1},"op":"c","ts_ms":1}"#.to_owned(), Some("7:99")),
            (format!(r#"{{"transaction": {{"total_order":1, "id" : "7:99"}},"after":{{"t":"{long}"}}}}"#), Some("7:99")),
            (format!(r#"{{"schema":{{}},"payload":{{"transaction":{{"id":"8:1"}},"after":{{"t":"{long}"}}}}}}"#), Some("8:1")),
            (r#"{"after":{"t":"\"transaction\":{\"id\":\"1:1\"}"},"transaction":null,"op":"c"}"#.to_owned(), None),
            (r#"{"after":{"t":"\"transaction\":{\"id\":\"1:1\"}"},"transaction":{"id":"2:2"}}"#.to_owned(), Some("2:2")),
            ("poison".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(transaction_id(envelope.as_bytes()), id, "{envelope}");
        }
    }

    #[test]
    fn marks_of_debezium_itself_have_their_position_in_the_id() {
        let end = br#"{"status":"END","id":"571:53195832","event_count":1,"ts_ms":5,
            "data_collections":[{"data_collection":"s1.a","event_count":1}]}"#;
        let mark = TransactionMark::parse(end).expect("a mark");
        assert_eq!((mark.lsn, mark.event_count, mark.collections.len()), (Some(53_195_832), 1, 1));
        assert!(TransactionMark::parse(b"{}").is_err());
        assert!(TransactionMark::parse(br#"{"status":"MIDDLE","id":"1:1"}"#).expect_err("no such status").contains("MIDDLE"));
    }
}
