//! `json(text)`: the text as JSON, so that `json_object` puts it in as a value and not as a string. A text that is not JSON
//! refuses the row.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::collections::HashMap;
use std::sync::Arc;

/// Marks a text column as JSON (Arrow's canonical extension).
const MARK: (&str, &str) = ("ARROW:extension:name", "arrow.json");

pub(super) fn is_json(field: &Field) -> bool {
    field.metadata().get(MARK.0).is_some_and(|name| name == MARK.1)
}

/// A nullable field of JSON text.
pub(super) fn json_field(name: &str) -> FieldRef {
    let mark = HashMap::from([(MARK.0.to_string(), MARK.1.to_string())]);
    Arc::new(Field::new(name, DataType::Utf8, true).with_metadata(mark))
}

pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Json { signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Json {
    signature: Signature,
}

impl ScalarUDFImpl for Json {
    fn name(&self) -> &str {
        "json"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(json_field(self.name()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = args.args[0].to_array(args.number_rows)?;
        for text in texts.as_string::<i32>().iter().flatten() {
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .map_err(|e| DataFusionError::Execution(format!("json: the text is not JSON: {e}")))?;
        }
        debug_assert_eq!(texts.len(), args.number_rows);
        Ok(args.args[0].clone())
    }
}
