//! GROUP BY.

use super::group_fn::{GroupAggregates, Member};
use super::{Lowered, Lowering, Unsupported, schema_of, with};
use crate::table::nullable;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chimera_operators::{Linear, Operator, Part, Term};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, Sort};
use datafusion::logical_expr::{Aggregate, Expr};
use std::collections::HashSet;
use std::sync::Arc;

/// Nulls last, whatever the direction: an aggregate over values sees them only when there is nothing else.
const SMALLEST: SortOptions = SortOptions { descending: false, nulls_first: false };
const LARGEST: SortOptions = SortOptions { descending: true, nulls_first: false };

/// How an aggregate is maintained.
enum Kind {
    Linear(Linear),
    CountDistinct(Term),
    First(Term),
    Rows,
}

/// Aggregates that need the rows of a group, in one order.
struct Ordered<'e> {
    order: &'e [Sort],
    members: Vec<usize>,
}

impl Lowering<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Lowered, Unsupported> {
        let needed = with(&Some(HashSet::new()), aggregate.group_expr.iter().chain(&aggregate.aggr_expr));
        let input = self.lower(&aggregate.input, &needed)?;
        let calls = aggregate.aggr_expr.iter().map(call).collect::<Result<Vec<_>, _>>()?;
        let mut kinds = calls.iter().map(|call| self.kind(call, &input.schema)).collect::<Result<Vec<_>, _>>()?;
        if kinds.iter().any(|kind| matches!(kind, Kind::Rows)) {
            // The rows are kept anyway.
            kinds.iter_mut().filter(|kind| matches!(kind, Kind::First(_) | Kind::CountDistinct(_))).for_each(|kind| *kind = Kind::Rows);
        }
        // Columns in the order of the parts; `positions` says which aggregate each is.
        let (mut parts, mut positions) = (vec![], vec![]);
        let mut linear = vec![];
        for (index, kind) in kinds.iter().enumerate() {
            if let Kind::Linear(item) = kind {
                linear.push(item.clone());
                positions.push(index);
            }
        }
        if !linear.is_empty() {
            parts.push(Part::Linear(linear));
        }
        for (index, kind) in kinds.iter().enumerate() {
            match kind {
                Kind::CountDistinct(term) => parts.push(Part::CountDistinct(term.clone())),
                Kind::First(term) => parts.push(Part::First(term.clone())),
                Kind::Linear(_) | Kind::Rows => continue,
            }
            positions.push(index);
        }
        for ordered in by_order(&calls, &kinds) {
            let members = ordered.members.iter().map(|index| calls[*index]).collect::<Vec<_>>();
            parts.push(self.rows_part(ordered.order, &members, &input.schema)?);
            positions.extend(&ordered.members);
        }
        match &aggregate.group_expr[..] {
            [Expr::GroupingSet(sets)] => self.grouping_sets(aggregate, &input, sets, &parts, &positions),
            exprs => {
                let group = exprs.iter().map(|expr| self.term(expr, &input.schema)).collect::<Result<Vec<_>, _>>()?;
                let places: Vec<usize> = (0..exprs.len()).chain(positions.iter().map(|position| exprs.len() + position)).collect();
                self.finish_aggregate(aggregate, &input, group, parts, &places)
            }
        }
    }

    /// `places` says which columns of the aggregate the group and the outputs of the parts are.
    pub(super) fn finish_aggregate(
        &mut self,
        aggregate: &Aggregate,
        input: &Lowered,
        group: Vec<Term>,
        parts: Vec<Part>,
        places: &[usize],
    ) -> Result<Lowered, Unsupported> {
        let types = group.iter().map(|term| term.data_type.clone()).chain(parts.iter().flat_map(part_types));
        let fields = places.iter().zip(types).map(|(place, data_type)| {
            let (qualifier, field) = aggregate.schema.qualified_field(*place);
            (qualifier.cloned(), Field::new(field.name(), data_type, true))
        });
        let schema = schema_of(fields)?;
        let arrow = nullable(schema.as_arrow());
        if group.is_empty() && parts.is_empty() {
            return self.constant(&arrow, vec![], 1, &schema);
        }
        let default = if group.is_empty() { Some(empty_group(&arrow, &parts)?) } else { None };
        let mut node = match self.awaited(aggregate) {
            Some(window) => self.closing_groups(window, input, group, parts, &arrow)?,
            None => self.plan.add(Operator::Aggregate { input: input.node, group, parts, closes: None }, arrow.clone()),
        };
        // Without GROUP BY there is one row, whatever the input.
        if let Some(default) = default {
            node = self.plan.add(Operator::OrElse { input: node, default }, arrow);
        }
        Ok(Lowered { node, schema })
    }

    fn kind(&self, call: &AggregateFunction, schema: &DFSchema) -> Result<Kind, Unsupported> {
        let params = &call.params;
        let filter = params.filter.as_deref();
        let [arg] = &params.args[..] else { return Ok(Kind::Rows) };
        let kind = match (call.func.name(), params.distinct) {
            ("count", false) => match (arg, filter) {
                (Expr::Literal(value, _), None) if !value.is_null() => Kind::Linear(Linear::Count),
                (Expr::Literal(value, _), Some(filter)) if !value.is_null() => {
                    Kind::Linear(Linear::CountValues(self.one_where(filter, schema)?))
                }
                _ => Kind::Linear(Linear::CountValues(self.filtered_term(arg, filter, schema)?)),
            },
            ("count", true) => Kind::CountDistinct(self.filtered_term(arg, filter, schema)?),
            ("min", _) => Kind::First(self.filtered_term(arg, filter, schema)?.ordered(SMALLEST)),
            ("max", _) => Kind::First(self.filtered_term(arg, filter, schema)?.ordered(LARGEST)),
            ("sum", false) => {
                let term = self.filtered_term(arg, filter, schema)?;
                match sum_type(&term.data_type) {
                    Some(output) => Kind::Linear(Linear::Sum { term, output }),
                    None => Kind::Rows,
                }
            }
            ("avg", false) => {
                // The average of integers is taken of doubles, which would not add up exactly: the integers do.
                let arg = match arg {
                    Expr::Cast(cast) if cast.field.data_type() == &DataType::Float64 => &cast.expr,
                    _ => arg,
                };
                let term = self.filtered_term(arg, filter, schema)?;
                match average_type(&term.data_type) {
                    Some(output) => Kind::Linear(Linear::Average { term, output }),
                    None => Kind::Rows,
                }
            }
            _ => Kind::Rows,
        };
        Ok(kind)
    }

    /// The aggregates `calls`, computed from all rows of a group in `order`.
    fn rows_part(&self, order: &[Sort], calls: &[&AggregateFunction], schema: &DFSchema) -> Result<Part, Unsupported> {
        let mut order_terms = vec![];
        for sort in order {
            let options = SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first };
            order_terms.push(self.term(&sort.expr, schema)?.ordered(options));
        }
        let mut value = vec![];
        let mut members = vec![];
        for call in calls {
            let first = order_terms.len() + value.len();
            for arg in &call.params.args {
                // Without ORDER BY an aggregate sees its values in their own order.
                value.push(self.term(arg, schema)?.ordered(SortOptions::default()));
            }
            let last = order_terms.len() + value.len();
            let filter = match &call.params.filter {
                Some(filter) => {
                    value.push(self.term(filter, schema)?);
                    Some(last)
                }
                None => None,
            };
            let args: Vec<_> = (first..last).map(|index| value[index - order_terms.len()].data_type.clone()).collect();
            members.push(Member::new(call, first..last, &args, filter)?);
        }
        Ok(Part::Rows { order: order_terms, value, function: Arc::new(GroupAggregates::new(members)) })
    }
}

