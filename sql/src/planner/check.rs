//! Refuses what cannot be maintained, before the optimiser hides it.

use crate::functions::session;
use crate::lower::Unsupported;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

pub(super) fn check(plan: &LogicalPlan) -> Result<(), Unsupported> {
    let mut found = None;
    let mut is_session = false;
    let visited = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                is_session |= matches!(expr, Expr::ScalarFunction(call) if call.func.name() == session::NAME);
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
    if is_session {
        return Err(Unsupported::new("`session` windows are those of a group")
            .help("write session(…) once in GROUP BY, beside the columns whose sessions it finds, and select it from there")
            .at(session::NAME));
    }
    match found {
        Some(function) if matches!(function.as_str(), "now" | "current_date") => {
            Err(Unsupported::new(format!("`{function}` may only bound a time: as a value it would change every row all the time"))
                .help("write WHERE at > now() - INTERVAL '1 hour', joined to other conditions by AND; take other times from a column")
                .at(function))
        }
        Some(function) => Err(Unsupported::new(format!("`{function}` gives another result each time: a maintained result cannot use it"))
            .help("take the time of the event from a column; what depends on the clock belongs in the query that reads the store")
            .at(function)),
        None => Ok(()),
    }
}
