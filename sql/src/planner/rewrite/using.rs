//! RIGHT and FULL joins USING a column: there the column is that of either side which is not null. DataFusion takes the left one,
//! so these are refused.

use crate::error::Position;
use datafusion::sql::sqlparser::ast::{
    Ident, JoinConstraint, JoinOperator, Query, Select, Spanned, TableFactor, TableWithJoins, Visit, Visitor,
};
use std::ops::ControlFlow;

/// Place, message and help of the first such join.
pub(in crate::planner) fn refuse_using(query: &Query) -> Result<(), (Position, String, String)> {
    match query.visit(&mut Joins) {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Joins;

impl Visitor for Joins {
    type Break = (Position, String, String);

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        select.from.iter().try_for_each(tables)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => tables(table_with_joins),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn tables(tables: &TableWithJoins) -> ControlFlow<(Position, String, String)> {
    for join in &tables.joins {
        let (kind, constraint) = match &join.join_operator {
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => ("RIGHT", constraint),
            JoinOperator::FullOuter(constraint) => ("FULL", constraint),
            _ => continue,
        };
        let clause = match constraint {
            JoinConstraint::Using(_) => "USING",
            JoinConstraint::Natural => "NATURAL",
            JoinConstraint::On(_) | JoinConstraint::None => continue,
        };
        let name = match &join.relation {
            TableFactor::Table { name, alias, .. } => alias.as_ref().map_or(name.to_string(), |alias| alias.name.to_string()),
            TableFactor::Derived { alias: Some(alias), .. } => Ident::to_string(&alias.name),
            _ => "b".into(),
        };
        let help = format!("write ON a.k = {name}.k, and coalesce(a.k, {name}.k) where the column is meant");
        let message = format!("{clause} is not supported in a {kind} JOIN, where the column may come from either side");
        return ControlFlow::Break((join.relation.span().start.into(), message, help));
    }
    ControlFlow::Continue(())
}
