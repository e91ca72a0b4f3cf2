//! Queries in terms of simpler ones, where DataFusion's own plan cannot be maintained or means another thing than PostgreSQL's.

mod asof;
mod clock;
mod constants;
mod copies;
mod fetch;
mod lateral;
mod membership;
mod ordered;
mod sessions;
mod system_time;
mod using;

pub(super) use asof::mark_asof;
pub(super) use constants::fold_arguments;
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::LogicalPlan;
pub(super) use fetch::fetch_as_limit;
pub(super) use lateral::lateral_lists;
pub(super) use system_time::{Versions, as_of};
pub(super) use using::{qualify_using, refuse_using};

/// Rewrites a plan that is not optimised yet, from the leaves up.
pub(super) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let rewritten = match &node {
            LogicalPlan::Aggregate(aggregate) => {
                let ordered = ordered::rewrite(aggregate)?;
                let sessions = sessions::rewrite(ordered.as_ref().unwrap_or(aggregate))?;
                sessions.or(ordered.map(LogicalPlan::Aggregate))
            }
            LogicalPlan::Filter(filter) => clock::rewrite(filter)?.map(LogicalPlan::Filter),
            LogicalPlan::Join(join) => match copies::rewrite(join)? {
                Some(plan) => Some(plan),
                None => asof::rewrite(join)?.map_or_else(|| lateral::rewrite(join), |plan| Ok(Some(plan)))?,
            },
            _ => None,
        };
        let (node, is_new) = match rewritten {
            Some(plan) => (plan, true),
            None => (node, false),
        };
        let node = membership::rewrite(node)?;
        Ok(if is_new || node.transformed { Transformed::yes(node.data) } else { Transformed::no(node.data) })
    })?;
    Ok(rewritten.data)
}
