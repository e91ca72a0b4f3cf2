//! Queries in terms of simpler ones, where DataFusion's own plan cannot be maintained or means another thing than PostgreSQL's.

mod lateral;
mod ordered;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::LogicalPlan;
pub(super) use lateral::lateral_lists;

/// Rewrites a plan that is not optimised yet, from the leaves up.
pub(super) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let rewritten = match &node {
            LogicalPlan::Aggregate(aggregate) => ordered::rewrite(aggregate)?.map(LogicalPlan::Aggregate),
            LogicalPlan::Join(join) => lateral::rewrite(join)?,
            _ => None,
        };
        Ok(rewritten.map_or_else(|| Transformed::no(node), Transformed::yes))
    })?;
    Ok(rewritten.data)
}
