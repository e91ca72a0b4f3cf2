//! A function of all rows of a group, run again whenever one of them changes.

use super::relation::RowMap;
use crate::row::Row;
use dbsp::ZWeight;
use dbsp::algebra::Semigroup;
use dbsp::dynamic::{DataTrait, DynUnit, Erase, WeightTrait};
use dbsp::operator::Aggregator;
use dbsp::trace::Cursor;
use std::sync::Arc;

/// Sees the rows of a group in their order, each with how often it is there (never zero or less), until it answers `false`.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], u64) -> bool + 'a;

/// Computes a row from a group: calls its argument with a visitor, once.
type Function = dyn Fn(&mut dyn FnMut(&mut Visit<'_>)) -> Row + Send + Sync;

#[derive(Clone)]
struct GroupAggregator(Arc<Function>);

/// Never needed: a group is always computed as a whole.
#[derive(Clone)]
struct Whole;

impl Semigroup<Row> for Whole {
    fn combine(left: &Row, _right: &Row) -> Row {
        left.clone()
    }
}

impl Aggregator<Row, (), ZWeight> for GroupAggregator {
    type Accumulator = Row;
    type Semigroup = Whole;
    type Output = Row;

    fn aggregate<K, R>(&self, cursor: &mut dyn Cursor<K, DynUnit, (), R>) -> Option<Row>
    where
        K: DataTrait + ?Sized,
        R: WeightTrait + ?Sized,
        Row: Erase<K>,
        ZWeight: Erase<R>,
    {
        // A group without rows has no result.
        let mut weight = next_weight(cursor)?;
        Some((self.0)(&mut |visit| {
            loop {
                // SAFETY: the cursor runs over the values of a map to rows.
                let row: &Row = unsafe { cursor.key().downcast() };
                if !visit(row.bytes(), weight) {
                    return;
                }
                cursor.step_key();
                match next_weight(cursor) {
                    Some(next) => weight = next,
                    None => return,
                }
            }
        }))
    }

    fn finalize(&self, row: Row) -> Row {
        row
    }
}

/// Moves to the next row that is there at least once.
fn next_weight<K, R>(cursor: &mut dyn Cursor<K, DynUnit, (), R>) -> Option<u64>
where
    K: DataTrait + ?Sized,
    R: WeightTrait + ?Sized,
    ZWeight: Erase<R>,
{
    while cursor.key_valid() {
        let mut total: ZWeight = 0;
        // SAFETY: the weights of a Z-set are of type `ZWeight`.
        cursor.map_times(&mut |_, weight| total += unsafe { *weight.downcast::<ZWeight>() });
        if total > 0 {
            return Some(total as u64);
        }
        cursor.step_key();
    }
    None
}

/// The rows of a group, copied out: one that is there several times stands there as often.
#[derive(Default)]
pub(crate) struct Copied {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Copied {
    pub fn new(visit_all: &mut dyn FnMut(&mut Visit<'_>)) -> Self {
        let mut copied = Self::default();
        visit_all(&mut |row, times| {
            for _ in 0..times {
                copied.bytes.extend_from_slice(row);
                copied.ends.push(copied.bytes.len());
            }
            true
        });
        copied
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// `function` of every group of `map`, maintained.
pub(crate) fn apply(
    map: &RowMap,
    persistent_id: &str,
    function: impl Fn(&mut dyn FnMut(&mut Visit<'_>)) -> Row + Send + Sync + 'static,
) -> RowMap {
    let result = map.aggregate_persistent(Some(&format!("{persistent_id}-groups")), GroupAggregator(Arc::new(function)));
    result.set_persistent_id(Some(persistent_id));
    result
}
