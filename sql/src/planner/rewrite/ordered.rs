//! GROUP BY unnest(…): DataFusion puts the columns below it in another order each time (it keeps them in a `HashSet`). A plan must
//! be the same each time, or its state would not be found again.

use datafusion::common::Result;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use std::sync::Arc;

pub(super) fn rewrite(aggregate: &Aggregate) -> Result<Option<Aggregate>> {
    let Some(input) = ordered(&aggregate.input)? else { return Ok(None) };
    Aggregate::try_new(Arc::new(input), aggregate.group_expr.clone(), aggregate.aggr_expr.clone()).map(Some)
}

/// Lists taken apart, one level or more, with the columns in the order of their names.
fn ordered(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Unnest(unnest) = plan else { return Ok(None) };
    let LogicalPlan::Projection(projection) = unnest.input.as_ref() else { return Ok(None) };
    let input = ordered(&projection.input)?.unwrap_or_else(|| projection.input.as_ref().clone());
    let mut exprs = projection.expr.clone();
    exprs.sort_by_cached_key(Expr::to_string);
    let plan = LogicalPlanBuilder::from(input).project(exprs)?;
    plan.unnest_columns_with_options(unnest.exec_columns.clone(), unnest.options.clone())?.build().map(Some)
}
