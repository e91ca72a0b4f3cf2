//! Rows as JSON and CSV.

use serde_json::Value;
use tokio_postgres::types::Type;

use super::session::Column;

/// A row as a JSON object. Numbers that JSON readers keep whole are numbers; decimals are texts, with all their digits.
pub fn json(columns: &[Column], row: &[Option<String>]) -> String {
    let value = |column: &Column, text: &Option<String>| {
        let Some(text) = text else { return Value::Null };
        let as_text = || Value::String(text.clone());
        match &column.data_type {
            Some(data_type) if *data_type == Type::BOOL => Value::Bool(text == "t"),
            Some(data_type) if [Type::INT2, Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8].contains(data_type) => {
                text.parse().map_or_else(|_| as_text(), Value::Number)
            }
            Some(data_type) if [Type::JSON, Type::JSONB].contains(data_type) => serde_json::from_str(text).unwrap_or_else(|_| as_text()),
            _ => as_text(),
        }
    };
    // Written one by one: they stay in the order of the columns.
    let members = columns.iter().zip(row).map(|(column, text)| format!("{}:{}", Value::from(column.name.as_str()), value(column, text)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// A line of CSV (RFC 4180). A null is nothing; an empty text is quoted.
pub fn csv<'a>(values: impl Iterator<Item = Option<&'a str>>) -> String {
    let quoted = |value: &str| match value.is_empty() || value.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    };
    values.map(|value| value.map_or_else(String::new, quoted)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_with_their_types() {
        let column = |name: &str, data_type| Column { name: name.into(), data_type };
        let columns = [column("n", Some(Type::INT8)), column("d", Some(Type::NUMERIC)), column("b", Some(Type::BOOL)), column("t", None)];
        let row = [Some("7".to_owned()), Some("1.50".to_owned()), Some("t".to_owned()), None];
        assert_eq!(json(&columns, &row), r#"{"n":7,"d":"1.50","b":true,"t":null}"#);
        assert_eq!(csv([Some("a,\"b\""), None, Some(""), Some("c")].into_iter()), "\"a,\"\"b\"\"\",,\"\",c");
    }
}
