//! Every aggregate that DataFusion has, while rows come and go, against its own answer.

use crate::harness::{Shape, check};
use datafusion::functions_aggregate::all_default_aggregate_functions;

/// A call of each aggregate, by name. Orders are total, sums that depend on the order of additions are rounded, and weights are equal
/// since a digest of others depends on what came first.
const CALLS: &[(&str, &str)] = &[
    ("any_value", "any_value(quantity * 0 + 5)"),
    ("approx_distinct", "approx_distinct(order_id)"),
    ("approx_median", "approx_median(quantity)"),
    ("approx_percentile_cont", "approx_percentile_cont(0.9) WITHIN GROUP (ORDER BY quantity)"),
    ("approx_percentile_cont_with_weight", "approx_percentile_cont_with_weight(2, 0.5) WITHIN GROUP (ORDER BY quantity)"),
    ("array_agg", "array_agg(order_id ORDER BY order_id DESC, line_no)"),
    ("avg", "avg(price)"),
    ("bit_and", "bit_and(quantity + 3)"),
    ("bit_or", "bit_or(quantity + 3)"),
    ("bit_xor", "bit_xor(quantity + 3)"),
    ("bool_and", "bool_and(quantity > 0)"),
    ("bool_or", "bool_or(quantity > 6)"),
    ("corr", "round(corr(quantity, line_no), 6)"),
    ("count", "count(DISTINCT quantity)"),
    ("covar_pop", "round(covar_pop(quantity, line_no), 6)"),
    ("covar_samp", "round(covar_samp(quantity, line_no), 6)"),
    ("first_value", "first_value(quantity ORDER BY order_id, line_no)"),
    ("last_value", "last_value(price ORDER BY order_id, line_no)"),
    ("max", "max(price)"),
    ("median", "median(quantity)"),
    ("min", "min(order_id)"),
    ("nth_value", "nth_value(order_id, 2 ORDER BY order_id, line_no)"),
    ("percentile_cont", "percentile_cont(0.25) WITHIN GROUP (ORDER BY quantity)"),
    ("regr_avgx", "round(regr_avgx(quantity, line_no), 6)"),
    ("regr_avgy", "round(regr_avgy(quantity, line_no), 6)"),
    ("regr_count", "regr_count(quantity, line_no)"),
    ("regr_intercept", "round(regr_intercept(quantity, line_no), 6)"),
    ("regr_r2", "round(regr_r2(quantity, line_no), 6)"),
    ("regr_slope", "round(regr_slope(quantity, line_no), 6)"),
    ("regr_sxx", "round(regr_sxx(quantity, line_no), 6)"),
    ("regr_sxy", "round(regr_sxy(quantity, line_no), 6)"),
    ("regr_syy", "round(regr_syy(quantity, line_no), 6)"),
    ("stddev", "round(stddev(quantity), 6)"),
    ("stddev_pop", "round(stddev_pop(quantity), 6)"),
    ("string_agg", "string_agg(order_id, '+' ORDER BY order_id, line_no)"),
    ("sum", "sum(price)"),
    ("var", "round(var(quantity), 6)"),
    ("var_pop", "round(var_pop(quantity), 6)"),
];

/// It is tested with GROUPING SETS.
const ELSEWHERE: [&str; 1] = ["grouping"];

#[test]
fn no_aggregate_is_left_out() {
    for function in all_default_aggregate_functions() {
        let is_called = CALLS.iter().any(|(name, _)| *name == function.name()) || ELSEWHERE.contains(&function.name());
        assert!(is_called, "{} is not tested", function.name());
    }
}

#[test]
fn every_aggregate_follows_rows_that_come_and_go() {
    for (seed, groups) in ["sku", "line_no % 2"].into_iter().enumerate() {
        // A few at a time: those that need the group's rows share them.
        for (index, calls) in CALLS.chunks(10).enumerate() {
            let calls: Vec<&str> = calls.iter().map(|(_, call)| *call).collect();
            let columns: Vec<String> = calls.iter().enumerate().map(|(i, call)| format!("{call} AS a{i}")).collect();
            let query = format!("SELECT {groups} AS g, {} FROM items GROUP BY {groups}", columns.join(", "));
            check(&Shape::new("aggregates", query.leak()), 1 + index % 2, 900 + seed as u64);
        }
    }
}
