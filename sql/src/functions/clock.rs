//! What `now()` becomes where it is maintained: a function of a column that it is compared with, so that DataFusion neither computes
//! it when it plans nor tears it from the column, and of a number that tells one mention from another.
//!
//! It is never called: [`crate::lower`] takes it apart into bounds that move with the clock.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit};

const NAME: &str = "__now";

/// The time of the epoch, in UTC, for the rows that have `column`.
pub(crate) fn now(column: Expr, mention: usize) -> Expr {
    ScalarUDF::from(Now { signature: Signature::any(2, Volatility::Immutable) }).call(vec![column, lit(mention as i64)])
}

/// Is this [`now`]?
pub(crate) fn is_now(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.name() == NAME)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    signature: Signature,
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Nanosecond, None))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Execution("`now()` is computed only as a bound in WHERE".into()))
    }
}
