//! `hop(slide, width, time)`: the windows of a time, each `width` long, that begin at every multiple of `slide` since 1970. A
//! list of structs of `start` and `end`: the planner unnests it.

use super::window::{self, duration, window_type};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, PrimitiveArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, TimestampNanosecondType};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use std::sync::Arc;

/// More windows a row than this are taken for a mistake.
const MAX_WINDOWS: i128 = 10_000;

pub(crate) const NAME: &str = "hop";

pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Hop { signature: window::signature(2) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Hop {
    signature: Signature,
}

/// Slide and width, in nanoseconds.
fn arguments(values: &[Option<&ScalarValue>]) -> Result<(i128, i128)> {
    let slide = duration("hop", "slide", values.first().copied().flatten())?;
    let width = duration("hop", "width", values.get(1).copied().flatten())?;
    if width / slide > MAX_WINDOWS {
        let message = format!("a width of {} slides of `hop` puts each row into as many windows: at most {MAX_WINDOWS}", width / slide);
        return Err(DataFusionError::Plan(message));
    }
    Ok((slide, width))
}

impl ScalarUDFImpl for Hop {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new_list_field(window_type(), true))))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        arguments(args.scalar_arguments)?;
        Ok(Arc::new(Field::new("hop", self.return_type(&[])?, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constants: Vec<_> = args.args.iter().map(window::constant).collect();
        let (slide, width) = arguments(&constants)?;
        let times = args.args[2].to_array(args.number_rows)?;
        let times: &PrimitiveArray<TimestampNanosecondType> = times.as_primitive();
        let (mut starts, mut ends, mut lengths) = (vec![], vec![], vec![]);
        for row in 0..times.len() {
            let before = starts.len();
            if times.is_null(row) {
                // As `tumble` does: a window without bounds.
                starts.push(None);
                ends.push(None);
            } else {
                let time = i128::from(times.value(row));
                let mut start = ((time - width).div_euclid(slide) + 1) * slide;
                while start <= time {
                    starts.push(Some(window::nanoseconds("hop", start)?));
                    ends.push(Some(window::nanoseconds("hop", start + width)?));
                    start += slide;
                }
            }
            lengths.push(starts.len() - before);
        }
        let item = Arc::new(Field::new_list_field(window_type(), true));
        let windows: ArrayRef = Arc::new(window::structs(starts, ends));
        Ok(ColumnarValue::Array(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), windows, None)?)))
    }
}
