//! `json_object(key, value, …)`: a JSON object as text, with the keys in the order given. Integers, floats and booleans become
//! JSON's own; what `json` or `json_object` made becomes a value inside; all else becomes its text, as a string. A null value is JSON's null.

use super::json::{is_json, json_field};
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(JsonObject { signature: Signature::variadic_any(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonObject {
    signature: Signature,
}

impl ScalarUDFImpl for JsonObject {
    fn name(&self) -> &str {
        "json_object"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        if args.arg_fields.is_empty() || args.arg_fields.len() % 2 == 1 {
            return plan_err!("json_object expects keys and values in turn, found {} arguments", args.arg_fields.len());
        }
        if let Some(key) = args.arg_fields.iter().step_by(2).find(|key| key.data_type() != &DataType::Utf8) {
            return plan_err!("json_object expects a text as key, found {}", key.data_type());
        }
        Ok(json_field(self.name()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let members = columns.chunks(2).zip(args.arg_fields.chunks(2));
        let members = members.map(|(column, field)| Ok((column[0].clone(), Values::of(&column[1], is_json(&field[1]))?)));
        let members = members.collect::<Result<Vec<_>>>()?;
        let mut objects = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let mut object = String::from("{");
            for (index, (keys, values)) in members.iter().enumerate() {
                if keys.is_null(row) {
                    return exec_err!("json_object: a key is null");
                }
                if index > 0 {
                    object.push(',');
                }
                push_string(&mut object, keys.as_string::<i32>().value(row));
                object.push(':');
                values.push(&mut object, row);
            }
            object.push('}');
            objects.push(object);
        }
        Ok(ColumnarValue::Array(Arc::new(StringArray::from(objects))))
    }
}

/// A column as the texts of its values, and whether they are written in quotes.
struct Values {
    texts: ArrayRef,
    is_quoted: bool,
}

impl Values {
    fn of(column: &ArrayRef, is_json: bool) -> Result<Values> {
        let is_quoted = !is_json && !column.data_type().is_integer() && !matches!(column.data_type(), DataType::Boolean);
        let is_float = column.data_type().is_floating();
        Ok(Values { texts: cast(column, &DataType::Utf8)?, is_quoted: is_quoted && !is_float })
    }

    fn push(&self, out: &mut String, row: usize) {
        let texts = self.texts.as_string::<i32>();
        match (texts.is_null(row), self.is_quoted) {
            (true, _) => out.push_str("null"),
            (false, true) => push_string(out, texts.value(row)),
            // JSON has no NaN and no infinity.
            (false, false) if matches!(texts.value(row), "NaN" | "inf" | "-inf") => out.push_str("null"),
            (false, false) => out.push_str(texts.value(row)),
        }
    }
}

fn push_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::String(text.to_string()).to_string());
}
