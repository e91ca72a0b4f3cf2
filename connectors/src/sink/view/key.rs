//! Primary keys as bytes that compare like the key's values, so that a scan runs in key order.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};

use super::CONNECTOR;
use crate::{Error, Result};

/// What is looked for in the first columns of a key.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// For each of the first columns the values that it may have, of the column's type.
    pub equal: Vec<ArrayRef>,
    /// Between what the column after those lies: arrays of one value.
    pub between: Option<(Bound<ArrayRef>, Bound<ArrayRef>)>,
}

/// Keys from `start` on, up to `end`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRange {
    pub(super) start: Vec<u8>,
    /// The first key that is not in it; `None`: it has no end.
    pub(super) end: Option<Vec<u8>>,
}

impl KeyRange {
    /// All keys that begin with `prefix`.
    pub(super) fn prefix(prefix: Vec<u8>) -> Self {
        Self { end: successor(&prefix), start: prefix }
    }

    pub(super) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (Bound::Included(&self.start), self.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded))
    }
}

/// The first key behind all those that begin with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

pub(crate) struct KeyEncoder {
    schema: SchemaRef,
    columns: Vec<usize>,
    converter: RowConverter,
}

impl KeyEncoder {
    /// `columns`: positions of the key's columns in `schema`.
    pub(crate) fn new(schema: SchemaRef, columns: Vec<usize>) -> Result<Self> {
        let fields = columns.iter().map(|&column| SortField::new(schema.field(column).data_type().clone())).collect();
        let converter =
            RowConverter::new(fields).map_err(|error| Error::config(CONNECTOR, format!("the columns cannot be a key: {error}")))?;
        Ok(Self { schema, columns, converter })
    }

    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The columns' names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|&column| self.schema.field(column).name().clone()).collect()
    }

    pub(crate) fn encode(&self, batch: &RecordBatch) -> Result<Rows> {
        let columns: Vec<ArrayRef> = self.columns.iter().map(|&column| batch.column(column).clone()).collect();
        self.converter.convert_columns(&columns).map_err(|error| Error::corrupt(CONNECTOR, error))
    }

    /// One key from the text of its values.
    pub(crate) fn parse(&self, values: &[&str]) -> Result<Vec<u8>> {
        if values.len() != self.columns.len() {
            let message = format!("a key of {} values was asked for; the view's key has {}", values.len(), self.columns.len());
            return Err(Error::config(CONNECTOR, message));
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(values.len());
        for (value, &column) in values.iter().zip(&self.columns) {
            let field = self.schema.field(column);
            let text: ArrayRef = Arc::new(StringArray::from(vec![*value]));
            let typed = cast(&text, field.data_type()).ok().filter(|typed| typed.null_count() == 0);
            let refused =
                || Error::config(CONNECTOR, format!("`{value}` is not a {} as key column '{}' wants", field.data_type(), field.name()));
            columns.push(typed.ok_or_else(refused)?);
        }
        let rows = self.converter.convert_columns(&columns).map_err(|error| Error::corrupt(CONNECTOR, error))?;
        Ok(rows.row(0).data().to_vec())
    }

    /// The ranges of keys in which whatever is wanted lies, in order and apart from each other. That a row's encoding begins with those of its
    /// first columns is how `arrow_row` writes them.
    pub(super) fn ranges(&self, wanted: &Wanted) -> Result<Vec<KeyRange>> {
        let mut prefixes = BTreeSet::from([Vec::new()]);
        for (place, values) in wanted.equal.iter().enumerate() {
            let values = self.encode_column(place, values)?;
            prefixes = prefixes.iter().flat_map(|prefix| values.iter().map(move |value| [prefix.as_slice(), value].concat())).collect();
        }
        let Some((from, to)) = &wanted.between else { return Ok(prefixes.into_iter().map(KeyRange::prefix).collect()) };
        let place = wanted.equal.len();
        let one = |value: &ArrayRef| Ok::<_, Error>(self.encode_column(place, value)?.pop().unwrap_or_default());
        let from = match from {
            Bound::Included(value) => Some(one(value)?),
            // Nothing lies behind the last value.
            Bound::Excluded(value) => match successor(&one(value)?) {
                Some(next) => Some(next),
                None => return Ok(Vec::new()),
            },
            Bound::Unbounded => None,
        };
        let to = match to {
            Bound::Included(value) => successor(&one(value)?),
            Bound::Excluded(value) => Some(one(value)?),
            Bound::Unbounded => None,
        };
        let range = |prefix: Vec<u8>| {
            let start = from.as_ref().map_or_else(|| prefix.clone(), |from| [prefix.as_slice(), from].concat());
            let end = to.as_ref().map_or_else(|| successor(&prefix), |to| Some([prefix.as_slice(), to].concat()));
            KeyRange { start, end }
        };
        // One whose bounds cross is empty.
        Ok(prefixes.into_iter().map(range).filter(|range| range.end.as_ref().is_none_or(|end| *end > range.start)).collect())
    }

    /// The bytes of each value in column `place` of the key.
    fn encode_column(&self, place: usize, values: &ArrayRef) -> Result<Vec<Vec<u8>>> {
        let Some(&column) = self.columns.get(place) else {
            return Err(Error::config(CONNECTOR, format!("the key has {} columns, not {}", self.columns.len(), place + 1)));
        };
        let corrupt = |error| Error::corrupt(CONNECTOR, error);
        let converter = RowConverter::new(vec![SortField::new(self.schema.field(column).data_type().clone())]).map_err(corrupt)?;
        let rows = converter.convert_columns(std::slice::from_ref(values)).map_err(corrupt)?;
        Ok(rows.iter().map(|row| row.data().to_vec()).collect())
    }
}
