//! Which columns of a query's result tell its rows apart.

use datafusion::logical_expr::{Distinct, Expr, JoinType, LogicalPlan};

/// Positions of columns of `plan` that no two rows agree in; empty when there is at most one row, `None` when it cannot be told.
///
/// `source` gives the key's columns of a table whose rows have one. Only what is certain is said: a node that is not listed has no key.
pub(super) fn of(plan: &LogicalPlan, source: &dyn Fn(&str) -> Option<Vec<String>>) -> Option<Vec<usize>> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let key = source(scan.table_name.table()).filter(|key| !key.is_empty())?;
            key.iter().map(|name| scan.projected_schema.index_of_column_by_name(None, name)).collect()
        }
        LogicalPlan::Projection(projection) => {
            let is_of = |index: usize, expr: &Expr| {
                let column = match expr {
                    Expr::Column(column) => column,
                    Expr::Alias(alias) => match alias.expr.as_ref() {
                        Expr::Column(column) => column,
                        _ => return false,
                    },
                    _ => return false,
                };
                projection.input.schema().maybe_index_of_column(column) == Some(index)
            };
            let key = of(&projection.input, source)?;
            key.iter().map(|index| projection.expr.iter().position(|expr| is_of(*index, expr))).collect()
        }
        LogicalPlan::Filter(filter) => of(&filter.input, source),
        LogicalPlan::Sort(sort) => of(&sort.input, source),
        LogicalPlan::Limit(limit) => of(&limit.input, source),
        LogicalPlan::SubqueryAlias(alias) => of(&alias.input, source),
        // Its columns stand before those that it adds.
        LogicalPlan::Window(window) => of(&window.input, source),
        LogicalPlan::Aggregate(aggregate) => {
            let is_sets = aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_)));
            (!is_sets).then(|| (0..aggregate.group_expr.len()).collect())
        }
        LogicalPlan::Distinct(Distinct::All(input)) => Some((0..input.schema().fields().len()).collect()),
        LogicalPlan::Join(join) => {
            let left = of(&join.left, source);
            match join.join_type {
                JoinType::LeftSemi | JoinType::LeftAnti => left,
                JoinType::Inner | JoinType::Left | JoinType::Right => {
                    let width = join.left.schema().fields().len();
                    let right = of(&join.right, source)?;
                    // Each pair of rows is joined once, and a row without a partner is there once.
                    Some(left?.into_iter().chain(right.into_iter().map(|index| index + width)).collect())
                }
                _ => None,
            }
        }
        _ => None,
    }
}
