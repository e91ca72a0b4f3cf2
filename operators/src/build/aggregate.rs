//! GROUP BY: what can be added up is kept in a table of the groups; what needs a group's rows is maintained on its own, and its results are
//! put beside the others.

use super::close::{Closed, Closing, is_open};
use super::groups::{Batch, Feed, Groups, Layout, Piece};
use super::linear::{Slot, Values};
use super::relation::{Encoder, Relation, RowMap, Source};
use super::ttl::Idle;
use super::{Builder, group};
use crate::codec::{Codec, Encoding};
use crate::column;
use crate::panics;
use crate::plan::{GroupFn, Linear, Node, NodeId, Part};
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::{Error, Term};
use arrow::array::{ArrayRef, new_null_array};
use dbsp::operator::apply_n;
use dbsp::{Circuit, RootCircuit, Stream};
use std::borrow::Cow;
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn aggregate(
        &mut self,
        node: &Node,
        input: NodeId,
        group: &[Term],
        parts: &[Part],
        closes: Option<&Term>,
    ) -> Result<Relation, Error> {
        let mut encodings = column::encodings(group);
        encodings.extend(parts.iter().flat_map(part_encodings));
        // Groups that close are told apart by when they do, and are found by it.
        let group: Vec<Term> = closes.into_iter().chain(group).cloned().collect();
        let group = &group[..];
        let closed = if closes.is_some() { Some(self.closed()?) } else { None };
        // What keeps a group's rows in order needs no table of the groups beside them.
        if let ([part], None) = (parts, closes)
            && let Some(map) = self.kept(input, group, part, &format!("{}-part0", node.id), None)?
        {
            return Ok(Relation::held(Source::Map(map), encodings, node.schema.clone(), self.errors.clone()));
        }
        let mut layout = Layout { pieces: vec![], words: 1, held: 0, different: vec![], first: vec![] };
        let (mut linear, mut different, mut first, mut feeds) = (vec![], vec![], vec![], vec![]);
        for (index, part) in parts.iter().enumerate() {
            layout.pieces.push(match part {
                Part::Linear(items) => {
                    linear.extend_from_slice(items);
                    Piece::Totals(items.iter().map(|item| Slot::new(item, &mut layout.words)).collect::<Result<_, _>>()?)
                }
                Part::CountDistinct(term) => {
                    different.push(term.clone());
                    layout.different.push(layout.words);
                    layout.words += 1;
                    Piece::Different(layout.words - 1)
                }
                Part::First(term) if self.append_only[input.0] => {
                    first.push(term.clone());
                    layout.first.push(layout.held);
                    layout.held += 1;
                    Piece::Held(layout.held - 1)
                }
                Part::First(_) | Part::Rows { .. } => {
                    let place = layout.held;
                    layout.held += 1;
                    if let Some(map) = self.kept(input, group, part, &format!("{}-part{index}", node.id), closed.as_ref())? {
                        feeds.push(map.apply_named("held", move |changes| vec![Feed::Held(place, changes.clone())]));
                    }
                    Piece::Held(place)
                }
            });
        }
        feeds.push(self.batches(input, group, linear, &different, &first)?);
        if closes.is_some() {
            feeds.push(self.watermark().apply(|watermark| vec![Feed::Watermark(*watermark)]));
        }
        if self.ttl.is_some() {
            feeds.push(self.tick().apply(|tick| vec![Feed::Tick(*tick)]));
        }
        let all = apply_n(self.circuit, feeds.iter(), |feeds| feeds.flat_map(Cow::into_owned).collect::<Vec<Feed>>());
        let closing = closes.map(|_| Closing::new()).transpose()?;
        let (codec, errors) = (Codec::new(encodings)?, self.errors.clone());
        let mut groups = Groups::new(layout, codec, node.schema.clone(), errors, closing, self.disk.as_ref());
        if let Some(ttl) = self.ttl {
            groups = groups.forgetting(Idle::new(ttl, self.due.clone()));
        }
        let changes = self.circuit.add_unary_operator(groups, &all);
        changes.set_persistent_id(Some(&node.id));
        Ok(Relation::chunks(changes, node.schema.clone(), self.errors.clone()))
    }

    /// A part that an operator of its own keeps; `None` for those that the table of groups does.
    fn kept(&mut self, input: NodeId, group: &[Term], part: &Part, id: &str, closed: Option<&Closed>) -> Result<Option<RowMap>, Error> {
        let results = match part {
            Part::Linear(_) | Part::CountDistinct(_) => None,
            Part::First(_) if self.append_only[input.0] => None,
            Part::First(term) => {
                let values = self.group_index(input, group, std::slice::from_ref(term), closed)?;
                Some(group::apply(&values, id, |visit_all| {
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
                Some(rows(&map, &terms, function, self.errors.clone(), id)?)
            }
        };
        if let Some(results) = &results {
            forget(results, closed);
        }
        Ok(results)
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

    /// The rows of `input`, ready to be added up by group, each at the worker that keeps its group.
    fn batches(
        &mut self,
        input: NodeId,
        group: &[Term],
        mut linear: Vec<Linear>,
        different: &[Term],
        first: &[Term],
    ) -> Result<Stream<RootCircuit, Vec<Feed>>, Error> {
        let mut read: Vec<Term> = linear.iter_mut().filter_map(Linear::term_mut).map(|term| term.clone()).collect();
        read.extend([different, first].concat());
        let (relation, group, read) = self.sharded(input, group, &read)?;
        let mut read = read.into_iter();
        linear.iter_mut().filter_map(Linear::term_mut).zip(&mut read).for_each(|(term, read)| *term = read);
        let values = read.map(|term| Encoder::new(&[term])).collect::<Result<Vec<_>, _>>()?;
        let groups = Encoder::new(&group)?;
        let different = different.len();
        relation.collect(
            "batches of groups",
            move |chunk, out| {
                let mut encoded = values.iter().map(|values| Ok(values.encode(chunk)?.1)).collect::<Result<Vec<_>, String>>()?;
                let first = encoded.split_off(different);
                let batch = Batch {
                    rows: chunk.rows(),
                    groups: groups.encode(chunk)?.1,
                    values: linear.iter().map(|item| Values::new(item, chunk)).collect::<Result<_, _>>()?,
                    different: encoded,
                    first,
                    weights: chunk.weights.clone(),
                };
                out.push(Feed::Batch(Arc::new(batch)));
                Ok(())
            },
            |feeds| feeds,
        )
    }
}

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
