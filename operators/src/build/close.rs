//! Rows that wait for the watermark: what is grouped by a window of time is given out once, when the window has closed.

use super::Builder;
use super::relation::{Relation, Source};
use crate::codec::{Codec, Encoding};
use crate::column;
use crate::delta::Chunk;
use crate::plan::{Node, NodeId};
use crate::row::Row;
use crate::stage;
use crate::{Error, Term};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, TimestampNanosecondArray};
use arrow::compute::{SortOptions, filter_record_batch};
use arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use dbsp::dynamic::DynData;
use dbsp::typed_batch::TypedBox;
use dbsp::{RootCircuit, Stream};
use std::collections::BTreeMap;
use std::sync::Arc;

const LATE: &str = "a row came after its window had closed (its time is older than the watermark)";
const TIMELESS: &str = "a row has no time, and so no window";

/// A time as a row.
pub(super) type Bound = TypedBox<Row, DynData>;

/// How far time has come, in nanoseconds since 1970: what closes up to there will not change any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// Where it stood in the step before: what closes up to there was given out.
    pub before: i64,
    pub now: i64,
}

/// The times at which rows close, as what waits for them is sorted.
pub(crate) fn closing_encoding() -> Encoding {
    Encoding::sorted(DataType::Timestamp(TimeUnit::Nanosecond, None), SortOptions { descending: false, nulls_first: false })
}

/// Times as bytes.
struct Times(Codec);

impl Times {
    fn new() -> Result<Self, Error> {
        Ok(Times(Codec::new(vec![closing_encoding()])?))
    }

    fn row(&self, nanoseconds: i64) -> Bound {
        let column: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![nanoseconds]));
        // The codec is made for columns of this type.
        let rows = self.0.encode(&[column]).unwrap_or_else(|e| panic!("a time cannot be encoded: {e}"));
        TypedBox::new(Row::new(rows.get(0)))
    }
}

impl Builder<'_> {
    /// The watermark in each step; between two steps of one transaction it stays.
    pub(super) fn watermark(&mut self) -> Stream<RootCircuit, Watermark> {
        if let Some(watermark) = &self.watermark {
            return watermark.clone();
        }
        let (stream, handle) = self.circuit.add_input_stream::<Option<Watermark>>();
        stream.set_persistent_id(Some("watermark"));
        let mut last = Watermark { before: i64::MIN, now: i64::MIN };
        let watermark = stream.apply_mut(move |next| {
            last = next.unwrap_or(last);
            last
        });
        self.ends.watermark = Some(handle);
        self.watermark = Some(watermark.clone());
        watermark
    }

    pub(super) fn late(&mut self, id: NodeId, node: &Node, input: NodeId, closes: &Term) -> Result<Relation, Error> {
        let chunks = self.relation(input).to_chunks()?;
        let (closes, errors, kept_late) = (closes.clone(), self.errors.clone(), self.late.clone());
        let in_time = chunks.apply2(&self.watermark(), move |chunks, watermark| {
            let mut kept = vec![];
            for chunk in chunks {
                stage::run_each(&[], chunk.clone(), &errors, &mut |chunk| {
                    let (open, late_rows, timeless) = in_time(chunk, &closes, watermark)?;
                    let late = (0..late_rows.rows()).map(|row| late_rows.weight(row) as u64).sum();
                    if let Some(kept) = kept_late.as_ref().filter(|_| late > 0) {
                        kept.add(id, watermark.before, late_rows);
                    }
                    for (message, rows) in [(LATE, late), (TIMELESS, timeless)].into_iter().filter(|(_, rows)| *rows > 0) {
                        errors.add(message, rows);
                    }
                    kept.push(open);
                    Ok(())
                });
            }
            kept.retain(|chunk| chunk.rows() > 0);
            kept
        });
        Ok(Relation::chunks(in_time, node.schema.clone(), self.errors.clone()))
    }

    pub(super) fn close(&mut self, node: &Node, input: NodeId, closes: &Term, value: &[Term]) -> Result<Relation, Error> {
        let rows = self.index(input, std::slice::from_ref(closes), value, false)?;
        let times = Times::new()?;
        let bounds = self.watermark().apply(move |watermark| (times.row(watermark.before), times.row(watermark.now)));
        let closed = rows.window((false, true), &bounds);
        closed.set_persistent_id(Some(&format!("{}-closed", node.id)));
        let values = closed.map(|(_, row)| row.clone());
        values.set_persistent_id(Some(&node.id));
        Ok(Relation::held(Source::Rows(values), column::encodings(value), node.schema.clone(), self.errors.clone()))
    }

    /// The time up to which groups were given out; what begins with it or an earlier one need not be kept.
    pub(super) fn closed(&mut self) -> Result<Closed, Error> {
        let times = Times::new()?;
        Ok(self.watermark().apply(move |watermark| times.row(watermark.before)))
    }
}

