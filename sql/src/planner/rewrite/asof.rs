//! `l ASOF JOIN r MATCH_CONDITION (l.at >= r.at) ON l.k = r.k`: every row of `l` with the row of `r` that was valid at its time, as in
//! Snowflake: a row without one is kept, with nulls.
//!
//! The rows of both sides with equal keys are put in the order of their times; each takes the last right row before it. That is a
//! window function over both, so a change costs what its key has rows.

use crate::error::Position;
use crate::functions::asof;
use datafusion::common::{Column, DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_window::nth_value::last_value_udwf;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprFunctionExt, ExprSchemable, Join, LogicalPlan, LogicalPlanBuilder, Operator, WindowFunctionDefinition, lit,
};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr as SqlExpr, JoinConstraint, JoinOperator, Query, Select, Spanned, TableFactor, TableWithJoins, VisitMut,
    VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::ops::ControlFlow;

/// Place, message and help.
type Problem = (Position, String, String);

const HELP: &str = "write l ASOF JOIN r MATCH_CONDITION (l.at >= r.at) ON l.k = r.k";

/// Makes ASOF joins LEFT joins with a mark in their condition, which the planner can read.
pub(in crate::planner) fn mark_asof(query: &mut Query) -> std::result::Result<(), Problem> {
    match query.visit(&mut Joins) {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Joins;

impl VisitorMut for Joins {
    type Break = Problem;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Problem> {
        select.from.iter_mut().try_for_each(tables)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Problem> {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => tables(table_with_joins),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn tables(tables: &mut TableWithJoins) -> ControlFlow<Problem> {
    for join in &mut tables.joins {
        let JoinOperator::AsOf { match_condition, constraint } = &join.join_operator else { continue };
        match marked(match_condition, constraint) {
            Ok(on) => join.join_operator = JoinOperator::LeftOuter(JoinConstraint::On(on)),
            Err(message) => return ControlFlow::Break((match_condition.span().start.into(), message, HELP.into())),
        }
    }
    ControlFlow::Continue(())
}

fn marked(condition: &SqlExpr, constraint: &JoinConstraint) -> std::result::Result<SqlExpr, String> {
    let SqlExpr::BinaryOp { left, op, right } = condition else {
        return Err("MATCH_CONDITION must compare two times".into());
    };
    if !matches!(op, BinaryOperator::Gt | BinaryOperator::GtEq | BinaryOperator::Lt | BinaryOperator::LtEq) {
        return Err(format!("MATCH_CONDITION compares by >=, >, <= or <, not by {op}"));
    }
    let on = match constraint {
        JoinConstraint::On(on) => format!("({on}) AND "),
        JoinConstraint::None => String::new(),
        _ => return Err("an ASOF JOIN names its keys with ON".into()),
    };
    let text = format!("{on}{}({left}, '{op}', {right})", asof::NAME);
    let dialect = PostgreSqlDialect {};
    Parser::new(&dialect).try_with_sql(&text).and_then(|mut parser| parser.parse_expr()).map_err(|e| e.to_string())
}

/// A join that was marked.
pub(super) fn rewrite(join: &Join) -> Result<Option<LogicalPlan>> {
    let Some(filter) = &join.filter else { return Ok(None) };
    let conditions = split_conjunction(filter);
    let Some([first, operator, second]) = conditions.iter().find_map(|condition| asof::arguments(condition)) else { return Ok(None) };
    let (left, right) = (join.left.as_ref(), join.right.as_ref());
    let Expr::Literal(ScalarValue::Utf8(Some(operator)), _) = operator else { return Ok(None) };
    let (left_time, operator, right_time) = match is_of(first, left.schema()) && is_of(second, right.schema()) {
        true => (first, operator.clone(), second),
        false => (second, operator.replace('<', "!").replace('>', "<").replace('!', ">"), first),
    };
    if !is_of(left_time, left.schema()) || !is_of(right_time, right.schema()) {
        return Err(DataFusionError::Plan("`MATCH_CONDITION` must compare a time of the one side with a time of the other".into()));
    }
    let mut keys: Vec<(Expr, Expr)> = join.on.clone();
    for condition in conditions.into_iter().filter(|condition| asof::arguments(condition).is_none()) {
        keys.push(key(condition, left.schema(), right.schema())?);
    }
    let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) = keys.into_iter().unzip();
    let is_forward = operator.starts_with('<');
    // At equal times the right row comes first, if it is to be found; numbers say which side comes first.
    let left_side = i64::from(operator.ends_with('='));

    let right_row =
        named_struct(right.schema().columns().into_iter().enumerate().flat_map(|(i, c)| [lit(field(i)), Expr::Column(c)]).collect());
    let no_right_row = null(&right_row, right.schema())?;
    let left_columns: Vec<Expr> = left.schema().columns().into_iter().map(Expr::Column).collect();
    let no_left_columns = left_columns.iter().map(|column| null(column, left.schema())).collect::<Result<Vec<_>>>()?;
    let side = |plan: &LogicalPlan, keys: &[Expr], time: &Expr, number: i64, columns: &[Expr], row: Expr| -> Result<LogicalPlan> {
        let keys = keys.iter().enumerate().map(|(i, key)| key.clone().alias(format!("__asof_key{i}")));
        let columns = columns.iter().enumerate().map(|(i, column)| column.clone().alias(format!("__asof_left{i}")));
        let fixed = [time.clone().alias("__asof_time"), lit(number).alias("__asof_side"), row.alias("__asof_row")];
        LogicalPlanBuilder::from(plan.clone()).project(keys.chain(fixed).chain(columns))?.build()
    };
    // What is null equals nothing, and is at no time.
    let known = right_keys.iter().chain([right_time]).map(|expr| expr.clone().is_not_null());
    let right = LogicalPlanBuilder::from(right.clone()).filter(conjunction(known).unwrap_or_else(|| lit(true)))?.build()?;
    let all = LogicalPlanBuilder::from(side(left, &left_keys, left_time, left_side, &left_columns, no_right_row)?).union(side(
        &right,
        &right_keys,
        right_time,
        1 - left_side,
        &no_left_columns,
        right_row,
    )?)?;
    let named = |name: String| Expr::Column(Column::from_name(name));
    let found = Expr::from(WindowFunction::new(WindowFunctionDefinition::WindowUDF(last_value_udwf()), vec![named("__asof_row".into())]))
        .partition_by((0..left_keys.len()).map(|i| named(format!("__asof_key{i}"))).collect())
        // A left row without a time comes before every right row.
        .order_by(vec![named("__asof_time".into()).sort(!is_forward, true), named("__asof_side".into()).sort(true, true)])
        .null_treatment(NullTreatment::IgnoreNulls)
        .build()?
        .alias("__asof_found");
    let plan = all.window(vec![found])?.filter(named("__asof_side".into()).eq(lit(left_side)))?;
    let own = left.schema().iter().enumerate().map(|(i, (qualifier, field))| (named(format!("__asof_left{i}")), qualifier, field));
    let other = join.right.schema().iter().enumerate();
    let other = other.map(|(i, (qualifier, of))| (get_field(named("__asof_found".into()), field(i)), qualifier, of));
    let columns = own.chain(other).map(|(expr, qualifier, field)| expr.alias_qualified(qualifier.cloned(), field.name()));
    plan.project(columns.collect::<Vec<_>>())?.build().map(Some)
}

/// The field of a right row that holds its column `index`.
fn field(index: usize) -> String {
    format!("c{index}")
}

fn is_of(expr: &Expr, schema: &DFSchema) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty() && columns.into_iter().all(|column| schema.has_column(column))
}

/// The sides of `left.a = right.b`.
fn key(condition: &Expr, left: &DFSchema, right: &DFSchema) -> Result<(Expr, Expr)> {
    if let Expr::BinaryExpr(BinaryExpr { left: a, op: Operator::Eq, right: b }) = condition {
        if is_of(a, left) && is_of(b, right) {
            return Ok((a.as_ref().clone(), b.as_ref().clone()));
        }
        if is_of(b, left) && is_of(a, right) {
            return Ok((b.as_ref().clone(), a.as_ref().clone()));
        }
    }
    Err(DataFusionError::Plan("`ON` of an ASOF JOIN may only say which columns of the sides are equal, joined by AND".into()))
}

/// A null of the type of `expr`.
fn null(expr: &Expr, schema: &DFSchema) -> Result<Expr> {
    Ok(Expr::Literal(ScalarValue::try_from(&expr.get_type(schema)?)?, None))
}
