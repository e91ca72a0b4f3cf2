//! GROUP BY: each part of the aggregates is maintained on its own; the results of a group are then put side by side.

use super::close::{Bound, is_open};
use super::relation::{Relation, RowMap, Source};
use super::{Builder, group, linear};
use crate::codec::{Codec, Encoding, NULL};
use crate::column;
use crate::panics;
use crate::plan::{GroupFn, Node, NodeId, Part};
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::{Error, Term};
use arrow::array::{ArrayRef, new_null_array};
use dbsp::{RootCircuit, Stream};
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn aggregate(
        &mut self,
        node: &Node,
        input: NodeId,
        group: &[Term],
        parts: &[Part],
        closing: bool,
    ) -> Result<Relation, Error> {
        let mut encodings = column::encodings(group);
        let closed = if closing { Some(self.closed()?) } else { None };
        let mut result: Option<RowMap> = None;
        for (index, part) in parts.iter().enumerate() {
            let id = format!("{}-part{index}", node.id);
            let next = self.part(input, group, part, &id, closed.as_ref())?;
            forget(&next, closed.as_ref());
            encodings.extend(part_encodings(part));
            result = Some(match result {
                None => next,
                // Every part has every group, so an inner join loses none.
                Some(before) => {
                    let both = before.join_index(&next, |key, a, b| Some((key.clone(), Row::concat(&[a.bytes(), b.bytes()]))));
                    both.set_persistent_id(Some(&format!("{id}-both")));
                    both
                }
            });
        }
        let source = match result {
            Some(map) => Source::Map(map),
            // Grouping without aggregates is the distinct groups.
            None => {
                let groups = self.group_index(input, group, &[], closed.as_ref())?;
                let distinct = groups.distinct();
                distinct.set_persistent_id(Some(&node.id));
                Source::Map(distinct)
            }
        };
        Ok(Relation::held(source, encodings, node.schema.clone(), self.errors.clone()))
    }

    /// An index by group, of open groups alone when some are closed.
    fn group_index(&mut self, input: NodeId, group: &[Term], value: &[Term], closed: Option<&Closed>) -> Result<RowMap, Error> {
        let is_new = !self.indexes.contains_key(&self.index_id(input, group, value, false));
        let index = self.index(input, group, value, false)?;
        if is_new {
            forget(&index, closed);
        }
        Ok(index)
    }

    fn part(&mut self, input: NodeId, group: &[Term], part: &Part, id: &str, closed: Option<&Closed>) -> Result<RowMap, Error> {
        match part {
            Part::Linear(items) => linear::build(self.relation(input), group, items, id, closed),
            Part::CountDistinct(term) => {
                let values = self.group_index(input, group, std::slice::from_ref(term), closed)?;
                let distinct = values.distinct();
                distinct.set_persistent_id(Some(&format!("{id}-distinct")));
                Ok(linear::count_if(&distinct, |value| value.bytes() != [NULL], self.errors.clone(), id, closed))
            }
            Part::First(term) => {
                let values = self.group_index(input, group, std::slice::from_ref(term), closed)?;
                Ok(group::apply(&values, id, |visit_all| {
                    let mut first = Row::default();
                    visit_all(&mut |bytes, _| {
                        first = Row::new(bytes);
                        false
                    });
                    first
                }))
            }
            Part::Rows { order, value, function } => {
                let terms = [&order[..], &value[..]].concat();
                let map = self.group_index(input, group, &terms, closed)?;
                rows(&map, &terms, function, self.errors.clone(), id)
            }
        }
    }
}

/// The time up to which groups were given out.
pub(super) type Closed = Stream<RootCircuit, Bound>;

/// Keeps nothing of closed groups.
fn forget(map: &RowMap, closed: Option<&Closed>) {
    if let Some(closed) = closed {
        map.accumulate_integrate_trace_retain_keys(closed, is_open);
    }
}

/// The columns of a part's result.
fn part_encodings(part: &Part) -> Vec<Encoding> {
    match part {
        Part::Linear(items) => items.iter().map(|item| Encoding::compact(item.output_type())).collect(),
        Part::CountDistinct(_) => vec![Encoding::compact(arrow::datatypes::DataType::Int64)],
        Part::First(term) => vec![term.encoding()],
        Part::Rows { function, .. } => function.output_types().into_iter().map(Encoding::compact).collect(),
    }
}

/// `function` of the rows of each group of `map`, whose values are `terms`.
fn rows(map: &RowMap, terms: &[Term], function: &Arc<dyn GroupFn>, errors: RowErrors, id: &str) -> Result<RowMap, Error> {
    let decoder = Codec::new(column::encodings(terms))?;
    let outputs: Vec<_> = function.output_types();
    let encoder = Codec::new(outputs.iter().cloned().map(Encoding::compact).collect())?;
    let function = function.clone();
    Ok(group::apply(map, id, move |visit_all| {
        let columns = decoder.decode(group::Copied::new(visit_all).rows());
        let result = columns.and_then(|columns| evaluate(function.as_ref(), &columns, &errors, &outputs));
        // Only broken storage makes decoding fail; dbsp reports the panic as a failed step.
        let rows = result.and_then(|outputs| encoder.encode(&outputs)).unwrap_or_else(|e| panic!("stored rows cannot be read: {e}"));
        Row::new(rows.get(0))
    }))
}

/// The function's outputs; nulls, and a count, when it refuses the group.
fn evaluate(
    function: &dyn GroupFn,
    columns: &[ArrayRef],
    errors: &RowErrors,
    outputs: &[arrow::datatypes::DataType],
) -> Result<Vec<ArrayRef>, String> {
    let message = match panics::catch(|| function.evaluate(columns)) {
        Ok(result) => return Ok(result),
        Err(message) => message,
    };
    errors.add(&message, 1);
    Ok(outputs.iter().map(|data_type| new_null_array(data_type, 1)).collect())
}
