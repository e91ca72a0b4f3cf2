//! Refuses what cannot be maintained, before the optimiser hides it.

use crate::lower::Unsupported;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

pub(super) fn check(plan: &LogicalPlan) -> Result<(), Unsupported> {
    let mut found = None;
    let visited = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr
                    && call.func.signature().volatility != Volatility::Immutable
                {
                    found = Some(call.func.name().to_string());
                    return Ok(TreeNodeRecursion::Stop);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    if let Err(error) = visited {
        return Err(Unsupported::new(error.strip_backtrace()));
    }
    match found {
        Some(function) => Err(Unsupported::new(format!("`{function}` gives another result each time: a maintained result cannot use it"))
            .help("take the time of the event from a column; what depends on the clock belongs in the query that reads the store")
            .at(function)),
        None => Ok(()),
    }
}
