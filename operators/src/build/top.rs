//! The first rows of each partition, numbered.

use super::best::{Batch, Best, Feed, Numbers};
use super::relation::{Encoder, Relation, Source};
use super::ttl::Idle;
use super::{Builder, group};
use crate::codec::{Codec, Encoding, value};
use crate::column;
use crate::plan::{Node, NodeId, Numbering};
use crate::row::Row;
use crate::{Error, Term};
use arrow::datatypes::DataType;
use dbsp::Circuit;
use dbsp::operator::apply_n;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) struct Spec<'a> {
    pub partition: &'a [Term],
    pub order: &'a [Term],
    pub value: &'a [Term],
    pub numbering: Numbering,
    pub skip: u64,
    pub limit: Option<u64>,
}

/// Bytes of an entry's length in a partition's list.
const LENGTH_BYTES: usize = 4;

impl Builder<'_> {
    pub(super) fn top(&mut self, node: &Node, input: NodeId, spec: Spec<'_>) -> Result<Relation, Error> {
        let terms = [spec.order, spec.value].concat();
        let mut encodings = column::encodings(spec.partition);
        encodings.extend(column::encodings(&terms));
        encodings.push(Encoding::compact(DataType::UInt64));
        if let (true, Numbering::RowNumber, Some(limit)) = (self.append_only[input.0], spec.numbering, spec.limit) {
            let numbers = Numbers { skip: spec.skip as usize, end: spec.skip.saturating_add(limit) as usize };
            return self.best(node, input, spec.partition, &terms, numbers, encodings);
        }
        let rows = self.index(input, spec.partition, &terms, false)?;
        let (numbering, skip) = (spec.numbering, spec.skip);
        let end = spec.limit.map_or(u64::MAX, |limit| limit.saturating_add(skip));
        let (codec, order_columns) = (Codec::new(column::encodings(&terms))?, spec.order.len());
        // A partition's first rows are one value: a list of lengths and rows, each row ending in its number.
        let lists = group::apply(&rows, &node.id, move |visit_all| {
            let (mut list, mut number_bytes) = (Vec::new(), Vec::new());
            let (mut row_number, mut rank, mut dense_rank) = (0u64, 0u64, 0u64);
            let mut previous: Option<Vec<u8>> = None;
            visit_all(&mut |row, times| {
                for _ in 0..times {
                    row_number += 1;
                    let number = if numbering == Numbering::RowNumber {
                        row_number
                    } else {
                        let order = &row[..codec.prefix_length(row, order_columns).unwrap_or(row.len())];
                        if previous.as_deref() != Some(order) {
                            (rank, dense_rank) = (row_number, dense_rank + 1);
                            previous = Some(order.to_vec());
                        }
                        if numbering == Numbering::Rank { rank } else { dense_rank }
                    };
                    if number > end {
                        return false;
                    }
                    if number > skip {
                        number_bytes.clear();
                        value::uint64(&mut number_bytes, number);
                        push_entry(&mut list, &[row, &number_bytes]);
                    }
                }
                true
            });
            Row::new(&list)
        });
        let entries = lists
            .flat_map(|(partition, list)| entries(list.bytes()).map(|entry| Row::concat(&[partition.bytes(), entry])).collect::<Vec<_>>());
        entries.set_persistent_id(Some(&format!("{}-entries", node.id)));
        Ok(Relation::held(Source::Rows(entries), encodings, node.schema.clone(), self.errors.clone()))
    }

    /// The same where rows only come.
    fn best(
        &mut self,
        node: &Node,
        input: NodeId,
        partition: &[Term],
        terms: &[Term],
        numbers: Numbers,
        encodings: Vec<Encoding>,
    ) -> Result<Relation, Error> {
        let (relation, partition, terms) = self.sharded(input, partition, terms)?;
        let (partitions, values) = (Encoder::new(&partition)?, Encoder::new(&terms)?);
        let batches = relation.collect(
            "batches of first rows",
            move |chunk, out| {
                let (partitions, values) = (partitions.encode(chunk)?.1, values.encode(chunk)?.1);
                let weights = chunk.weights.clone();
                out.push(Feed::Batch(Arc::new(Batch { rows: chunk.rows(), partitions, values, weights })));
                Ok(())
            },
            |batches| batches,
        )?;
        let mut best = Best::new(numbers, Codec::new(encodings)?, node.schema.clone(), self.disk.as_ref());
        let mut feeds = vec![batches];
        if let Some(ttl) = self.ttl {
            best = best.forgetting(Idle::new(ttl, self.due.clone()));
            feeds.push(self.tick().apply(|tick| vec![Feed::Tick(*tick)]));
        }
        let all = apply_n(self.circuit, feeds.iter(), |feeds| feeds.flat_map(Cow::into_owned).collect::<Vec<Feed>>());
        let changes = self.circuit.add_unary_operator(best, &all);
        changes.set_persistent_id(Some(&node.id));
        Ok(Relation::chunks(changes, node.schema.clone(), self.errors.clone()))
    }
}

/// Appends the bytes of `parts` to a list, as one entry.
pub(super) fn push_entry(list: &mut Vec<u8>, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    list.extend_from_slice(&(length as u32).to_le_bytes());
    parts.iter().for_each(|part| list.extend_from_slice(part));
}

pub(super) fn entries(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = list.split_first_chunk::<LENGTH_BYTES>()?;
        let (entry, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        list = rest;
        Some(entry)
    })
}
