//! `extract_json_string(json, path)`: the value at the path as text. Strings come without quotes, numbers and booleans as they
//! are written; null when there is no value, or it is null, an object or an array.

use super::{json_path, scalar};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) fn function() -> ScalarUDF {
    fn text(value: &str) -> Option<Cow<'_, str>> {
        match value.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(value).ok().map(Cow::Owned),
            Some(b'n' | b'{' | b'[') | None => None,
            Some(_) => Some(Cow::Borrowed(value)),
        }
    }
    let body = |args: &[_]| json_path::extract(args, text);
    scalar("extract_json_string", vec![DataType::Utf8, DataType::Utf8], DataType::Utf8, Arc::new(body))
}
