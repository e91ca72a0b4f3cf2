//! Functions of each row of a partition that see the whole partition: computed again for every partition that changes.

use super::relation::{Relation, Source};
use super::top::{entries, push_entry};
use super::{Builder, group};
use crate::codec::{Codec, Encoding};
use crate::column;
use crate::panics;
use crate::plan::{Node, NodeId, PartitionFn};
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::{Error, Term};
use arrow::array::{ArrayRef, new_null_array};
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn window(
        &mut self,
        node: &Node,
        input: NodeId,
        partition: &[Term],
        terms: &[Term],
        function: &Arc<dyn PartitionFn>,
    ) -> Result<Relation, Error> {
        let rows = self.index(input, partition, terms, false)?;
        let decoder = Codec::new(column::encodings(terms))?;
        let outputs: Vec<_> = function.output_types().into_iter().map(Encoding::compact).collect();
        let encoder = Codec::new(outputs.clone())?;
        let (function, errors) = (function.clone(), self.errors.clone());
        // A partition's result is one value: a list of its rows, each ending in what the function gave it.
        let lists = group::apply(&rows, &node.id, move |visit_all| {
            let copied = group::Copied::new(visit_all);
            let columns = decoder.decode(copied.rows());
            let results = columns.and_then(|columns| encoder.encode(&evaluate(function.as_ref(), &columns, copied.len(), &errors)));
            // Only broken storage makes decoding fail; dbsp reports the panic as a failed step.
            let results = results.unwrap_or_else(|e| panic!("stored rows cannot be read: {e}"));
            let mut list = Vec::new();
            copied.rows().enumerate().for_each(|(index, row)| push_entry(&mut list, &[row, results.get(index)]));
            Row::new(&list)
        });
        let entries = lists.flat_map(|(_, list)| entries(list.bytes()).map(Row::new).collect::<Vec<_>>());
        entries.set_persistent_id(Some(&format!("{}-entries", node.id)));
        let mut encodings = column::encodings(terms);
        encodings.extend(outputs);
        Ok(Relation::held(Source::Rows(entries), encodings, node.schema.clone(), self.errors.clone()))
    }
}

/// The function's outputs; nulls, and a count of the rows, when it refuses the partition.
fn evaluate(function: &dyn PartitionFn, columns: &[ArrayRef], rows: usize, errors: &RowErrors) -> Vec<ArrayRef> {
    let checked = || {
        let outputs = function.evaluate(columns, rows)?;
        let types = function.output_types();
        let is_right = outputs.len() == types.len() && outputs.iter().zip(&types).all(|(o, t)| o.len() == rows && o.data_type() == t);
        if is_right { Ok(outputs) } else { Err(format!("{} gave columns of another length or type", function.describe())) }
    };
    match panics::catch(checked) {
        Ok(outputs) => outputs,
        Err(message) => {
            errors.add(&message, rows as u64);
            function.output_types().iter().map(|data_type| new_null_array(data_type, rows)).collect()
        }
    }
}
