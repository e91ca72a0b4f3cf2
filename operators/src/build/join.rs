//! Joins. Both sides are kept, indexed by the key.

use super::Builder;
use super::relation::{Relation, Source};
use crate::Error;
use crate::codec::{Codec, Encoding};
use crate::column;
use crate::plan::{JoinKind, Node, Side};
use crate::row::Row;
use arrow::array::{ArrayRef, new_null_array};

impl Builder<'_> {
    pub(super) fn join(
        &mut self,
        node: &Node,
        kind: JoinKind,
        left: &Side,
        right: &Side,
        null_is_equal: bool,
        with_key: bool,
    ) -> Result<Relation, Error> {
        // A left row whose key is null has no match, but a left join keeps it.
        let drop_left_nulls = !null_is_equal && kind == JoinKind::Inner;
        let left_map = self.index(left.input, &left.key, &left.value, drop_left_nulls)?;
        let rows = match kind {
            JoinKind::Inner => {
                let right_map = self.index(right.input, &right.key, &right.value, !null_is_equal)?;
                left_map.join(&right_map, move |key, left, right| {
                    Row::concat(&[if with_key { key.bytes() } else { &[] }, left.bytes(), right.bytes()])
                })
            }
            JoinKind::Left => {
                let nulls = null_row(right)?;
                let right_map = self.relation(right.input).to_optional_map(&right.key, &right.value, !null_is_equal)?;
                right_map.set_persistent_id(Some(&format!("{}-right", node.id)));
                left_map.left_join(&right_map, move |key, left, right| {
                    let right = right.as_ref().map_or(nulls.bytes(), Row::bytes);
                    Row::concat(&[if with_key { key.bytes() } else { &[] }, left.bytes(), right])
                })
            }
        };
        rows.set_persistent_id(Some(&node.id));
        let key = if with_key { &left.key[..] } else { &[] };
        let encodings = [key, &left.value, &right.value].iter().flat_map(|terms| column::encodings(terms)).collect();
        Ok(Relation::held(Source::Rows(rows), encodings, node.schema.clone(), self.errors.clone()))
    }

    pub(super) fn semi(&mut self, node: &Node, left: &Side, right: &Side, anti: bool, null_is_equal: bool) -> Result<Relation, Error> {
        let left_map = self.index(left.input, &left.key, &left.value, !null_is_equal && !anti)?;
        let right_map = self.index(right.input, &right.key, &[], !null_is_equal)?;
        let source = if anti {
            let rest = left_map.antijoin(&right_map);
            rest.set_persistent_id(Some(&node.id));
            Source::Map(rest)
        } else {
            let keys = right_map.distinct();
            keys.set_persistent_id(Some(&format!("{}-keys", node.id)));
            let rows = left_map.join(&keys, |key, left, _| Row::concat(&[key.bytes(), left.bytes()]));
            rows.set_persistent_id(Some(&node.id));
            Source::Rows(rows)
        };
        let encodings: Vec<Encoding> = [&left.key, &left.value].iter().flat_map(|terms| column::encodings(terms)).collect();
        Ok(Relation::held(source, encodings, node.schema.clone(), self.errors.clone()))
    }
}

/// The value of a right row that is not there.
fn null_row(side: &Side) -> Result<Row, Error> {
    let codec = Codec::new(column::encodings(&side.value))?;
    let nulls: Vec<ArrayRef> = side.value.iter().map(|term| new_null_array(&term.data_type, 1)).collect();
    let rows = codec.encode(&nulls).map_err(Error::Codec)?;
    Ok(Row::new(rows.get(0)))
}
