//! Arrow rows as JSON objects, written straight into bytes.
//!
//! Integers and floats are numbers (a float without a finite value is null), decimals strings with all their digits (`"12.340"`),
//! timestamps RFC 3339 in UTC (`"2010-12-01T08:26:00Z"`, microseconds where they are not zero), dates `"2010-12-01"`, binary base64.

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, TimeUnit};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::{Error, Result};

/// Writes the rows of one batch.
pub struct JsonRows<'a> {
    columns: Vec<(Vec<u8>, Values<'a>)>,
}

impl<'a> JsonRows<'a> {
    /// Rows of `batch` with all of its columns but those in `without` (positions).
    pub fn new(connector: &'static str, batch: &'a RecordBatch, without: &[usize]) -> Result<Self> {
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (position, field) in batch.schema_ref().fields().iter().enumerate() {
            if without.contains(&position) {
                continue;
            }
            let mut name = if columns.is_empty() { b"{".to_vec() } else { b",".to_vec() };
            write_string(&mut name, field.name());
            name.push(b':');
            columns.push((name, Values::new(connector, field.name(), batch.column(position))?));
        }
        Ok(Self { columns })
    }

    /// Appends row `row` to `out` as a JSON object.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.columns.is_empty() {
            out.push(b'{');
        }
        for (name, values) in &self.columns {
            out.extend_from_slice(name);
            values.write(row, out);
        }
        out.push(b'}');
    }

    /// Row `row` as a JSON object.
    pub fn row(&self, row: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        self.write(row, &mut out);
        out
    }
}

