//! DataFusion's functions whose results may be far larger than their arguments, with a bound: one value must not take all memory.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{Result, exec_err};
use datafusion::functions::{string, unicode};
use datafusion::functions_nested::{range, repeat, resize};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};
use std::sync::Arc;

/// Bytes of a text, or items of a list.
const MOST: i128 = 16 << 20;
/// The same of all rows of a batch. A batch above it is computed in parts.
const MOST_OF_BATCH: i128 = 256 << 20;

/// What says how large a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Size {
    /// The second argument.
    Given,
    /// As many as the second argument says of the argument with this number.
    Copies(usize),
    /// The first argument with the third in the place of every second.
    Replaced,
    /// The first argument, as often as the second says.
    Times,
    /// From the first argument to the second, by the third.
    Series,
}

/// In the place of the functions of the same names.
pub fn bounded() -> Vec<ScalarUDF> {
    let functions = [
        (string::repeat(), Size::Times),
        (string::replace(), Size::Replaced),
        (unicode::lpad(), Size::Given),
        (unicode::rpad(), Size::Given),
        (repeat::array_repeat_udf(), Size::Copies(0)),
        (resize::array_resize_udf(), Size::Copies(2)),
        (range::range_udf(), Size::Series),
        (range::gen_series_udf(), Size::Series),
    ];
    functions.into_iter().map(|(inner, size)| ScalarUDF::from(Bounded { inner, size })).collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    size: Size,
}

impl ScalarUDFImpl for Bounded {
    as_inner!();

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.simplify(args, info)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let mut whole = 0;
        for row in 0..args.number_rows {
            let size = self.size.of(&columns, row)?.max(0);
            whole += size;
            if size > MOST || whole > MOST_OF_BATCH {
                return exec_err!("a result of `{}` would be too large: more than {MOST} bytes or items", self.name());
            }
        }
        self.inner.invoke_with_args(args)
    }
}

impl Size {
    fn of(self, columns: &[ArrayRef], row: usize) -> Result<i128> {
        let number = |index: usize| columns.get(index).map_or(Ok(None), |column| number(column, row));
        Ok(match self {
            Size::Given => number(1)?.unwrap_or(0),
            Size::Copies(of) => {
                let bytes = columns.get(of).map_or(Ok(1), |column| column.slice(row, 1).to_data().get_slice_memory_size())?;
                bytes.max(1) as i128 * number(1)?.unwrap_or(0)
            }
            Size::Replaced => {
                let [from, what, by] = [0, 1, 2].map(|index| columns.get(index).map_or(Ok(String::new()), |column| text(column, row)));
                let (from, what, by) = (from?, what?, by?);
                from.len() as i128 + from.matches(&what).count() as i128 * by.len() as i128
            }
            Size::Times => text(&columns[0], row)?.len() as i128 * number(1)?.unwrap_or(0),
            Size::Series => {
                let (from, to) = match columns.len() {
                    1 => (Some(0), number(0)?),
                    _ => (number(0)?, number(1)?),
                };
                let step = number(2)?.unwrap_or(1).abs().max(1);
                from.zip(to).map_or(0, |(from, to)| (to - from).abs() / step)
            }
        })
    }
}

/// A text; of a null an empty one.
fn text(column: &ArrayRef, row: usize) -> Result<String> {
    let text = cast(&column.slice(row, 1), &DataType::Utf8)?;
    Ok(text.as_string::<i32>().iter().flatten().collect())
}

/// A whole number; of a date or a time the nanoseconds since 1970, of an interval its length, where a month is as short as can be.
fn number(column: &ArrayRef, row: usize) -> Result<Option<i128>> {
    const DAY: i128 = 86_400_000_000_000;
    let value = column.slice(row, 1);
    if value.is_null(0) {
        return Ok(None);
    }
    if value.data_type() == &DataType::Interval(IntervalUnit::MonthDayNano) {
        let interval = value.as_primitive::<IntervalMonthDayNanoType>().value(0);
        let days = i128::from(interval.months) * 28 + i128::from(interval.days);
        return Ok(Some(days * DAY + i128::from(interval.nanoseconds)));
    }
    let value = match value.data_type() {
        DataType::Date32 | DataType::Timestamp(..) => cast(&value, &DataType::Timestamp(TimeUnit::Nanosecond, None))?,
        _ => value,
    };
    let value = cast(&value, &DataType::Int64)?;
    Ok(value.as_primitive::<Int64Type>().iter().next().flatten().map(i128::from))
}
