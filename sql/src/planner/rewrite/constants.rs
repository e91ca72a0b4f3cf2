//! Constants that are computed before the optimiser does it: whole numbers that leave their range are refused, where it would let them begin again at
//! the other end; and arguments that decide about a function's type: `round(amount, 2)` has two digits.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};

/// Casts of constants among functions' arguments, which the analyzer has put there, are made now: before that the function does not know the
/// constant, and later its type would be another than the plan's.
pub(in crate::planner) fn fold_arguments(plan: LogicalPlan) -> Result<LogicalPlan> {
    let folded = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        let node = node.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(expr.transform_up(fold)?.update_data(|expr| name.restore(expr)))
        })?;
        if !node.transformed {
            return Ok(node);
        }
        node.data.recompute_schema().map(Transformed::yes)
    })?;
    // A type that has changed goes on to what reads it.
    if folded.transformed {
        folded.data.transform_up_with_subqueries(|node| node.recompute_schema().map(Transformed::yes)).map(|plan| plan.data)
    } else {
        Ok(folded.data)
    }
}

fn fold(expr: Expr) -> Result<Transformed<Expr>> {
    if let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &expr
        && let (Expr::Literal(left, metadata), Expr::Literal(right, _)) = (left.as_ref(), right.as_ref())
        && left.data_type().is_integer()
        && left.data_type() == right.data_type()
    {
        let value = match op {
            Operator::Plus => left.add_checked(right)?,
            Operator::Minus => left.sub_checked(right)?,
            Operator::Multiply => left.mul_checked(right)?,
            _ => return Ok(Transformed::no(expr)),
        };
        return Ok(Transformed::yes(Expr::Literal(value, metadata.clone())));
    }
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expr else { return Ok(Transformed::no(expr)) };
    let mut is_folded = false;
    let args = args.into_iter().map(|arg| {
        let constant = match &arg {
            Expr::Cast(cast) => match cast.expr.as_ref() {
                Expr::Literal(value, metadata) => Some(Expr::Literal(value.cast_to(cast.field.data_type())?, metadata.clone())),
                _ => None,
            },
            _ => None,
        };
        is_folded |= constant.is_some();
        Ok(constant.unwrap_or(arg))
    });
    let args = args.collect::<Result<Vec<_>>>()?;
    let expr = Expr::ScalarFunction(ScalarFunction { func, args });
    Ok(if is_folded { Transformed::yes(expr) } else { Transformed::no(expr) })
}
