//! `l JOIN r FOR SYSTEM_TIME AS OF l.at ON l.k = r.k`: every row of `l` with the row of `r` as it was at its time.
//!
//! Of a lookup table that is the row as it is when it is asked for. Rows that only come, each valid from its time until the next one of the
//! same key, are an ASOF join.

use crate::dialect::{SYSTEM_TIME, plain};
use crate::error::Position;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, JoinConstraint, JoinOperator, Query, Select, Spanned,
    TableFactor, TableWithJoins, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Place, message and help.
type Problem = (Position, String, String);

/// What is known of earlier versions of a table's rows.
pub(in crate::planner) enum Versions {
    /// A lookup table: it answers with the present one.
    Asked,
    /// All of them: each is valid since the time in this column.
    Since(String),
    /// None, of a table whose rows change.
    Gone,
    /// Rows only come, but nothing says when.
    Timeless,
    /// A view, or nothing at all.
    Unknown,
}

/// Replaces joins with the version of a time by joins that can be maintained.
pub(in crate::planner) fn as_of(query: &mut Query, versions: &dyn Fn(&str) -> Versions) -> Result<(), Problem> {
    match query.visit(&mut Joins { versions }) {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Joins<'a> {
    versions: &'a dyn Fn(&str) -> Versions,
}

impl VisitorMut for Joins<'_> {
    type Break = Problem;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Problem> {
        for tables in &mut select.from {
            for found in self.tables(tables)? {
                // An inner join leaves out what had no version.
                let found = Expr::IsNotNull(Box::new(found));
                select.selection = Some(match select.selection.take() {
                    Some(before) => {
                        Expr::BinaryOp { left: Box::new(Expr::Nested(Box::new(before))), op: BinaryOperator::And, right: Box::new(found) }
                    }
                    None => found,
                });
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Problem> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor
            && let Some(Expr::CompoundIdentifier(names)) = self.tables(table_with_joins)?.first()
        {
            let at = names.first().map_or(Position::default(), |name| name.span.start.into());
            return ControlFlow::Break((
                at,
                "an inner join with the version of a time cannot be in parentheses".into(),
                "write a LEFT JOIN, or the join without parentheses".into(),
            ));
        }
        ControlFlow::Continue(())
    }
}

impl Joins<'_> {
    /// Rewrites the joins of `tables`; gives the columns that are not null where an inner join found a version.
    fn tables(&self, tables: &mut TableWithJoins) -> ControlFlow<Problem, Vec<Expr>> {
        if let Some(time) = take_time(&mut tables.relation) {
            return ControlFlow::Break((
                time.span().start.into(),
                "FOR SYSTEM_TIME AS OF is of the right side of a join".into(),
                "write FROM orders o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.at AS r ON o.currency = r.currency".into(),
            ));
        }
        let mut found = vec![];
        for index in 0..tables.joins.len() {
            let keeps_right = |operator: &JoinOperator| {
                matches!(operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_))
            };
            let is_kept_later = tables.joins[index + 1..].iter().any(|join| keeps_right(&join.join_operator));
            let join = &mut tables.joins[index];
            let Some(time) = take_time(&mut join.relation) else { continue };
            let at: Position = time.span().start.into();
            let Some((name, alias)) = named(&join.relation) else { continue };
            let refused = |message: String, help: &str| ControlFlow::Break((at, message, help.to_string()));
            let column = match (self.versions)(&name) {
                Versions::Asked => continue,
                Versions::Since(column) => column,
                Versions::Gone => {
                    return refused(
                        format!("`{name}` is a table of changes, of which the present rows are kept and not those of another time"),
                        "join it without FOR SYSTEM_TIME for its present rows; or declare its versions as events (format = 'json') with a \
                         WATERMARK: each is then valid from its time on",
                    );
                }
                Versions::Timeless => {
                    return refused(
                        format!("since when a row of `{name}` is valid is not known: it has no time"),
                        "declare the column with its time: WATERMARK FOR column",
                    );
                }
                Versions::Unknown => {
                    return refused(
                        format!("`{name}` is no table, and only tables have versions"),
                        "write l ASOF JOIN r MATCH_CONDITION (l.at >= r.at) ON l.k = r.k",
                    );
                }
            };
            let since = Expr::CompoundIdentifier(vec![alias, Ident::with_quote('"', column)]);
            let (constraint, is_inner) = match &join.join_operator {
                JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (constraint.clone(), false),
                JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) if !is_kept_later => (constraint.clone(), true),
                _ => {
                    return refused(
                        format!("this join keeps rows of `{name}` that no time asked for, or is followed by one that keeps its right side"),
                        "write a LEFT JOIN",
                    );
                }
            };
            if !matches!(constraint, JoinConstraint::On(_)) {
                return refused(format!("a join with a version of `{name}` names its key with ON"), "write ON l.k = r.k");
            }
            if is_inner {
                found.push(since.clone());
            }
            let match_condition = Expr::BinaryOp { left: Box::new(time), op: BinaryOperator::GtEq, right: Box::new(since) };
            join.join_operator = JoinOperator::AsOf { match_condition, constraint };
        }
        ControlFlow::Continue(found)
    }
}

/// The time of the version, which the clause was read into.
fn take_time(factor: &mut TableFactor) -> Option<Expr> {
    let TableFactor::Table { with_hints, .. } = factor else { return None };
    let place = with_hints.iter().position(|hint| matches!(hint, Expr::Function(call) if plain(&call.name) == SYSTEM_TIME))?;
    let Expr::Function(call) = with_hints.remove(place) else { return None };
    match call.args {
        FunctionArguments::List(list) => list.args.into_iter().find_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        }),
        _ => None,
    }
}

/// The name of a table, and what its columns are qualified by.
fn named(factor: &TableFactor) -> Option<(String, Ident)> {
    let TableFactor::Table { name, alias, .. } = factor else { return None };
    let own = || name.0.last().and_then(|part| part.as_ident()).cloned();
    Some((plain(name), alias.as_ref().map(|alias| alias.name.clone()).or_else(own)?))
}
