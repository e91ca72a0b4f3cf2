//! Lists in FROM: `FROM t, unnest(t.list) AS u(item)`, also WITH ORDINALITY; `generate_series(…)` is one too. And what is computed of a row:
//! `FROM t, LATERAL (SELECT t.a + 1 AS b)`.
//!
//! DataFusion plans `unnest` in FROM only of constants. So it becomes `LATERAL (SELECT unnest(t.list))`, and in the plan of that the
//! rows of `t` take the place of the one row that a SELECT without FROM begins with.

use crate::error::Position;
use crate::planner::declare;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, JoinType, NullHandling, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, FunctionArg, FunctionArgExpr, Ident, Query, Spanned, TableAlias, TableAliasColumnDef, TableFactor, VisitMut,
    VisitorMut, visit_expressions,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Makes lists in FROM that depend on other tables, or are numbered, lateral subqueries.
pub(in crate::planner) fn lateral_lists(query: &mut Query) -> std::result::Result<(), (Position, String)> {
    match query.visit(&mut Lists) {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Lists;

impl VisitorMut for Lists {
    type Break = (Position, String);

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        let mut is_series = false;
        let (lists, alias, is_numbered) = match &*factor {
            TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } => {
                (array_exprs.clone(), alias.clone(), *with_ordinality)
            }
            TableFactor::Function { name, args, with_ordinality, alias, .. } if declare::plain(name) == "unnest" => {
                let Some(lists) = args.iter().map(expression).collect::<Option<Vec<_>>>() else { return ControlFlow::Continue(()) };
                (lists, alias.clone(), *with_ordinality)
            }
            TableFactor::Table { name, args: Some(args), with_ordinality, alias, .. } if declare::plain(name) == "generate_series" => {
                let Some(bounds) = args.args.iter().map(expression).collect::<Option<Vec<_>>>() else { return ControlFlow::Continue(()) };
                let bounds: Vec<String> = bounds.iter().map(SqlExpr::to_string).collect();
                let series = Parser::new(&PostgreSqlDialect {}).try_with_sql(&format!("generate_series({})", bounds.join(", ")));
                let Ok(series) = series.and_then(|mut parser| parser.parse_expr()) else { return ControlFlow::Continue(()) };
                let name = || TableAlias { explicit: true, name: Ident::new("generate_series"), columns: vec![], at: None };
                is_series = true;
                (vec![series], Some(alias.clone().unwrap_or_else(name)), *with_ordinality)
            }
            _ => return ControlFlow::Continue(()),
        };
        let is_lateral = lists.iter().any(names_a_column);
        if !(is_numbered || is_lateral || is_series) {
            return ControlFlow::Continue(());
        }
        let mut items: Vec<String> = lists.iter().map(|list| format!("unnest({list})")).collect();
        if is_numbered {
            let lengths: Vec<String> = lists.iter().map(|list| format!("array_length({list})")).collect();
            items.push(format!("unnest(generate_series(1, CAST(greatest({}) AS BIGINT)))", lengths.join(", ")));
        }
        let text = format!("SELECT {}", items.join(", "));
        let dialect = PostgreSqlDialect {};
        match Parser::new(&dialect).try_with_sql(&text).and_then(|mut parser| parser.parse_query()) {
            Ok(subquery) => {
                *factor = TableFactor::Derived {
                    lateral: is_lateral || is_numbered,
                    subquery,
                    alias: alias.map(|alias| named(alias, items.len())),
                    sample: None,
                };
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break((factor.span().start.into(), format!("`unnest` cannot use these arguments: {error}"))),
        }
    }
}

fn expression(arg: &FunctionArg) -> Option<SqlExpr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    }
}

fn names_a_column(expr: &SqlExpr) -> bool {
    let found = visit_expressions(expr, |expr| match expr {
        SqlExpr::Identifier(_) | SqlExpr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// As in PostgreSQL, one list's items are named as the table when they have no name of their own.
fn named(mut alias: TableAlias, columns: usize) -> TableAlias {
    if alias.columns.is_empty() && columns == 1 {
        alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
    }
    alias
}

/// A join with a subquery that takes lists of the left side apart.
pub(super) fn rewrite(join: &Join) -> Result<Option<LogicalPlan>> {
    let is_true = |filter: &Expr| *filter == lit(true);
    let is_outer = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left if join.on.is_empty() && join.filter.iter().all(is_true) => true,
        _ => return Ok(None),
    };
    let graft = Graft { left: &join.left, is_outer };
    let grafted = match takes_lists_apart(&join.right) {
        true => graft.onto(&join.right)?,
        false => graft.computed(&join.right)?,
    };
    let Some(mut plan) = grafted else { return Ok(None) };
    let on = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    for condition in on.chain(join.filter.clone()) {
        plan = LogicalPlanBuilder::from(plan).filter(condition)?.build()?;
    }
    Ok(Some(plan))
}

/// Is this an `unnest` of columns from outside?
fn takes_lists_apart(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Unnest(_) => true,
        LogicalPlan::Subquery(subquery) => takes_lists_apart(&subquery.subquery),
        LogicalPlan::SubqueryAlias(_) | LogicalPlan::Projection(_) | LogicalPlan::Filter(_) => {
            plan.inputs().first().is_some_and(|input| takes_lists_apart(input))
        }
        LogicalPlan::Join(join) => matches!(join.join_type, JoinType::Inner | JoinType::Left) && takes_lists_apart(&join.left),
        _ => false,
    }
}

/// What a SELECT without FROM yields, in terms of the left side.
#[derive(Default)]
struct Computed {
    columns: Vec<Expr>,
    conditions: Vec<Expr>,
}

struct Graft<'a> {
    left: &'a LogicalPlan,
    /// Rows without items are kept.
    is_outer: bool,
}

