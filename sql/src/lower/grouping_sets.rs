//! GROUPING SETS, ROLLUP and CUBE: an aggregate for each set, and the rows of all of them.

use super::{Lowered, Lowering, Unsupported, column_term, find, schema_of};
use crate::table::nullable;
use arrow::datatypes::DataType;
use chimera_operators::{Operator, Part, Stage, Term};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet};
use std::collections::HashMap;

impl Lowering<'_> {
    pub(super) fn grouping_sets(
        &mut self,
        aggregate: &Aggregate,
        input: &Lowered,
        sets: &GroupingSet,
        parts: &[Part],
        positions: &[usize],
    ) -> Result<Lowered, Unsupported> {
        let columns: Vec<&Expr> = sets.distinct_expr();
        // Then comes the number that says which set a row is of, then the aggregates.
        let id = columns.len();
        let mut seen: HashMap<u64, u64> = HashMap::new();
        let (mut inputs, mut result): (Vec<_>, Option<DFSchema>) = (vec![], None);
        for set in expanded(sets) {
            let mut held: Vec<usize> = vec![];
            for expr in &set {
                let place = columns.iter().position(|column| *column == expr);
                held.extend(place.filter(|place| !held.contains(place)));
            }
            let group = held.iter().map(|place| self.term(columns[*place], &input.schema)).collect::<Result<Vec<_>, _>>()?;
            let places: Vec<usize> = held.iter().copied().chain(positions.iter().map(|position| id + 1 + position)).collect();
            let lowered = self.finish_aggregate(aggregate, input, group, parts.to_vec(), &places)?;
            // The leftmost column is the highest bit; a set that comes again is counted above the columns.
            let mask = (0..id).filter(|place| !held.contains(place)).fold(0u64, |mask, place| mask | 1 << (id - 1 - place));
            let times = seen.entry(mask).or_default();
            let number = mask | *times << id;
            *times += 1;
            let (terms, schema) = self.padded(aggregate, &lowered, id, number)?;
            let arrow = nullable(schema.as_arrow());
            inputs.push(self.map(lowered.node, vec![Stage::Project { terms, schema: arrow.clone() }], arrow));
            result = Some(schema);
        }
        let Some(schema) = result else { return Err(Unsupported::new("GROUP BY has no grouping set").at("group")) };
        let node = self.plan.add(Operator::Union { inputs }, nullable(schema.as_arrow()));
        Ok(Lowered { node, schema })
    }

    /// All columns of the aggregate, of which `lowered` has the ones of its set.
    fn padded(&self, aggregate: &Aggregate, lowered: &Lowered, id: usize, number: u64) -> Result<(Vec<Term>, DFSchema), Unsupported> {
        let (mut terms, mut fields) = (vec![], vec![]);
        for (index, column) in aggregate.schema.columns().iter().enumerate() {
            let (qualifier, field) = aggregate.schema.qualified_field(index);
            let is_held = index > id || lowered.schema.maybe_index_of_column(column).is_some();
            let term = if index == id {
                self.constant_term(&ScalarValue::UInt64(Some(number)), field.data_type())?
            } else if is_held {
                column_term(&lowered.schema, find(&lowered.schema, &Column::from((qualifier, field)))?)
            } else {
                self.constant_term(&ScalarValue::Null, field.data_type())?
            };
            fields.push((qualifier.cloned(), field.as_ref().clone().with_data_type(term.data_type.clone()).with_nullable(true)));
            terms.push(term);
        }
        Ok((terms, schema_of(fields.into_iter())?))
    }

    fn constant_term(&self, value: &ScalarValue, data_type: &DataType) -> Result<Term, Unsupported> {
        let value = value.cast_to(data_type).map_err(|e| Unsupported::new(e.strip_backtrace()))?;
        self.term(&Expr::Literal(value, None), &DFSchema::empty())
    }
}

fn expanded(sets: &GroupingSet) -> Vec<Vec<Expr>> {
    match sets {
        GroupingSet::GroupingSets(sets) => sets.clone(),
        GroupingSet::Rollup(exprs) => (0..=exprs.len()).rev().map(|length| exprs[..length].to_vec()).collect(),
        GroupingSet::Cube(exprs) => {
            let chosen = |subset: u64| exprs.iter().enumerate().filter(move |(i, _)| subset & (1 << i) != 0).map(|(_, e)| e.clone());
            (0..1u64 << exprs.len()).rev().map(|subset| chosen(subset).collect()).collect()
        }
    }
}
