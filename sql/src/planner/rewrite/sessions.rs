//! GROUP BY … session(gap, time): the session of each row becomes a column below the aggregate.

use crate::functions::session;
use datafusion::common::{Column, DataFusionError, Result};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition};
use std::sync::Arc;

pub(super) fn rewrite(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let Some(place) = aggregate.group_expr.iter().position(|expr| call(expr).is_some()) else { return Ok(None) };
    let others: Vec<Expr> = aggregate.group_expr.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, e)| e.clone()).collect();
    if others.iter().any(|expr| call(expr).is_some()) {
        return Err(DataFusionError::Plan("`session` may be in GROUP BY once".into()));
    }
    let expr = &aggregate.group_expr[place];
    let Some([gap, time]) = call(expr) else { return Ok(None) };
    // A session is one of the rows that are equal in everything else they are grouped by.
    let window = Expr::from(WindowFunction::new(WindowFunctionDefinition::WindowUDF(session::windows()), vec![gap.clone(), time.clone()]))
        .partition_by(others.into_iter().map(Expr::unalias).collect())
        .order_by(vec![time.clone().sort(true, true)])
        .build()?;
    let input = LogicalPlanBuilder::from(aggregate.input.as_ref().clone()).window(vec![window])?.build()?;
    let last = input.schema().fields().len() - 1;
    let found = Expr::Column(Column::from(input.schema().qualified_field(last)));
    let mut group = aggregate.group_expr.clone();
    group[place] = found.alias(expr.schema_name().to_string());
    Ok(Some(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), group, aggregate.aggr_expr.clone())?)))
}

/// The arguments of a call of `session`.
fn call(expr: &Expr) -> Option<&[Expr; 2]> {
    match expr {
        Expr::Alias(alias) => call(&alias.expr),
        Expr::ScalarFunction(function) if function.func.name() == session::NAME => function.args.as_slice().try_into().ok(),
        _ => None,
    }
}
