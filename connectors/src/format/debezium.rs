//! A Debezium envelope as the rows that leave and come.

use super::decoder::{RowReader, Rows};
use super::json_reader::{JsonReader, Kind};
use super::transaction::envelope_fields;
use super::value::ValueError;

/// Reads an envelope.
pub(super) fn read<'a>(rows: &RowReader, topic: &str, value: &'a [u8]) -> Result<Rows<'a>, String> {
    let (mut before, mut after, mut op) = (None, None, None);
    let mut reader = JsonReader::new(value).map_err(|error| error.to_string())?;
    let read = envelope_fields(&mut reader, |reader, name| -> Result<(), ValueError> {
        match name {
            "before" | "after" => {
                let row = match reader.kind()? {
                    Kind::Null => reader.null().map(|()| None)?,
                    _ => Some(rows.read(reader).map_err(|error| error.within(name))?),
                };
                *(if name == "before" { &mut before } else { &mut after }) = row;
            }
            "op" => op = Some(reader.string()?),
            _ => drop(reader.skip()?),
        }
        Ok(())
    });
    let table = || table(topic);
    read.map_err(|error| match error {
        ValueError::Json(error) => error.to_string(),
        ValueError::Unfit(message) => message,
        ValueError::NotSent => format!(
            "PostgreSQL did not send every value (one kept out of line and untouched): ALTER TABLE {} REPLICA IDENTITY FULL, then \
             update the row",
            table()
        ),
    })?;
    let missing = |row: &str, op: &str| format!("`{row}` is missing in a change with op `{op}`");
    match op.as_deref() {
        Some(op @ ("c" | "r")) => Ok(Rows { leaves: None, comes: Some(after.ok_or_else(|| missing("after", op))?) }),
        Some("u") => {
            let before = before.ok_or_else(|| {
                format!(
                    "an update does not say what the row was before: ALTER TABLE {} REPLICA IDENTITY FULL, then take a new snapshot",
                    table()
                )
            })?;
            Ok(Rows { leaves: Some(before), comes: Some(after.ok_or_else(|| missing("after", "u"))?) })
        }
        Some("d") => Ok(Rows { leaves: Some(before.ok_or_else(|| missing("before", "d"))?), comes: None }),
        // A logical message says nothing about rows.
        Some("m") => Ok(Rows { leaves: None, comes: None }),
        Some("t") => Err(format!("{} was truncated, which an envelope does not tell the rows of: DELETE the rows instead", table())),
        Some(other) => Err(format!("there is no op `{other}`; c, r, u and d are known")),
        None => Err("`op` is missing: not a Debezium envelope".to_owned()),
    }
}

/// `public.orders` of `orders.public.orders`.
fn table(topic: &str) -> &str {
    topic.split_once('.').map_or(topic, |(_service, table)| table)
}
