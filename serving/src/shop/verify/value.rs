//! Values in one form, wherever they come from, so that they can be compared.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use rust_decimal::Decimal;

/// What a column holds; PostgreSQL's answer decides, the store's value is read the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    /// Integers and decimals: exact.
    Number,
    /// Binary floating point: equal up to rounding.
    Float,
    Time,
    Date,
    Json,
    Bytes,
    Text,
}

impl Kind {
    /// Of a PostgreSQL type.
    pub fn of(type_name: &str) -> Self {
        match type_name.to_ascii_uppercase().as_str() {
            "BOOL" => Kind::Bool,
            "INT2" | "INT4" | "INT8" | "NUMERIC" | "OID" => Kind::Number,
            "FLOAT4" | "FLOAT8" => Kind::Float,
            "TIMESTAMP" | "TIMESTAMPTZ" => Kind::Time,
            "DATE" => Kind::Date,
            "JSON" | "JSONB" => Kind::Json,
            "BYTEA" => Kind::Bytes,
            _ => Kind::Text,
        }
    }
}

/// A value of a row.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Decimal),
    Float(f64),
    Time(DateTime<Utc>),
    Date(NaiveDate),
    Json(serde_json::Value),
    /// Also what could not be read as its column's kind: then it differs from what was expected, and is shown as it is.
    Text(String),
}

/// Floats are sums and quotients whose order of evaluation is not fixed: so many parts in one they may be apart.
const FLOAT_TOLERANCE: f64 = 1e-9;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b || (a - b).abs() <= FLOAT_TOLERANCE * a.abs().max(b.abs()),
            (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Date(a), Value::Date(b)) => a == b,
            (Value::Json(a), Value::Json(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// Reads PostgreSQL's text form (session in UTC, ISO dates).
    pub fn from_text(kind: Kind, text: Option<&str>) -> Self {
        let Some(text) = text else { return Value::Null };
        let parsed = match kind {
            Kind::Bool => match text {
                "t" | "true" => Some(Value::Bool(true)),
                "f" | "false" => Some(Value::Bool(false)),
                _ => None,
            },
            Kind::Number => text.parse().ok().map(Value::Number),
            Kind::Float => text.parse().ok().map(Value::Float),
            Kind::Time => time(text).map(Value::Time),
            Kind::Date => text.parse().ok().map(Value::Date),
            Kind::Json => serde_json::from_str(text).ok().map(Value::Json),
            Kind::Bytes => text.strip_prefix("\\x").and_then(unhex).map(|bytes| Value::Text(BASE64_STANDARD.encode(bytes))),
            Kind::Text => None,
        };
        parsed.unwrap_or_else(|| Value::Text(text.to_owned()))
    }

    /// Reads what a store holds as JSON: decimals are strings, times RFC 3339, bytes base64.
    pub fn from_json(kind: Kind, value: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match (kind, value) {
            (_, Json::Null) => Value::Null,
            (Kind::Float, Json::Number(number)) => number.as_f64().map_or(Value::Null, Value::Float),
            (Kind::Number, Json::Number(number)) => Self::from_text(kind, Some(&number.to_string())),
            (Kind::Bool, Json::Bool(bool)) => Value::Bool(*bool),
            // A column of JSON text: its meaning is compared, not its spelling.
            (Kind::Json, Json::String(text)) => Self::from_text(kind, Some(text)),
            (Kind::Json, value) => Value::Json(value.clone()),
            (Kind::Bytes, Json::String(text)) => Value::Text(text.clone()),
            (kind, Json::String(text)) => Self::from_text(kind, Some(text)),
            (_, other) => Value::Text(other.to_string()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(value) => write!(f, "{}", value.normalize()),
            Value::Float(value) => write!(f, "{value}"),
            Value::Time(value) => f.write_str(&value.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            Value::Date(value) => write!(f, "{value}"),
            Value::Json(value) => write!(f, "{value}"),
            Value::Text(value) => f.write_str(value),
        }
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    // PostgreSQL's: `2010-12-01 08:26:00.5+00`, or without a zone.
    let plain = text.strip_suffix("+00").unwrap_or(text).replace('T', " ");
    NaiveDateTime::parse_from_str(&plain, "%Y-%m-%d %H:%M:%S%.f").ok().map(|time| time.and_utc())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_is_the_same_whichever_way_it_is_written() {
        for (kind, text, json) in [
            (Kind::Number, "12.340", serde_json::json!("12.34")),
            (Kind::Number, "7", serde_json::json!(7)),
            (Kind::Float, "0.30000000000000004", serde_json::json!(0.3)),
            (Kind::Time, "2010-12-01 08:26:00+00", serde_json::json!("2010-12-01T08:26:00Z")),
            (Kind::Time, "2010-12-01 08:26:00.25", serde_json::json!("2010-12-01T08:26:00.250000Z")),
            (Kind::Bool, "t", serde_json::json!(true)),
            (Kind::Json, r#"{"b": 1, "a": [2]}"#, serde_json::json!("{\"a\":[2],\"b\":1}")),
            (Kind::Bytes, "\\x0102", serde_json::json!("AQI=")),
            (Kind::Text, "a b", serde_json::json!("a b")),
        ] {
            assert_eq!(Value::from_text(kind, Some(text)), Value::from_json(kind, &json), "{kind:?} {text}");
        }
    }

    #[test]
    fn different_values_differ() {
        for (kind, text, json) in [
            (Kind::Number, "12.34", serde_json::json!("12.35")),
            (Kind::Float, "1", serde_json::json!(1.000_001)),
            (Kind::Time, "2010-12-01 08:26:00+00", serde_json::json!("2010-12-01T08:26:01Z")),
            (Kind::Text, "", serde_json::Value::Null),
            (Kind::Number, "1", serde_json::json!("one")),
        ] {
            assert_ne!(Value::from_text(kind, Some(text)), Value::from_json(kind, &json), "{kind:?} {text}");
        }
    }
}
