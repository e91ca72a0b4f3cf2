//! INTERSECT ALL and EXCEPT ALL, which count how often a row is there: each copy of a row gets a number, and copies with equal
//! numbers go together. DataFusion plans them as a semi or anti join, which looks only at whether there is any copy.

use datafusion::common::{Column, JoinType, NullEquality, Result};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder};
use std::sync::Arc;

const LEFT: &str = "__copy_left";
const RIGHT: &str = "__copy_right";

pub(super) fn rewrite(join: &Join) -> Result<Option<LogicalPlan>> {
    let is_set_operation =
        matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti) && join.null_equality == NullEquality::NullEqualsNull;
    // What has no copies needs no numbers; INTERSECT and EXCEPT without ALL begin in this way. A view in the query has its numbers.
    let is_numbered = join.left.schema().has_column(&Column::from_name(LEFT));
    if !is_set_operation || is_numbered || matches!(join.left.as_ref(), LogicalPlan::Distinct(_)) || join.on.is_empty() {
        return Ok(None);
    }
    let (left, left_number) = numbered(&join.left, LEFT)?;
    let (right, right_number) = numbered(&join.right, RIGHT)?;
    let mut on = join.on.clone();
    on.push((left_number, right_number));
    let (filter, constraint) = (join.filter.clone(), join.join_constraint);
    let numbered = Join::try_new(Arc::new(left), Arc::new(right), on, filter, join.join_type, constraint, join.null_equality, false)?;
    let columns = join.left.schema().columns().into_iter().map(Expr::Column);
    LogicalPlanBuilder::from(LogicalPlan::Join(numbered)).project(columns)?.build().map(Some)
}

/// `plan` with a further column that numbers the copies of each row.
fn numbered(plan: &LogicalPlan, name: &str) -> Result<(LogicalPlan, Expr)> {
    let columns = plan.schema().columns().into_iter().map(Expr::Column);
    let number = row_number().partition_by(columns.collect()).build()?.alias(name);
    let plan = LogicalPlanBuilder::from(plan.clone()).window(vec![number])?.build()?;
    Ok((plan, Expr::Column(Column::from_name(name))))
}
