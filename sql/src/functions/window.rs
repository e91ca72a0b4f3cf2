//! What the functions of time windows share.

use arrow::array::{ArrayRef, StructArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, Signature, Volatility};
use std::sync::Arc;

const NANOSECONDS_A_DAY: i128 = 86_400_000_000_000;

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, None)
}

fn bounds() -> Fields {
    Fields::from(vec![Field::new("start", time_type(), true), Field::new("end", time_type(), true)])
}

/// The type of a window: a struct of `start` and `end`.
pub(crate) fn window_type() -> DataType {
    DataType::Struct(bounds())
}

/// Some intervals, then a time.
pub(crate) fn signature(intervals: usize) -> Signature {
    let mut types = vec![DataType::Interval(IntervalUnit::MonthDayNano); intervals];
    types.push(time_type());
    Signature::exact(types, Volatility::Immutable)
}

pub(crate) fn structs(starts: Vec<Option<i64>>, ends: Vec<Option<i64>>) -> StructArray {
    let columns: Vec<ArrayRef> = vec![Arc::new(TimestampNanosecondArray::from(starts)), Arc::new(TimestampNanosecondArray::from(ends))];
    StructArray::new(bounds(), columns, None)
}

pub(crate) fn constant(value: &ColumnarValue) -> Option<&ScalarValue> {
    match value {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(_) => None,
    }
}

/// A constant interval of one length, above zero, in nanoseconds. `argument` says what it is to `function`.
pub(crate) fn duration(function: &str, argument: &str, value: Option<&ScalarValue>) -> Result<i128> {
    let refused = |what: &str| Err(DataFusionError::Plan(format!("the {argument} of `{function}` {what}, such as INTERVAL '5 minutes'")));
    match value {
        Some(ScalarValue::IntervalMonthDayNano(Some(interval))) if interval.months != 0 => {
            refused("must not be in months or years, which have no one length: write days or less")
        }
        Some(ScalarValue::IntervalMonthDayNano(Some(interval))) => {
            match i128::from(interval.days) * NANOSECONDS_A_DAY + i128::from(interval.nanoseconds) {
                length if length > 0 => Ok(length),
                _ => refused("must be longer than nothing"),
            }
        }
        _ => refused("must be a constant interval"),
    }
}

/// A time as it is kept.
pub(crate) fn nanoseconds(function: &str, time: i128) -> Result<i64> {
    i64::try_from(time).map_err(|_| DataFusionError::Execution(format!("{function}: a window is out of the range of TIMESTAMP")))
}
