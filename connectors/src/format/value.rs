//! A JSON value as a value of a column's type.

use std::borrow::Cow;

use arrow::datatypes::{DataType, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json_reader::{JsonError, JsonReader, Kind};

/// What a column takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Bool,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Text,
    Decimal {
        precision: u8,
        scale: i8,
    },
    /// Nanoseconds since 1970.
    Timestamp,
    /// Days since 1970.
    Date,
    Bytes,
    List(Box<ColumnKind>),
    /// Fields by name.
    Struct(Vec<(String, ColumnKind)>),
}

/// A value on its way into a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Decimal(i128),
    Timestamp(i64),
    Date(i32),
    Bytes(Vec<u8>),
    List(Vec<Cell<'a>>),
    /// A cell a field, in the type's order.
    Struct(Vec<Cell<'a>>),
}

/// Why a value cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ValueError {
    /// The record is not JSON: nothing more of it can be read.
    Json(JsonError),
    /// The value is not what the column takes.
    Unfit(String),
    /// PostgreSQL did not send the value.
    NotSent,
}

impl From<JsonError> for ValueError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

/// Stands for a value that PostgreSQL did not send, as text and as the base64 that Debezium makes of it for bytes.
const UNAVAILABLE: &str = "__debezium_unavailable_value";
const UNAVAILABLE_BASE64: &str = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==";

/// How numbers are to be understood where a format leaves a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// What an integer of 1 is in a timestamp, in nanoseconds: Debezium counts microseconds, events of the web milliseconds.
    pub timestamp_unit_ns: i64,
    /// Whether `__debezium_unavailable_value` has its meaning.
    pub has_unavailable: bool,
}

impl ColumnKind {
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Bool,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Utf8 => Self::Text,
            DataType::Decimal128(precision, scale) => Self::Decimal { precision: *precision, scale: *scale },
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Self::Timestamp,
            DataType::Date32 => Self::Date,
            DataType::Binary => Self::Bytes,
            DataType::List(item) => Self::List(Box::new(Self::of(item.data_type())?)),
            DataType::Struct(fields) => {
                let fields = fields.iter().map(|field| Some((field.name().clone(), Self::of(field.data_type())?)));
                Self::Struct(fields.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    fn noun(&self) -> String {
        match self {
            Self::Bool => "a boolean".to_owned(),
            Self::Int16 => "an integer of 16 bits".to_owned(),
            Self::Int32 => "an integer of 32 bits".to_owned(),
            Self::Int64 => "an integer of 64 bits".to_owned(),
            Self::Float32 | Self::Float64 => "a number".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Decimal { precision, scale } => format!("a decimal({precision}, {scale})"),
            Self::Timestamp => "a time, as RFC 3339 text or a number since 1970".to_owned(),
            Self::Date => "a date, as YYYY-MM-DD or days since 1970".to_owned(),
            Self::Bytes => "bytes in base64".to_owned(),
            Self::List(_) => "an array".to_owned(),
            Self::Struct(_) => "an object".to_owned(),
        }
    }

    /// Reads the next value.
    pub(super) fn read<'a>(&self, reader: &mut JsonReader<'a>, dialect: Dialect) -> Result<Cell<'a>, ValueError> {
        let kind = reader.kind()?;
        let unfit = |found: &str| {
            let mut found: String = found.chars().take(40).collect();
            if found.is_empty() {
                found = "\"\"".to_owned();
            }
            ValueError::Unfit(format!("expected {}, found {found}", self.noun()))
        };
        match kind {
            Kind::Null => {
                reader.null()?;
                Ok(Cell::Null)
            }
            Kind::Bool if *self == Self::Bool => Ok(Cell::Bool(reader.boolean()?)),
            Kind::Number => {
                let text = reader.number()?;
                self.number(text, dialect).ok_or_else(|| unfit(text))
            }
            Kind::String => {
                let text = reader.string()?;
                if dialect.has_unavailable && (text == UNAVAILABLE || (*self == Self::Bytes && text == UNAVAILABLE_BASE64)) {
                    return Err(ValueError::NotSent);
                }
                self.text(text, dialect).map_err(|text| unfit(&text))
            }
            Kind::Array if let Self::List(item) = self => {
                let mut items = Vec::new();
                reader.array::<ValueError>(|reader| {
                    items.push(item.read(reader, dialect)?);
                    Ok(())
                })?;
                Ok(Cell::List(items))
            }
            Kind::Object if let Self::Struct(fields) = self => {
                let mut cells = vec![Cell::Null; fields.len()];
                reader.object::<ValueError>(|reader, name| {
                    match fields.iter().position(|(field, _)| field == name) {
                        Some(place) => cells[place] = fields[place].1.read(reader, dialect).map_err(|error| error.within(name))?,
                        None => drop(reader.skip()?),
                    }
                    Ok(())
                })?;
                Ok(Cell::Struct(cells))
            }
            // Text takes whole documents, exactly as they are written.
            Kind::Array | Kind::Object if *self == Self::Text => Ok(Cell::Text(Cow::Borrowed(reader.skip()?))),
            other => {
                reader.skip()?;
                Err(unfit(other.noun()))
            }
        }
    }