impl Graft<'_> {
    /// `plan` over the rows of the left side, with the columns of that before its own; `None` when it has rows of another origin.
    fn onto(&self, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        let input = match plan {
            LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => return Ok(Some(self.left.clone())),
            LogicalPlan::Subquery(subquery) => return self.onto(&subquery.subquery),
            LogicalPlan::Projection(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Unnest(_)
            | LogicalPlan::Join(_) => match plan.inputs().first() {
                Some(input) => self.onto(input)?,
                None => None,
            },
            _ => None,
        };
        let Some(input) = input else { return Ok(None) };
        if let LogicalPlan::Join(join) = plan {
            // `FROM t, unnest(t.list) AS u(item) JOIN …`: the list is the left side of that join.
            let (right, on, filter) = (join.right.clone(), join.on.clone(), join.filter.clone());
            let (kind, constraint) = (join.join_type, join.join_constraint);
            let joined = Join::try_new(Arc::new(input), right, on, filter, kind, constraint, join.null_equality, join.null_aware)?;
            return Ok(Some(LogicalPlan::Join(joined)));
        }
        let builder = LogicalPlanBuilder::from(input);
        let builder = match plan {
            LogicalPlan::Projection(projection) => {
                let own = projection.expr.iter().map(|expr| self.resolved(expr)).collect::<Result<Vec<_>>>()?;
                builder.project(self.columns().chain(own))?
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let own = alias.input.schema().columns().into_iter();
                let own = own.map(|column| Expr::Column(column.clone()).alias_qualified(Some(alias.alias.clone()), column.name));
                builder.project(self.columns().chain(own))?
            }
            LogicalPlan::Filter(filter) => builder.filter(self.resolved(&filter.predicate)?)?,
            LogicalPlan::Unnest(unnest) => {
                let mut options = unnest.options.clone();
                if self.is_outer {
                    options.null_handling = NullHandling::PreserveAndExpandEmpty;
                }
                builder.unnest_columns_with_options(unnest.exec_columns.clone(), options)?
            }
            other => return Err(DataFusionError::Plan(format!("`unnest` in FROM cannot be planned over {}", other.display()))),
        };
        builder.build().map(Some)
    }

    /// The left side with what `plan`, a SELECT without FROM that names columns from outside, computes of its rows; `None` when it is none.
    fn computed(&self, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        let names_outside =
            plan.exists(|plan| Ok(matches!(plan, LogicalPlan::Subquery(subquery) if !subquery.outer_ref_columns.is_empty())))?;
        let Some(Computed { columns, conditions }) = self.compute(plan)?.filter(|_| names_outside) else { return Ok(None) };
        // One that may yield no row would have to keep the left one.
        if self.is_outer && !conditions.is_empty() {
            return Ok(None);
        }
        let mut builder = LogicalPlanBuilder::from(self.left.clone());
        for condition in conditions {
            builder = builder.filter(condition)?;
        }
        let own = plan.schema().iter().zip(columns);
        let own = own.map(|((qualifier, field), expr)| expr.alias_qualified(qualifier.cloned(), field.name()));
        builder.project(self.columns().chain(own))?.build().map(Some)
    }

    fn compute(&self, plan: &LogicalPlan) -> Result<Option<Computed>> {
        let Some(input) = (match plan {
            LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => return Ok(Some(Computed::default())),
            LogicalPlan::Subquery(subquery) => return self.compute(&subquery.subquery),
            LogicalPlan::SubqueryAlias(_) | LogicalPlan::Projection(_) | LogicalPlan::Filter(_) => plan.inputs().first().copied(),
            _ => None,
        }) else {
            return Ok(None);
        };
        let Some(mut computed) = self.compute(input)? else { return Ok(None) };
        let over = |expr: &Expr, columns: &[Expr]| {
            let expr = self.resolved(&expr.clone().unalias())?.transform(|expr| {
                let below = match &expr {
                    Expr::Column(column) => input.schema().maybe_index_of_column(column),
                    _ => None,
                };
                Ok(below.map_or(Transformed::no(expr), |index| Transformed::new(columns[index].clone(), true, TreeNodeRecursion::Jump)))
            });
            expr.map(|expr| expr.data)
        };
        match plan {
            LogicalPlan::Projection(projection) => {
                computed.columns = projection.expr.iter().map(|expr| over(expr, &computed.columns)).collect::<Result<_>>()?;
            }
            LogicalPlan::Filter(filter) => computed.conditions.push(over(&filter.predicate, &computed.columns)?),
            _ => {}
        }
        Ok(Some(computed))
    }

    fn columns(&self) -> impl Iterator<Item = Expr> + use<> {
        self.left.schema().columns().into_iter().map(Expr::Column)
    }

    /// What refers to the left side from inside the subquery, as columns.
    fn resolved(&self, expr: &Expr) -> Result<Expr> {
        let schema = self.left.schema();
        let resolved = expr.clone().transform(|expr| match expr {
            Expr::OuterReferenceColumn(_, column) if schema.has_column(&column) => Ok(Transformed::yes(Expr::Column(column))),
            expr => Ok(Transformed::no(expr)),
        });
        resolved.map(|resolved| resolved.data)
    }
}
