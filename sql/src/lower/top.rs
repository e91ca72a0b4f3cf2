//! Numbered rows: row_number, rank and dense_rank, ORDER BY … LIMIT.

use super::{Lowered, Lowering, Unsupported, column_term, helper, is_helper, schema_of};
use crate::table::nullable;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field};
use chimera_operators::{Numbering, Operator, Term};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, FetchType, Limit, LogicalPlan, Operator as Comparison, Projection, SkipType, SubqueryAlias,
};
use std::collections::HashSet;

impl Lowering<'_> {
    /// A window of numbering functions only. With one, `predicate` may say how many rows of a partition are wanted.
    pub(super) fn numbered(
        &mut self,
        input: Lowered,
        calls: &[&WindowFunction],
        numberings: &[Numbering],
        own: &[Column],
        predicate: Option<&Expr>,
    ) -> Result<Lowered, Unsupported> {
        let mut lowered = input;
        for ((call, numbering), column) in calls.iter().zip(numberings).zip(own) {
            // With two numberings, the second must number all rows.
            let limit = if own.len() == 1 { predicate.and_then(|predicate| limit(predicate, column)) } else { None };
            let number = (column.relation.clone(), Field::new(column.name(), DataType::UInt64, true));
            let params = &call.params;
            lowered = self.top(lowered, &params.partition_by, &params.order_by, *numbering, 0, limit, Some(number))?;
        }
        Ok(lowered)
    }

    pub(super) fn limit(&mut self, limit: &Limit) -> Result<Lowered, Unsupported> {
        let failed = |e: datafusion::error::DataFusionError| Unsupported::new(e.strip_backtrace()).at("limit");
        let constant = || Unsupported::new("LIMIT and OFFSET must be numbers").at("limit");
        let SkipType::Literal(skip) = limit.get_skip_type().map_err(failed)? else { return Err(constant()) };
        let FetchType::Literal(fetch) = limit.get_fetch_type().map_err(failed)? else { return Err(constant()) };
        let (skip, fetch) = (skip as u64, fetch.map(|fetch| fetch as u64));
        match limit.input.as_ref() {
            LogicalPlan::Sort(sort) => {
                let inner = sort.fetch.map(|inner| (inner as u64).saturating_sub(skip));
                let fetch = [fetch, inner].into_iter().flatten().min();
                self.first_rows(&sort.input, &sort.expr, skip, fetch)
            }
            // A projection keeps the order of what it reads, which may be by columns that it drops.
            LogicalPlan::Projection(Projection { input, .. }) | LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. })
                if is_sorted(input) =>
            {
                let first = LogicalPlan::Limit(Limit { input: input.clone(), ..limit.clone() });
                let above = limit.input.with_new_exprs(limit.input.expressions(), vec![first]).map_err(failed)?;
                self.exactly(&above)
            }
            // Without an order the smallest rows are taken: always the same ones.
            _ => self.first_rows(&limit.input, &[], skip, fetch),
        }
    }

    pub(super) fn first_rows(
        &mut self,
        input: &LogicalPlan,
        order: &[Sort],
        skip: u64,
        fetch: Option<u64>,
    ) -> Result<Lowered, Unsupported> {
        let lowered = self.exactly(input)?;
        let top = self.top(lowered, &[], order, Numbering::RowNumber, skip, fetch, None)?;
        self.arrange(top, input.schema())
    }

    #[allow(clippy::too_many_arguments, reason = "each is a clause of the window")]
    fn top(
        &mut self,
        input: Lowered,
        partition_by: &[Expr],
        order_by: &[Sort],
        numbering: Numbering,
        skip: u64,
        limit: Option<u64>,
        number: Option<(Option<datafusion::common::TableReference>, Field)>,
    ) -> Result<Lowered, Unsupported> {
        let mut fields = vec![];
        // Columns that the partition or the order hold already.
        let mut held = HashSet::new();
        let mut name = |expr: &Expr, term: &Term, role: &str, place: usize| {
            let index = match expr {
                Expr::Column(column) => input.schema.maybe_index_of_column(column).filter(|index| held.insert(*index)),
                _ => None,
            };
            fields.push(match index {
                Some(index) => {
                    let (qualifier, field) = input.schema.qualified_field(index);
                    (qualifier.cloned(), field.as_ref().clone().with_nullable(true))
                }
                None => helper(role, place, term.data_type.clone()),
            });
        };
        let mut partition = vec![];
        for (index, expr) in partition_by.iter().enumerate() {
            let term = self.term(expr, &input.schema)?;
            name(expr, &term, "partition", index);
            partition.push(term);
        }
        let mut order = vec![];
        for (index, sort) in order_by.iter().enumerate() {
            let options = SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first };
            let term = self.term(&sort.expr, &input.schema)?.ordered(options);
            name(&sort.expr, &term, "order", index);
            order.push(term);
        }
        let mut value = vec![];
        let columns = input.schema.columns();
        for index in (0..columns.len()).filter(|index| !held.contains(index) && !is_helper(&columns[*index])) {
            let (qualifier, field) = input.schema.qualified_field(index);
            fields.push((qualifier.cloned(), field.as_ref().clone().with_nullable(true)));
            value.push(column_term(&input.schema, index));
        }
        fields.push(number.unwrap_or_else(|| helper("number", 0, DataType::UInt64)));
        let schema = schema_of(fields.into_iter())?;
        let operator = Operator::Top { input: input.node, partition, order, value, numbering, skip, limit };
        let node = self.plan.add(operator, nullable(schema.as_arrow()));
        Ok(Lowered { node, schema })
    }
}

/// Are the rows in an order that the query asks for?
fn is_sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_sorted(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_sorted(&alias.input),
        _ => false,
    }
}

/// How a function numbers rows, if that is what it does.
pub(super) fn numbering(call: &WindowFunction) -> Option<Numbering> {
    match call.fun.name() {
        "row_number" => Some(Numbering::RowNumber),
        "rank" => Some(Numbering::Rank),
        "dense_rank" => Some(Numbering::DenseRank),
        _ => None,
    }
}

/// The largest number that `predicate` lets through, if it says one.
fn limit(predicate: &Expr, number: &Column) -> Option<u64> {
    let bounds = split_conjunction(predicate).into_iter().filter_map(|condition| match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (is(left, number), is(right, number)) {
            (true, _) => bound(*op, value(right)?),
            (_, true) => bound(op.swap()?, value(left)?),
            _ => None,
        },
        Expr::Between(between) if !between.negated && is(&between.expr, number) => value(&between.high),
        _ => None,
    });
    bounds.min()
}

fn bound(op: Comparison, value: u64) -> Option<u64> {
    match op {
        Comparison::LtEq | Comparison::Eq => Some(value),
        Comparison::Lt => Some(value.saturating_sub(1)),
        _ => None,
    }
}

fn is(expr: &Expr, column: &Column) -> bool {
    matches!(expr, Expr::Column(found) if found == column)
}

fn value(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Literal(value, _) => match value.cast_to(&DataType::UInt64).ok()? {
            ScalarValue::UInt64(value) => value,
            _ => None,
        },
        Expr::Cast(cast) => value(&cast.expr),
        _ => None,
    }
}