/// The values of one column, downcast once.
pub(crate) enum Values<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    Decimal(&'a Decimal128Array, i8),
    Seconds(&'a TimestampSecondArray),
    Milliseconds(&'a TimestampMillisecondArray),
    Microseconds(&'a TimestampMicrosecondArray),
    Nanoseconds(&'a TimestampNanosecondArray),
    Date(&'a Date32Array),
    Binary(&'a BinaryArray),
    Unsigned(&'a UInt64Array),
    List(&'a ListArray, Box<Values<'a>>),
    /// Each field behind the bytes that come before it: `{"name":` and the like.
    Struct(&'a StructArray, Vec<(Vec<u8>, Values<'a>)>),
}

impl<'a> Values<'a> {
    pub(crate) fn new(connector: &'static str, name: &str, array: &'a ArrayRef) -> Result<Self> {
        fn cast<T: 'static>(array: &ArrayRef) -> &T {
            array.as_any().downcast_ref().expect("the data type says which array it is")
        }
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(cast(array)),
            DataType::Int8 => Self::Int8(cast(array)),
            DataType::Int16 => Self::Int16(cast(array)),
            DataType::Int32 => Self::Int32(cast(array)),
            DataType::Int64 => Self::Int64(cast(array)),
            DataType::Float32 => Self::Float32(cast(array)),
            DataType::Float64 => Self::Float64(cast(array)),
            DataType::Utf8 => Self::Text(cast(array)),
            DataType::LargeUtf8 => Self::LargeText(cast(array)),
            DataType::Decimal128(_, scale) => Self::Decimal(cast(array), *scale),
            DataType::Timestamp(TimeUnit::Second, _) => Self::Seconds(cast(array)),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Self::Milliseconds(cast(array)),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Microseconds(cast(array)),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Self::Nanoseconds(cast(array)),
            DataType::Date32 => Self::Date(cast(array)),
            DataType::Binary => Self::Binary(cast(array)),
            DataType::List(_) => {
                let list: &ListArray = cast(array);
                Self::List(list, Box::new(Values::new(connector, name, list.values())?))
            }
            DataType::UInt64 => Self::Unsigned(cast(array)),
            DataType::Struct(fields) => {
                let object: &StructArray = cast(array);
                let columns = fields.iter().zip(object.columns()).enumerate().map(|(place, (field, column))| {
                    let mut name = if place == 0 { b"{".to_vec() } else { b",".to_vec() };
                    write_string(&mut name, field.name());
                    name.push(b':');
                    Ok((name, Values::new(connector, field.name(), column)?))
                });
                Self::Struct(object, columns.collect::<Result<_>>()?)
            }
            other => {
                return Err(Error::config(connector, format!("column '{name}' has the type {other}, which cannot be written as JSON")));
            }
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null => true,
            Self::Boolean(array) => array.is_null(row),
            Self::Int8(array) => array.is_null(row),
            Self::Int16(array) => array.is_null(row),
            Self::Int32(array) => array.is_null(row),
            Self::Int64(array) => array.is_null(row),
            Self::Float32(array) => array.is_null(row),
            Self::Float64(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::LargeText(array) => array.is_null(row),
            Self::Decimal(array, _) => array.is_null(row),
            Self::Seconds(array) => array.is_null(row),
            Self::Milliseconds(array) => array.is_null(row),
            Self::Microseconds(array) => array.is_null(row),
            Self::Nanoseconds(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Binary(array) => array.is_null(row),
            Self::Unsigned(array) => array.is_null(row),
            Self::List(array, _) => array.is_null(row),
            Self::Struct(array, _) => array.is_null(row),
        }
    }

    /// Appends the value as JSON.
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return out.extend_from_slice(b"null");
        }
        match self {
            Self::Text(array) => write_string(out, array.value(row)),
            Self::LargeText(array) => write_string(out, array.value(row)),
            Self::Float32(array) if !array.value(row).is_finite() => out.extend_from_slice(b"null"),
            Self::Float64(array) if !array.value(row).is_finite() => out.extend_from_slice(b"null"),
            Self::Float32(array) => write_float(out, array.value(row)),
            Self::Float64(array) => write_float(out, array.value(row)),
            Self::List(array, values) => {
                let (from, to) = (array.value_offsets()[row] as usize, array.value_offsets()[row + 1] as usize);
                out.push(b'[');
                for item in from..to {
                    if item > from {
                        out.push(b',');
                    }
                    values.write(item, out);
                }
                out.push(b']');
            }
            Self::Struct(_, fields) => {
                for (name, values) in fields {
                    out.extend_from_slice(name);
                    values.write(row, out);
                }
                out.extend_from_slice(if fields.is_empty() { b"{}" } else { b"}" });
            }
            Self::Unsigned(_) | Self::Boolean(_) | Self::Int8(_) | Self::Int16(_) | Self::Int32(_) | Self::Int64(_) => {
                self.write_text(row, out);
            }
            _ => {
                out.push(b'"');
                self.write_text(row, out);
                out.push(b'"');
            }
        }
    }

    /// Appends the value as plain text, as in a key: no quotes, nothing for null. Returns whether there is a value.
    pub(crate) fn write_text(&self, row: usize, out: &mut Vec<u8>) -> bool {
        if self.is_null(row) {
            return false;
        }
        match self {
            Self::Null => {}
            Self::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Self::Int8(array) => write_integer(out, array.value(row).into()),
            Self::Int16(array) => write_integer(out, array.value(row).into()),
            Self::Int32(array) => write_integer(out, array.value(row).into()),
            Self::Int64(array) => write_integer(out, array.value(row)),
            Self::Float32(array) => out.extend_from_slice(array.value(row).to_string().as_bytes()),
            Self::Float64(array) => out.extend_from_slice(array.value(row).to_string().as_bytes()),
            Self::Text(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Self::LargeText(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Self::Decimal(array, scale) => write_decimal(out, array.value(row), *scale),
            Self::Seconds(array) => write_timestamp(out, i128::from(array.value(row)) * 1_000_000),
            Self::Milliseconds(array) => write_timestamp(out, i128::from(array.value(row)) * 1_000),
            Self::Microseconds(array) => write_timestamp(out, array.value(row).into()),
            Self::Nanoseconds(array) => write_timestamp(out, array.value(row).div_euclid(1_000).into()),
            Self::Date(array) => write_date(out, array.value(row).into()),
            Self::Binary(array) => out.extend_from_slice(BASE64_STANDARD.encode(array.value(row)).as_bytes()),
            Self::Unsigned(array) => out.extend_from_slice(array.value(row).to_string().as_bytes()),
            Self::List(..) | Self::Struct(..) => self.write(row, out),
        }
        true
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        return out.push(b'"');
    }
    serde_json::to_writer(out, text).expect("a string can be written to memory");
}

fn write_float(out: &mut Vec<u8>, value: impl serde::Serialize) {
    serde_json::to_writer(out, &value).expect("a number can be written to memory");
}

fn write_integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut left = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

fn write_padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let text = value.to_string();
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(text.len())));
    out.extend_from_slice(text.as_bytes());
}

fn write_decimal(out: &mut Vec<u8>, value: i128, scale: i8) {
    if value < 0 {
        out.push(b'-');
    }
    let digits = value.unsigned_abs().to_string();
    let Ok(scale) = usize::try_from(scale) else {
        out.extend_from_slice(digits.as_bytes());
        return out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
    };
    let whole = digits.len().saturating_sub(scale);
    out.extend_from_slice(if whole == 0 { b"0" } else { &digits.as_bytes()[..whole] });
    if scale > 0 {
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', scale.saturating_sub(digits.len())));
        out.extend_from_slice(&digits.as_bytes()[whole..]);
    }
}

/// `days` since 1970-01-01, in the proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
fn write_date(out: &mut Vec<u8>, days: i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if year < 0 {
        out.push(b'-');
    }
    write_padded(out, year.unsigned_abs(), 4);
    out.push(b'-');
    write_padded(out, month.unsigned_abs(), 2);
    out.push(b'-');
    write_padded(out, day.unsigned_abs(), 2);
}

fn write_timestamp(out: &mut Vec<u8>, micros: i128) {
    let seconds = micros.div_euclid(1_000_000) as i64;
    let fraction = micros.rem_euclid(1_000_000) as u64;
    write_date(out, seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400).unsigned_abs();
    for (mark, part) in [(b'T', second / 3_600), (b':', second / 60 % 60), (b':', second % 60)] {
        out.push(mark);
        write_padded(out, part, 2);
    }
    if fraction > 0 {
        out.push(b'.');
        write_padded(out, fraction, 6);
    }
    out.push(b'Z');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{FixedSizeListArray, Float32Builder, ListBuilder, StringBuilder};
    use arrow::datatypes::{Field, Schema};
    use chrono::{DateTime, NaiveDate, TimeDelta};

    use super::*;

    #[test]
    fn a_row_has_every_type_in_its_agreed_form() {
        let mut tags = ListBuilder::new(StringBuilder::new());
        tags.values().append_value("a\"b");
        tags.append(true);
        tags.append_null();
        let mut embedding = ListBuilder::new(Float32Builder::new());
        embedding.values().append_slice(&[0.5, -1.0]);
        embedding.append(true);
        embedding.append(true);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("b", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("i", Arc::new(Int64Array::from(vec![i64::MIN, 7]))),
            ("f", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
            ("t", Arc::new(StringArray::from(vec!["Crème \\ \"brûlée\"\n", "plain"]))),
            ("d", Arc::new(Decimal128Array::from(vec![12_340, -5]).with_precision_and_scale(12, 3).unwrap())),
            ("at", Arc::new(TimestampNanosecondArray::from(vec![1_291_191_960_000_000_000, -1_000]))),
            ("day", Arc::new(Date32Array::from(vec![0, -1]))),
            ("raw", Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None]))),
            ("tags", Arc::new(tags.finish())),
            ("v", Arc::new(embedding.finish())),
        ];
        let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect()).unwrap();
        let rows = JsonRows::new("test", &batch, &[]).unwrap();
        let text = String::from_utf8(rows.row(0)).unwrap();
        assert_eq!(
            text,
            "{\"b\":true,\"i\":-9223372036854775808,\"f\":0.1,\"t\":\"Crème \\\\ \\\"brûlée\\\"\\n\",\"d\":\"12.340\",\
             \"at\":\"2010-12-01T08:26:00Z\",\"day\":\"1970-01-01\",\"raw\":\"AP8=\",\"tags\":[\"a\\\"b\"],\"v\":[0.5,-1.0]}"
        );
        let second: serde_json::Value = serde_json::from_slice(&rows.row(1)).unwrap();
        assert_eq!(
            second,
            serde_json::json!({"b": null, "i": 7, "f": null, "t": "plain", "d": "-0.005", "at": "1969-12-31T23:59:59.999999Z",
                               "day": "1969-12-31", "raw": null, "tags": null, "v": []})
        );
        let some = JsonRows::new("test", &batch, &(1..10).collect::<Vec<_>>()).unwrap();
        assert_eq!(some.row(0), b"{\"b\":true}");
    }

    #[test]
    fn dates_and_times_agree_with_chrono() {
        for step in -4_000..4_000_i64 {
            let days = step * 97;
            let mut ours = Vec::new();
            write_date(&mut ours, days);
            let theirs = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + TimeDelta::days(days);
            assert_eq!(String::from_utf8(ours).unwrap(), theirs.format("%Y-%m-%d").to_string());
            let micros = step * 86_400_123_457;
            let mut ours = Vec::new();
            write_timestamp(&mut ours, micros.into());
            let parsed = DateTime::parse_from_rfc3339(std::str::from_utf8(&ours).unwrap()).unwrap();
            assert_eq!(parsed.timestamp_micros(), micros);
        }
    }

    #[test]
    fn decimals_keep_all_their_digits() {
        for (value, scale, text) in [
            (0, 2, "0.00"),
            (5, 0, "5"),
            (-1_234_567, 3, "-1234.567"),
            (7, 5, "0.00007"),
            (12, -2, "1200"),
            (i128::MIN + 1, 0, "-170141183460469231731687303715884105727"),
        ] {
            let mut out = Vec::new();
            write_decimal(&mut out, value, scale);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn a_type_without_a_form_is_refused_by_name() {
        let list = FixedSizeListArray::from_iter_primitive::<arrow::datatypes::Float32Type, _, _>([Some([Some(1.0)])], 1);
        let schema = Schema::new(vec![Field::new("odd", list.data_type().clone(), true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(list)]).unwrap();
        let error = JsonRows::new("test", &batch, &[]).err().unwrap().to_string();
        assert!(error.contains("'odd'"), "{error}");
    }
}
