//! `IN (SELECT …)` and `EXISTS` as values.
//!
//! As whole conditions joined by AND, IN and EXISTS are semi and anti joins, which DataFusion plans well. Elsewhere (below NOT or
//! CASE, in a list of SELECT) `x IN (SELECT y …)` is null, not false, when a null might have been equal. DataFusion takes it for false
//! there, and its NOT IN loses nulls when `x` turns out to be a constant; so these are put in terms of EXISTS, which is never null.
//! In SELECT, EXISTS is put in terms of a count.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema, Result, ScalarValue};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, exists, lit, scalar_subquery, when};
use std::sync::Arc;

pub(super) fn rewrite(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !has_predicate_subquery(&plan)? {
        return Ok(Transformed::no(plan));
    }
    match plan {
        LogicalPlan::Filter(mut filter) => {
            let schema = filter.input.schema().clone();
            filter.predicate = condition(filter.predicate, &schema, true)?;
            Ok(Transformed::yes(LogicalPlan::Filter(filter)))
        }
        LogicalPlan::Projection(projection) => {
            let schema = projection.input.schema().clone();
            let exprs = projection.expr.into_iter().map(|expr| {
                let name = expr.qualified_name();
                let value = counted(without_in(expr.unalias(), &schema)?)?;
                Ok(value.alias_qualified(name.0, name.1))
            });
            let exprs = exprs.collect::<Result<Vec<_>>>()?;
            LogicalPlanBuilder::from(projection.input.as_ref().clone()).project(exprs)?.build().map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    }
}

/// A condition, or a part of one (`is_whole`: together with others by AND). Below nothing but AND and OR null is as good as false.
fn condition(expr: Expr, schema: &DFSchema, is_whole: bool) -> Result<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let is_whole = is_whole && op == Operator::And;
            let sides = (condition(*left, schema, is_whole)?, condition(*right, schema, is_whole)?);
            Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(sides.0), op, Box::new(sides.1))))
        }
        Expr::Not(inner) => match *inner {
            Expr::InSubquery(inner) => condition(Expr::InSubquery(InSubquery { negated: !inner.negated, ..inner }), schema, is_whole),
            Expr::Exists(inner) => Ok(Expr::Exists(Exists { negated: !inner.negated, ..inner })),
            inner => without_in(Expr::Not(Box::new(inner)), schema),
        },
        Expr::InSubquery(membership) if !membership.negated => named(membership).map(Expr::InSubquery),
        Expr::InSubquery(membership) if is_whole => {
            let Presence { is_equal, is_null, any, value } = Presence::new(membership, schema)?;
            Ok(negated(is_equal).and(negated(is_null)).and(value.is_not_null().or(negated(any))))
        }
        expr => without_in(expr, schema),
    }
}

/// The subquery's column under a name of its own: what its conditions compare with the outside is put beside it, and DataFusion gives
/// a column the same name as a cast of it.
fn named(membership: InSubquery) -> Result<InSubquery> {
    let LogicalPlan::Projection(projection) = membership.subquery.subquery.as_ref() else { return Ok(membership) };
    let [item] = &projection.expr[..] else { return Ok(membership) };
    let items = LogicalPlanBuilder::from(projection.input.as_ref().clone()).project([item.clone().unalias().alias("__item")])?.build()?;
    let subquery = Subquery { subquery: Arc::new(items), ..membership.subquery };
    Ok(InSubquery { subquery, ..membership })
}

fn has_predicate_subquery(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_expressions(|expr| {
        expr.apply(|expr| {
            found |= matches!(expr, Expr::InSubquery(_) | Expr::Exists(_));
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

/// `expr` with every IN (SELECT …) in terms of EXISTS. `schema` is that of the columns it is over.
fn without_in(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let rewritten = expr.transform_up(|expr| match expr {
        Expr::InSubquery(membership) => three_valued(membership, schema).map(Transformed::yes),
        expr => Ok(Transformed::no(expr)),
    });
    rewritten.map(|rewritten| rewritten.data)
}

/// True when an item equals the value; else null when an item or the value is null (and there is an item); else false.
fn three_valued(membership: InSubquery, schema: &DFSchema) -> Result<Expr> {
    let is_negated = membership.negated;
    let Presence { is_equal, is_null, any, value } = Presence::new(membership, schema)?;
    let is_unknown = is_null.or(value.is_null().and(any));
    let found = when(is_equal, lit(true)).when(is_unknown, lit(ScalarValue::Boolean(None))).otherwise(lit(false))?;
    Ok(if is_negated { !found } else { found })
}

/// What `value IN (SELECT item …)` depends on: is there an item that is equal to the value, one that is null, any at all?
struct Presence {
    is_equal: Expr,
    is_null: Expr,
    any: Expr,
    value: Expr,
}

impl Presence {
    /// `schema` is that of the columns that the value is over.
    fn new(membership: InSubquery, schema: &DFSchema) -> Result<Self> {
        let membership = named(membership)?;
        let items = membership.subquery.subquery.as_ref().clone();
        let item = Expr::Column(Column::from(items.schema().qualified_field(0)));
        let value = *membership.expr;
        let outer = value.clone().transform(|expr| match expr {
            Expr::Column(column) => {
                let field = schema.field_from_column(&column)?.clone();
                Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
            }
            expr => Ok(Transformed::no(expr)),
        })?;
        let exist = |condition: Option<Expr>| -> Result<Expr> {
            let items = LogicalPlanBuilder::from(items.clone());
            let items = match condition {
                Some(condition) => items.filter(condition)?,
                None => items,
            };
            Ok(exists(Arc::new(items.build()?)))
        };
        let (is_equal, is_null) = (exist(Some(item.clone().eq(outer.data)))?, exist(Some(item.is_null()))?);
        Ok(Presence { is_equal, is_null, any: exist(None)?, value })
    }
}

/// NOT EXISTS for EXISTS.
fn negated(expr: Expr) -> Expr {
    match expr {
        Expr::Exists(exists) => Expr::Exists(Exists { negated: !exists.negated, ..exists }),
        expr => !expr,
    }
}

/// `expr` with every EXISTS as a count that is above zero.
fn counted(expr: Expr) -> Result<Expr> {
    let rewritten = expr.transform_up(|expr| match expr {
        Expr::Exists(Exists { subquery: Subquery { subquery, .. }, negated }) => {
            let rows = LogicalPlanBuilder::from(subquery.as_ref().clone());
            let rows = rows.aggregate(Vec::<Expr>::new(), vec![count(lit(1i64)).alias("rows")])?;
            let rows = scalar_subquery(Arc::new(rows.build()?));
            Ok(Transformed::yes(if negated { rows.eq(lit(0i64)) } else { rows.gt(lit(0i64)) }))
        }
        expr => Ok(Transformed::no(expr)),
    });
    rewritten.map(|rewritten| rewritten.data)
}
