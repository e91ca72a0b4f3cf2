//! `now()` in a condition on a time, such as `placed_at > now() - INTERVAL '1 hour'`: rows then come and go as time passes.

use crate::functions::clock;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, cast};

/// Replaces calls of `now()` that are compared with a column by what can be maintained; others stay, and are refused later.
pub(super) fn rewrite(filter: &Filter) -> Result<Option<Filter>> {
    if !has_now(&filter.predicate)? {
        return Ok(None);
    }
    let mut mentions = 0;
    let mut conditions = vec![];
    for condition in split_conjunction_owned(filter.predicate.clone()) {
        let parts = match condition {
            Expr::Between(Between { expr, negated: false, low, high }) => {
                vec![expr.clone().gt_eq(*low), expr.lt_eq(*high)]
            }
            other => vec![other],
        };
        for part in parts {
            conditions.push(compared(part, &mut mentions)?);
        }
    }
    let Some(predicate) = conjunction(conditions) else { return Ok(None) };
    Filter::try_new(predicate, filter.input.clone()).map(Some)
}

/// A comparison of one side that has a column with another one that has `now()`.
fn compared(condition: Expr, mentions: &mut usize) -> Result<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return Ok(condition) };
    let (left, right) = match (has_now(&left)?, has_now(&right)?) {
        (false, true) => (left.clone(), Box::new(with_column(*right, &left, mentions)?)),
        (true, false) => (Box::new(with_column(*left, &right, mentions)?), right),
        _ => (left, right),
    };
    Ok(Expr::BinaryExpr(BinaryExpr { left, op, right }))
}

/// `expr` with a column of `other` in each call of `now()`, if it has one.
fn with_column(expr: Expr, other: &Expr, mentions: &mut usize) -> Result<Expr> {
    let mut columns: Vec<_> = other.column_refs().into_iter().cloned().collect();
    columns.sort();
    let (Some(column), true) = (columns.first(), expr.column_refs().is_empty()) else { return Ok(expr) };
    let replaced = expr.transform_up(|expr| {
        let Some(name) = name(&expr) else { return Ok(Transformed::no(expr)) };
        *mentions += 1;
        let now = clock::now(Expr::Column(column.clone()), *mentions);
        Ok(Transformed::yes(if name == "current_date" { cast(now, DataType::Date32) } else { now }))
    });
    replaced.map(|replaced| replaced.data)
}

fn has_now(expr: &Expr) -> Result<bool> {
    let mut found = false;
    expr.apply(|expr| {
        found |= name(expr).is_some();
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// The name of a function of the clock.
fn name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::ScalarFunction(call) if matches!(call.func.name(), "now" | "current_date") => Some(call.func.name()),
        _ => None,
    }
}
