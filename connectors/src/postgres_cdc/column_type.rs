//! PostgreSQL types as Debezium maps them by default, with `decimal.handling.mode=string`.

use super::{datetime, json};

/// How the text of a column's values becomes JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Bool,
    Integer,
    /// A number, but a string for what JSON has no number for.
    Float,
    /// A string of the text as it is: text, numeric, uuid, json, enums and everything that has no case of its own.
    Text,
    /// base64.
    Bytes,
    /// Days since 1970.
    Date,
    /// Microseconds since midnight.
    Time,
    /// `HH:MM:SS[.ffffff]Z`.
    TimeTz,
    /// Microseconds since 1970.
    Timestamp,
    /// `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`.
    TimestampTz,
    /// Microseconds.
    Interval,
    /// A single bit: a boolean.
    Bit,
    /// base64 of the bits, the lowest byte first.
    Bits,
    /// Elements of one type, in as many dimensions as the value has.
    Array(Box<ColumnType>),
}

/// A value that is not what its type promises.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl ColumnType {
    /// The type of a built-in type's object id, `None` for one that the catalogue has to be asked about.
    pub(super) fn builtin(oid: u32, modifier: i32) -> Option<Self> {
        let element = |oid| Self::builtin(oid, -1).map(|element| Self::Array(Box::new(element)));
        Some(match oid {
            16 => Self::Bool,
            20 | 21 | 23 | 26 => Self::Integer,
            700 | 701 => Self::Float,
            17 => Self::Bytes,
            18 | 19 | 25 | 114 | 142 | 650 | 790 | 829 | 869 | 774 | 1042 | 1043 | 1700 | 2950 | 3802 => Self::Text,
            1082 => Self::Date,
            1083 => Self::Time,
            1266 => Self::TimeTz,
            1114 => Self::Timestamp,
            1184 => Self::TimestampTz,
            1186 => Self::Interval,
            1560 if modifier == 1 => Self::Bit,
            1560 | 1562 => Self::Bits,
            1000 => return element(16),
            1001 => return element(17),
            1005 | 1007 | 1016 | 1028 => return element(23),
            1021 | 1022 => return element(701),
            199 | 1002 | 1003 | 1009 | 1014 | 1015 | 1231 | 2951 | 3807 => return element(25),
            1115 => return element(1114),
            1182 => return element(1082),
            1183 => return element(1083),
            1185 => return element(1184),
            _ => return None,
        })
    }

    /// Writes a value's text as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>, text: &[u8]) -> Result<(), Unreadable> {
        match self {
            Self::Bool | Self::Bit => out.extend_from_slice(match text {
                b"t" | b"1" => b"true",
                b"f" | b"0" => b"false",
                _ => return Err(Unreadable),
            }),
            Self::Integer => out.extend_from_slice(text),
            Self::Float => match text {
                b"NaN" | b"Infinity" | b"-Infinity" => json::write_string(out, text),
                _ => out.extend_from_slice(text),
            },
            Self::Text => json::write_string(out, text),
            Self::Bytes => json::write_base64(out, &unhex(text).ok_or(Unreadable)?),
            Self::Date => json::write_number(out, datetime::date_days(text).ok_or(Unreadable)?),
            Self::Time => json::write_number(out, datetime::time_micros(text).ok_or(Unreadable)?),
            Self::Timestamp => json::write_number(out, datetime::timestamp_micros(text).ok_or(Unreadable)?),
            Self::Interval => json::write_number(out, datetime::interval_micros(text).ok_or(Unreadable)?),
            Self::TimeTz => quoted(out, |out| datetime::write_timetz(out, text))?,
            Self::TimestampTz => quoted(out, |out| datetime::write_timestamptz(out, text))?,
            Self::Bits => json::write_base64(out, &bits(text).ok_or(Unreadable)?),
            Self::Array(element) => {
                // `[0:2]={…}` when the bounds are not the usual ones.
                let from = text.iter().position(|&byte| byte == b'{').ok_or(Unreadable)?;
                let rest = write_array(out, element, &text[from..])?;
                if !rest.is_empty() {
                    return Err(Unreadable);
                }
            }
        }
        Ok(())
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Result<(), Unreadable> {
    out.push(b'"');
    write(out).ok_or(Unreadable)?;
    out.push(b'"');
    Ok(())
}

/// `\x0aff` as bytes.
fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let nibble = |byte: u8| char::from(byte).to_digit(16);
    let hex = text.strip_prefix(b"\\x")?;
    if hex.len() % 2 == 1 {
        return None;
    }
    hex.chunks_exact(2).map(|pair| Some((nibble(pair[0])? << 4 | nibble(pair[1])?) as u8)).collect()
}

