//! `extract_json_string(json, path)`: the value at the path as text. Strings come without quotes, numbers and booleans as they
//! are written; null when there is no value, or it is null, an object or an array.

use super::{json_path, scalar};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn function() -> ScalarUDF {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let body = move |args: &[_]| json_path::extract(args, text);
    scalar("extract_json_string", vec![DataType::Utf8, DataType::Utf8], DataType::Utf8, Arc::new(body))
}
