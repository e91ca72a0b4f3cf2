//! `session(gap, time)`: the window from the first to the last (and a gap more) of rows that follow each other by at most `gap`.
//!
//! Which window a row is in depends on the other rows of its group, so the planner computes [`windows`] below the GROUP BY
//! instead of the scalar function that queries name.

use super::window::{self, duration, window_type};
use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Field, FieldRef, TimestampNanosecondType};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    ColumnarValue, LimitEffect, PartitionEvaluator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, WindowUDF,
    WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use std::sync::Arc;

pub(crate) const NAME: &str = "session";

/// What queries name.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Session { signature: window::signature(1) })
}

/// What computes it: a window function of the same arguments, over the rows of a group in the order of the time.
pub(crate) fn windows() -> Arc<WindowUDF> {
    Arc::new(WindowUDF::from(Session { signature: window::signature(1) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Session {
    signature: Signature,
}

impl ScalarUDFImpl for Session {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(window_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        duration(NAME, "gap", args.scalar_arguments.first().copied().flatten())?;
        Ok(Arc::new(Field::new(NAME, window_type(), true)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Execution("`session` is computed only as a part of GROUP BY".into()))
    }
}

impl WindowUDFImpl for Session {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Windows))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), window_type(), true)))
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Windows;

impl PartitionEvaluator for Windows {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        if rows == 0 {
            return Ok(Arc::new(window::structs(vec![], vec![])));
        }
        let gap = duration(NAME, "gap", Some(&ScalarValue::try_from_array(&values[0], 0)?))?;
        let times: &PrimitiveArray<TimestampNanosecondType> = values[1].as_primitive();
        let (mut starts, mut ends) = (vec![None; rows], vec![None; rows]);
        // Rows without a time, which come first, are a window without bounds, as with `tumble`.
        let mut first = times.null_count();
        while first < rows {
            let mut end = first + 1;
            while end < rows && i128::from(times.value(end)) - i128::from(times.value(end - 1)) <= gap {
                end += 1;
            }
            let closes = window::nanoseconds(NAME, i128::from(times.value(end - 1)) + gap)?;
            starts[first..end].fill(Some(times.value(first)));
            ends[first..end].fill(Some(closes));
            first = end;
        }
        Ok(Arc::new(window::structs(starts, ends)))
    }
}
