//! `extract_json(json, path)`: the value at the path, as it is written; null when there is none or it is JSON's null.

use super::{json_path, scalar};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) fn function() -> ScalarUDF {
    let body = |args: &[_]| json_path::extract(args, |text| (text != "null").then_some(Cow::Borrowed(text)));
    scalar("extract_json", vec![DataType::Utf8, DataType::Utf8], DataType::Utf8, Arc::new(body))
}
