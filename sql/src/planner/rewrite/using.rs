//! Joins USING a column.
//!
//! In a RIGHT or FULL join the column is that of either side which is not null. DataFusion takes the left one, so these are refused.
//! In a WHERE it does not know such a column, if it is more than one side's; so there it is written with the name of its side.

use crate::dialect::Name;
use crate::error::Position;
use crate::planner::declare;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, Query, Select, Spanned, TableFactor, TableWithJoins, Visit, VisitMut, Visitor, VisitorMut,
};
use std::collections::BTreeMap;
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

/// Names the side of each column of USING that stands in a WHERE without one.
pub(in crate::planner) fn qualify_using(query: &mut Query) {
    let _ = query.visit(&mut Conditions);
}

struct Conditions;

impl VisitorMut for Conditions {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut columns = BTreeMap::new();
        select.from.iter().for_each(|tables| sides(tables, &mut columns));
        match &mut select.selection {
            Some(condition) if !columns.is_empty() => condition.visit(&mut Sides { columns, depth: 0 }),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Adds the columns that joins use, each with the table it is taken from.
fn sides(tables: &TableWithJoins, columns: &mut BTreeMap<String, Ident>) {
    let mut left = vec![name(&tables.relation)];
    for join in &tables.joins {
        let right = name(&join.relation);
        let used = match &join.join_operator {
            // The sides are equal, and the right one is known by name.
            JoinOperator::Join(JoinConstraint::Using(used)) | JoinOperator::Inner(JoinConstraint::Using(used)) => {
                Some((used, right.clone()))
            }
            JoinOperator::Left(JoinConstraint::Using(used)) | JoinOperator::LeftOuter(JoinConstraint::Using(used)) if left.len() == 1 => {
                Some((used, left[0].clone()))
            }
            _ => None,
        };
        if let Some((used, Some(side))) = used {
            let names = used.iter().filter_map(|column| column.0.first()?.as_ident());
            names.for_each(|column| {
                columns.entry(Name::from(column.clone()).text).or_insert_with(|| side.clone());
            });
        }
        left.push(right);
    }
}

/// The name by which a relation's columns are qualified.
fn name(relation: &TableFactor) -> Option<Ident> {
    match relation {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => Some(alias.name.clone()),
        TableFactor::Table { name, .. } => Some(Ident::with_quote('"', declare::plain(name))),
        _ => None,
    }
}

/// Qualifies columns, but not in subqueries, where the names may mean others.
struct Sides {
    columns: BTreeMap<String, Ident>,
    depth: usize,
}

impl VisitorMut for Sides {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Identifier(column) = expr
            && let Some(side) = self.columns.get(&Name::from(column.clone()).text)
        {
            *expr = Expr::CompoundIdentifier(vec![side.clone(), column.clone()]);
        }
        ControlFlow::Continue(())
    }
}