fn call(expr: &Expr) -> Result<&AggregateFunction, Unsupported> {
    match expr {
        Expr::Alias(alias) => call(&alias.expr),
        Expr::AggregateFunction(call) => Ok(call),
        other => Err(Unsupported::new(format!("`{other}` is not an aggregate"))),
    }
}

/// Groups the aggregates that need rows by the order they need them in.
fn by_order<'e>(calls: &[&'e AggregateFunction], kinds: &[Kind]) -> Vec<Ordered<'e>> {
    let mut groups: Vec<Ordered<'e>> = vec![];
    for (index, call) in calls.iter().enumerate().filter(|(index, _)| matches!(kinds[*index], Kind::Rows)) {
        let order = &call.params.order_by[..];
        match groups.iter_mut().find(|group| group.order == order) {
            Some(group) => group.members.push(index),
            None => groups.push(Ordered { order, members: vec![index] }),
        }
    }
    groups
}

/// The type of a sum that is kept as an exact total.
fn sum_type(data_type: &DataType) -> Option<DataType> {
    use DataType::*;
    match data_type {
        Int8 | Int16 | Int32 | Int64 => Some(Int64),
        Decimal128(precision, scale) => Some(Decimal128((precision + 10).min(38), *scale)),
        _ => None,
    }
}

fn average_type(data_type: &DataType) -> Option<DataType> {
    use DataType::*;
    match data_type {
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => Some(Float64),
        Decimal128(precision, scale) => Some(Decimal128((precision + 4).min(38), (scale + 4).min(38))),
        _ => None,
    }
}

fn part_types(part: &Part) -> Vec<DataType> {
    match part {
        Part::Linear(items) => items.iter().map(Linear::output_type).collect(),
        Part::CountDistinct(_) => vec![DataType::Int64],
        Part::First(term) => vec![term.data_type.clone()],
        Part::Rows { function, .. } => function.output_types(),
    }
}

/// The one row of aggregates over nothing.
fn empty_group(arrow: &SchemaRef, parts: &[Part]) -> Result<arrow::array::RecordBatch, Unsupported> {
    let failed = |message: String| Unsupported::new(format!("an aggregate over no rows failed: {message}"));
    let mut columns = vec![];
    for part in parts {
        let zero = || ScalarValue::Int64(Some(0)).to_array_of_size(1).map_err(|e| failed(e.to_string()));
        match part {
            Part::Linear(items) => {
                for item in items {
                    columns.push(match item {
                        Linear::Count | Linear::CountValues(_) => zero()?,
                        _ => arrow::array::new_null_array(&item.output_type(), 1),
                    });
                }
            }
            Part::CountDistinct(_) => columns.push(zero()?),
            Part::First(term) => columns.push(arrow::array::new_null_array(&term.data_type, 1)),
            Part::Rows { order, value, function } => {
                let empty = order.iter().chain(value).map(|term| arrow::array::new_empty_array(&term.data_type));
                columns.extend(function.evaluate(&empty.collect::<Vec<_>>()).map_err(failed)?);
            }
        }
    }
    arrow::array::RecordBatch::try_new(arrow.clone(), columns).map_err(|e| failed(e.to_string()))
}

/// Columns named by position, for aggregates that are computed apart from any query.
pub(super) fn numbered_schema(types: &[DataType]) -> SchemaRef {
    let fields = types.iter().enumerate().map(|(index, data_type)| Field::new(format!("c{index}"), data_type.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