/// `101` as bytes, the rightmost bit in the lowest place of the first byte.
fn bits(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; text.len().div_ceil(8)];
    for (place, &bit) in text.iter().rev().enumerate() {
        match bit {
            b'1' => bytes[place / 8] |= 1 << (place % 8),
            b'0' => {}
            _ => return None,
        }
    }
    Some(bytes)
}

/// Writes `{a,"b c",NULL,{…}}` as a JSON array; returns what follows it.
fn write_array<'a>(out: &mut Vec<u8>, element: &ColumnType, text: &'a [u8]) -> Result<&'a [u8], Unreadable> {
    let mut rest = text.strip_prefix(b"{").ok_or(Unreadable)?;
    out.push(b'[');
    let mut first = true;
    loop {
        match rest.first().ok_or(Unreadable)? {
            b'}' => break,
            b',' if !first => rest = &rest[1..],
            _ if !first => return Err(Unreadable),
            _ => {}
        }
        if !first {
            out.push(b',');
        }
        first = false;
        match rest.first().ok_or(Unreadable)? {
            b'{' => rest = write_array(out, element, rest)?,
            b'"' => {
                let (value, after) = unquote(&rest[1..])?;
                element.write(out, &value)?;
                rest = after;
            }
            _ => {
                let end = rest.iter().position(|byte| matches!(byte, b',' | b'}')).ok_or(Unreadable)?;
                match &rest[..end] {
                    b"NULL" => out.extend_from_slice(b"null"),
                    value => element.write(out, value)?,
                }
                rest = &rest[end..];
            }
        }
    }
    out.push(b']');
    Ok(&rest[1..])
}

/// The text up to the closing quote, without its backslashes, and what follows.
fn unquote(text: &[u8]) -> Result<(Vec<u8>, &[u8]), Unreadable> {
    let mut value = Vec::new();
    let mut at = 0;
    loop {
        match *text.get(at).ok_or(Unreadable)? {
            b'"' => return Ok((value, &text[at + 1..])),
            b'\\' => {
                value.push(*text.get(at + 1).ok_or(Unreadable)?);
                at += 2;
            }
            byte => {
                value.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(column: &ColumnType, text: &str) -> Result<String, Unreadable> {
        let mut out = Vec::new();
        column.write(&mut out, text.as_bytes())?;
        let _: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn values_as_debezium_writes_them() {
        for (oid, text, expected) in [
            (16, "t", "true"),
            (23, "-42", "-42"),
            (701, "1e+20", "1e+20"),
            (701, "NaN", "\"NaN\""),
            (1700, "12.340", "\"12.340\""),
            (25, "say \"hi\"\n", r#""say \"hi\"\n""#),
            (17, r"\x0001ff", "\"AAH/\""),
            (3802, r#"{"a": 1}"#, r#""{\"a\": 1}""#),
            (1082, "1970-01-02", "1"),
            (1114, "1970-01-01 00:00:01", "1000000"),
            (1184, "2010-12-01 08:26:00+00", "\"2010-12-01T08:26:00Z\""),
            (1562, "1000000001", "\"AQI=\""),
            (1009, r#"{a,"b, c",NULL,"NULL","q\"\\"}"#, r#"["a","b, c",null,"NULL","q\"\\"]"#),
            (1007, "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
            (1007, "[0:1]={5,6}", "[5,6]"),
            (1009, "{}", "[]"),
            (1185, r#"{"2010-12-01 08:26:00+00"}"#, r#"["2010-12-01T08:26:00Z"]"#),
        ] {
            let column = ColumnType::builtin(oid, -1).expect("built in");
            assert_eq!(written(&column, text).as_deref(), Ok(expected), "{oid} {text}");
        }
        assert_eq!(written(&ColumnType::builtin(1560, 1).expect("bit"), "1").as_deref(), Ok("true"));
    }

    #[test]
    fn what_is_not_of_the_type_is_refused() {
        for (oid, text) in
            [(16, "yes"), (17, "\\x0"), (17, "plain"), (1082, "today"), (1184, "2010-12-01 08:26:00+01"), (1007, "{1,2"), (1007, "{1}x")]
        {
            assert!(ColumnType::builtin(oid, -1).expect("built in").write(&mut Vec::new(), text.as_bytes()).is_err(), "{oid} {text}");
        }
    }
}