/// The time up to which groups were given out, in each step.
pub(super) type Closed = Stream<RootCircuit, Bound>;

/// Which groups close when.
pub(super) struct Closing {
    times: Times,
    /// Places of groups by the time that their keys begin with.
    open: BTreeMap<Box<[u8]>, Vec<u32>>,
    /// How much of a key is the time.
    pub time_bytes: usize,
    /// What was given out and is to be taken back.
    pub given: Vec<Row>,
    pub watermark: Watermark,
}

impl Closing {
    pub fn new() -> Result<Self, Error> {
        let times = Times::new()?;
        let time_bytes = times.row(0).bytes().len();
        let watermark = Watermark { before: i64::MIN, now: i64::MIN };
        Ok(Closing { times, open: BTreeMap::new(), time_bytes, given: vec![], watermark })
    }

    /// A new group.
    pub fn opened(&mut self, key: &[u8], place: usize) {
        let time = &key[..self.time_bytes.min(key.len())];
        match self.open.get_mut(time) {
            Some(places) => places.push(place as u32),
            None => drop(self.open.insert(time.into(), vec![place as u32])),
        }
    }

    /// The groups that close by now, those of the earliest time first.
    pub fn close(&mut self) -> Vec<u32> {
        let bound = self.times.row(self.watermark.now);
        let mut closed = vec![];
        while let Some(first) = self.open.first_entry().filter(|first| first.key().as_ref() <= bound.bytes()) {
            closed.extend(first.remove());
        }
        closed
    }
}

/// Whether the time that `key` begins with is after `bound`.
pub(super) fn is_open(key: &Row, bound: &Row) -> bool {
    let bound = bound.bytes();
    key.bytes().get(..bound.len()).is_none_or(|time| time > bound)
}

/// The rows that come and have not closed yet, those that come late, and how many have no time.
fn in_time(chunk: &Chunk, closes: &Term, watermark: &Watermark) -> Result<(Chunk, Chunk, u64), String> {
    let times = closes.function.evaluate(&chunk.batch)?;
    let times = times.as_primitive_opt::<TimestampNanosecondType>().ok_or("the end of a window must be a time")?;
    let is_open = |row: usize| times.is_valid(row) && times.value(row) > watermark.before;
    let comes = |row: usize| chunk.weight(row) > 0;
    let open: BooleanArray = (0..times.len()).map(|row| Some(comes(row) && is_open(row))).collect();
    if open.true_count() == open.len() {
        return Ok((chunk.clone(), chunk.slice(0, 0), 0));
    }
    let late: BooleanArray = (0..times.len()).map(|row| Some(comes(row) && times.is_valid(row) && !is_open(row))).collect();
    let timeless = (0..times.len()).filter(|row| comes(*row) && times.is_null(*row)).map(|row| chunk.weight(row) as u64).sum();
    Ok((kept(chunk, &open)?, kept(chunk, &late)?, timeless))
}

fn kept(chunk: &Chunk, rows: &BooleanArray) -> Result<Chunk, String> {
    let weights = chunk.weights.as_ref().map(|weights| {
        let kept = weights.iter().enumerate().filter(|(row, _)| rows.value(*row));
        Arc::new(kept.map(|(_, weight)| *weight).collect::<Vec<_>>())
    });
    let batch = filter_record_batch(&chunk.batch, rows).map_err(|e| e.to_string())?;
    Ok(Chunk { batch, weights })
}
