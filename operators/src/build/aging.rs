//! Rows whose time lies between bounds that move with the clock. They wait sorted by their time; those below the lower bound are
//! forgotten.

use super::Builder;
use super::relation::{Encoder, Relation, Source};
use crate::plan::{Bound, Node, NodeId};
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::{Error, Term, column};
use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch, TimestampNanosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};
use dbsp::dynamic::DynData;
use dbsp::typed_batch::TypedBox;
use dbsp::utils::Tup2;
use dbsp::{OrdIndexedZSet, RootCircuit, Stream};
use std::cell::Cell;
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn aging(
        &mut self,
        node: &Node,
        input: NodeId,
        time: &Term,
        value: &[Term],
        after: Option<&Bound>,
        until: Option<&Bound>,
    ) -> Result<Relation, Error> {
        let (times, values) = (time.clone(), Encoder::new(value)?);
        // By numbers, since dbsp saves the bounds of a window with them, and reads only plain numbers back.
        let by_time = self.relation(input).collect(
            "times",
            move |chunk, out| {
                let times = numbers(&times.function.evaluate(&chunk.batch)?)?;
                let (_, rows) = values.encode(chunk)?;
                let known = (0..chunk.rows()).filter(|row| times.is_valid(*row));
                out.extend(known.map(|row| Tup2(Tup2(times.value(row), Row::new(rows.get(row))), chunk.weight(row))));
                Ok(())
            },
            |tuples| OrdIndexedZSet::<i64, Row>::from_tuples((), tuples),
        )?;
        by_time.set_persistent_id(Some(&format!("{}-times", node.id)));
        let lower = Edge { bound: after.cloned(), otherwise: i64::MIN, errors: self.errors.clone() };
        let upper = Edge { bound: until.cloned(), otherwise: i64::MAX, errors: self.errors.clone() };
        let inclusive = (lower.is_inclusive(), upper.is_inclusive());
        let at = |edge: Edge| move |now: i64| TypedBox::<i64, DynData>::new(edge.at(now));
        let (lower, upper) = (at(lower), at(upper));
        let edges = self.clock().apply(move |now| (lower(*now), upper(*now)));
        let present = by_time.window(inclusive, &edges);
        present.set_persistent_id(Some(&format!("{}-present", node.id)));
        let rows = present.map(|(_, row)| row.clone());
        rows.set_persistent_id(Some(&node.id));
        Ok(Relation::held(Source::Rows(rows), column::encodings(value), node.schema.clone(), self.errors.clone()))
    }

    /// The time of each step, in nanoseconds since 1970.
    fn clock(&mut self) -> Stream<RootCircuit, i64> {
        if let Some(clock) = &self.clock {
            return clock.clone();
        }
        let (clock, handle) = self.circuit.add_input_stream::<i64>();
        clock.set_persistent_id(Some("clock"));
        self.ends.clock = Some(handle);
        // A step may take dbsp several turns, and only the first of them gets what was put in.
        let last = Cell::new(i64::MIN);
        let clock = clock.apply(move |now| {
            last.set(last.get().max(*now));
            last.get()
        });
        self.clock = Some(clock.clone());
        clock
    }
}

/// Times as the numbers that they are held in.
fn numbers(times: &ArrayRef) -> Result<PrimitiveArray<Int64Type>, String> {
    Ok(cast(times, &DataType::Int64).map_err(|e| e.to_string())?.as_primitive().clone())
}

/// One end of what is kept.
struct Edge {
    bound: Option<Bound>,
    /// Where it is without a bound.
    otherwise: i64,
    errors: RowErrors,
}

impl Edge {
    fn is_inclusive(&self) -> bool {
        self.bound.as_ref().is_none_or(|bound| bound.inclusive)
    }

    fn at(&self, now: i64) -> i64 {
        let Some(bound) = &self.bound else { return self.otherwise };
        let now: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![now]));
        let schema = Schema::new(vec![Field::new("now", DataType::Timestamp(TimeUnit::Nanosecond, None), true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![now]).map_err(|e| e.to_string());
        match batch.and_then(|batch| numbers(&bound.time.function.evaluate(&batch)?)) {
            Ok(times) if times.is_valid(0) => times.value(0),
            Ok(_) => self.otherwise,
            Err(message) => {
                self.errors.add(&message, 1);
                self.otherwise
            }
        }
    }
}
