//! `json -> key` and `json ->> key`, as in PostgreSQL: what an object has under a key, or a list at a place (from 0). `->` gives JSON
//! as it is written, `->>` gives text: strings without quotes, and null for JSON's null. Null where there is no such value.

use super::json::json_field;
use super::json_path::{Step, find};
use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use std::sync::Arc;

/// Plans the operators as calls.
#[derive(Debug)]
pub(crate) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let is_text = match expr.op {
            BinaryOperator::Arrow => false,
            BinaryOperator::LongArrow => true,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        Ok(PlannerResult::Planned(function(is_text).call(vec![expr.left, expr.right])))
    }
}

/// `json_get` or `json_get_text`.
pub(super) fn function(is_text: bool) -> ScalarUDF {
    let keys = [DataType::Utf8, DataType::Int64].map(|key| TypeSignature::Exact(vec![DataType::Utf8, key]));
    ScalarUDF::from(Get { is_text, signature: Signature::one_of(keys.to_vec(), Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Get {
    is_text: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Get {
    fn name(&self) -> &str {
        if self.is_text { "json_get_text" } else { "json_get" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(if self.is_text { Arc::new(Field::new(self.name(), DataType::Utf8, true)) } else { json_field(self.name()) })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let found = get(&arrays[0], &arrays[1], self.is_text);
        found.map(ColumnarValue::Array).map_err(|message| DataFusionError::Execution(format!("{}: {message}", self.name())))
    }
}

fn get(texts: &ArrayRef, keys: &ArrayRef, is_text: bool) -> Result<ArrayRef, String> {
    let texts = texts.as_string::<i32>();
    let step = |row: usize| match keys.data_type() {
        DataType::Int64 => match usize::try_from(keys.as_primitive::<Int64Type>().value(row)) {
            Ok(index) => Ok(Step::Index(index)),
            Err(_) => Err("a place in a list is counted from 0".to_string()),
        },
        _ => Ok(Step::Key(keys.as_string::<i32>().value(row).to_string())),
    };
    let mut results = StringBuilder::with_capacity(texts.len(), 0);
    for row in 0..texts.len() {
        if texts.is_null(row) || keys.is_null(row) {
            results.append_null();
            continue;
        }
        match find(texts.value(row), &[step(row)?])? {
            Some("null") if is_text => results.append_null(),
            Some(text) if is_text && text.starts_with('"') => {
                results.append_value(serde_json::from_str::<String>(text).map_err(|e| e.to_string())?);
            }
            found => results.append_option(found),
        }
    }
    Ok(Arc::new(results.finish()))
}