    fn number<'a>(&self, text: &str, dialect: Dialect) -> Option<Cell<'a>> {
        let integer = || text.parse::<i64>().ok();
        Some(match self {
            Self::Int16 => Cell::Int(text.parse::<i16>().ok()?.into()),
            Self::Int32 => Cell::Int(text.parse::<i32>().ok()?.into()),
            Self::Int64 => Cell::Int(integer()?),
            Self::Float32 | Self::Float64 => Cell::Float(text.parse().ok().filter(|value: &f64| value.is_finite())?),
            Self::Decimal { precision, scale } => Cell::Decimal(decimal(text, *precision, *scale)?),
            Self::Timestamp => Cell::Timestamp(integer()?.checked_mul(dialect.timestamp_unit_ns)?),
            Self::Date => Cell::Date(text.parse().ok()?),
            _ => return None,
        })
    }

    /// A string as a value; the text itself if it is none.
    fn text<'a>(&self, text: Cow<'a, str>, dialect: Dialect) -> Result<Cell<'a>, Cow<'a, str>> {
        let value = match self {
            Self::Text => return Ok(Cell::Text(text)),
            Self::Decimal { precision, scale } => decimal(&text, *precision, *scale).map(Cell::Decimal),
            Self::Timestamp => timestamp_ns(&text).map(Cell::Timestamp),
            Self::Date => date_days(&text).map(Cell::Date),
            Self::Bytes => STANDARD.decode(text.as_bytes()).ok().map(Cell::Bytes),
            // Debezium's word for what JSON has no number for.
            Self::Float32 | Self::Float64 if dialect.has_unavailable => match &*text {
                "NaN" => Some(Cell::Float(f64::NAN)),
                "Infinity" => Some(Cell::Float(f64::INFINITY)),
                "-Infinity" => Some(Cell::Float(f64::NEG_INFINITY)),
                _ => None,
            },
            _ => None,
        };
        value.ok_or(text)
    }
}

/// A decimal number's text as an unscaled integer. `None` if it is none, or has more digits than there is room for.
pub(super) fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0i128;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    // What is still missing to the column's scale.
    let shift = i32::from(scale).checked_sub(i32::try_from(fraction.len()).ok()?)?.checked_add(exponent)?;
    if shift >= 0 {
        if value != 0 {
            value = value.checked_mul(10i128.checked_pow(shift as u32)?)?;
        }
    } else {
        let divisor = 10i128.checked_pow(shift.unsigned_abs());
        match divisor {
            Some(divisor) if value % divisor == 0 => value /= divisor,
            None if value == 0 => {}
            _ => return None,
        }
    }
    if value >= 10i128.checked_pow(u32::from(precision))? {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// RFC 3339, or `YYYY-MM-DD HH:MM:SS[.f]` taken as UTC: nanoseconds since 1970.
fn timestamp_ns(text: &str) -> Option<i64> {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.timestamp_nanos_opt(),
        Err(_) => {
            let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
            formats.iter().find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok())?.and_utc().timestamp_nanos_opt()
        }
    }
}

/// `YYYY-MM-DD`: days since 1970.
fn date_days(text: &str) -> Option<i32> {
    let days = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.signed_duration_since(chrono::NaiveDate::default()).num_days();
    i32::try_from(days).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, expected) in [
            ("12.340", Some(12_340)),
            ("-0.5", Some(-500)),
            ("7", Some(7_000)),
            ("1.2300", Some(1_230)),
            ("1.5e2", Some(150_000)),
            ("1500e-3", Some(1_500)),
            ("0.0001", None),
            ("999999999.999", Some(999_999_999_999)),
            ("1000000000", None),
            ("", None),
            (".", None),
            ("NaN", None),
            ("1e999999999999", None),
            ("0e-99", Some(0)),
            ("12,5", None),
        ] {
            assert_eq!(decimal(text, 12, 3), expected, "{text}");
        }
    }

    #[test]
    fn times_of_all_spellings() {
        let ns = 1_291_191_960_000_000_000;
        for text in ["2010-12-01T08:26:00Z", "2010-12-01T10:26:00+02:00", "2010-12-01 08:26:00", "2010-12-01T08:26:00.000"] {
            assert_eq!(timestamp_ns(text), Some(ns), "{text}");
        }
        assert_eq!(timestamp_ns("2010-12-01"), None);
        assert_eq!(timestamp_ns("9999-12-31T23:59:59Z"), None, "out of range");
        assert_eq!(date_days("2010-12-01"), Some(14_944));
    }
}
