//! What MATCH_CONDITION of an ASOF JOIN becomes until the plan is rewritten: a function of the two times and of how they are compared.
//! It is never called.

use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

pub(crate) const NAME: &str = "__asof_match";

pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Match { signature: Signature::any(3, Volatility::Immutable) })
}

/// The arguments, if this is the function: a time, the comparison's text and another time.
pub(crate) fn arguments(expr: &Expr) -> Option<&[Expr; 3]> {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == NAME => call.args.as_slice().try_into().ok(),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Match {
    signature: Signature,
}

impl ScalarUDFImpl for Match {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Execution("MATCH_CONDITION is computed only as a part of ASOF JOIN".into()))
    }
}
