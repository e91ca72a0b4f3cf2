//! `max_by(value, key)` and `min_by(value, key)`: the value in the row whose key is the largest, or the smallest: the last price, the
//! product that sold best. Rows without a key do not count. Of equal keys, the smallest value is taken; a null is larger than all others.

use super::aggregate;
use arrow::array::{ArrayRef, make_comparator, new_null_array};
use arrow::compute::SortOptions;
use datafusion::logical_expr::{AggregateUDF, Signature, Volatility};
use std::sync::Arc;

/// Nulls come last.
const ORDER: SortOptions = SortOptions { descending: false, nulls_first: false };

pub(super) fn max_by() -> AggregateUDF {
    by("max_by", true)
}

pub(super) fn min_by() -> AggregateUDF {
    by("min_by", false)
}

fn by(name: &str, is_largest: bool) -> AggregateUDF {
    let body = move |columns: &[ArrayRef]| first(&columns[0], &columns[1], is_largest).map_err(|e| e.to_string());
    aggregate::of_all_rows(name, Signature::any(2, Volatility::Immutable), |types| types[0].clone(), Arc::new(body))
}

fn first(values: &ArrayRef, keys: &ArrayRef, is_largest: bool) -> Result<ArrayRef, arrow::error::ArrowError> {
    let by_key = make_comparator(keys, keys, ORDER)?;
    let by_value = make_comparator(values, values, ORDER)?;
    let nulls = keys.logical_nulls();
    let known = (0..keys.len()).filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)));
    let first = known.min_by(|a, b| {
        let order = if is_largest { by_key(*b, *a) } else { by_key(*a, *b) };
        order.then_with(|| by_value(*a, *b))
    });
    Ok(first.map_or_else(|| new_null_array(values.data_type(), 1), |row| values.slice(row, 1)))
}
