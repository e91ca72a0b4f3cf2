//! Columns of a batch as arrays of PostgreSQL's text forms, cast on the server.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Float32Array, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;

use super::CONNECTOR;
use crate::Result;
use crate::format::json::Values;

/// Rows `from..to` of the columns at `positions`: a vector a column.
pub(crate) fn text_columns(batch: &RecordBatch, positions: &[usize], from: usize, to: usize) -> Result<Vec<Vec<Option<String>>>> {
    positions.iter().map(|&position| text_column(batch.schema_ref().field(position).name(), batch.column(position), from, to)).collect()
}

fn text_column(name: &str, array: &ArrayRef, from: usize, to: usize) -> Result<Vec<Option<String>>> {
    let values = Values::new(CONNECTOR, name, array)?;
    Ok((from..to).map(|row| text(array, &values, row)).collect())
}

/// The text form that a cast on the server understands; `None` for null.
fn text(array: &ArrayRef, values: &Values<'_>, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let typed = array.as_any();
    Some(match array.data_type() {
        DataType::Utf8 => clean(typed.downcast_ref::<StringArray>()?.value(row)),
        DataType::Float32 => float(f64::from(typed.downcast_ref::<Float32Array>()?.value(row)), values, row),
        DataType::Float64 => float(typed.downcast_ref::<Float64Array>()?.value(row), values, row),
        DataType::Binary => {
            let bytes = typed.downcast_ref::<BinaryArray>()?.value(row);
            let mut text = String::with_capacity(2 + 2 * bytes.len());
            text.push_str("\\x");
            for byte in bytes {
                for nibble in [byte >> 4, byte & 15] {
                    text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
                }
            }
            text
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        _ => written(values, row),
    })
}

/// PostgreSQL's text cannot hold the character NUL.
fn clean(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

fn float(value: f64, values: &Values<'_>, row: usize) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => written(values, row),
    }
}

fn written(values: &Values<'_>, row: usize) -> String {
    let mut text = Vec::new();
    values.write_text(row, &mut text);
    clean(&String::from_utf8_lossy(&text))
}

/// An array literal, with every item quoted.
fn list(items: &ArrayRef) -> String {
    let Ok(values) = Values::new(CONNECTOR, "list", items) else { return "{}".to_owned() };
    let mut literal = String::from("{");
    for item in 0..items.len() {
        if item > 0 {
            literal.push(',');
        }
        match text(items, &values, item) {
            None => literal.push_str("NULL"),
            Some(text) => {
                literal.push('"');
                literal.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
                literal.push('"');
            }
        }
    }
    literal.push('}');
    literal
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ListBuilder, StringBuilder};

    use super::*;

    #[test]
    fn text_forms_are_what_the_server_reads() {
        let forms = |array: ArrayRef| text_column("c", &array, 0, array.len()).unwrap();
        assert_eq!(forms(Arc::new(StringArray::from(vec![Some("a\0b"), None]))), [Some("a\u{fffd}b".to_owned()), None]);
        assert_eq!(
            forms(Arc::new(Float64Array::from(vec![f64::NAN, f64::NEG_INFINITY, 0.25]))),
            ["NaN", "-Infinity", "0.25"].map(|s| Some(s.to_owned()))
        );
        assert_eq!(forms(Arc::new(BinaryArray::from(vec![&b"\x00\xab"[..]]))), [Some("\\x00ab".to_owned())]);
        let mut list = ListBuilder::new(StringBuilder::new());
        list.values().append_value("a\"\\,");
        list.values().append_null();
        list.append(true);
        assert_eq!(forms(Arc::new(list.finish())), [Some("{\"a\\\"\\\\,\",NULL}".to_owned())]);
    }
}
