//! Counts and sums: the change of a group's result follows from the change of its rows, so only the totals are kept.

use super::aggregate::Closed;
use super::close::is_open;
use super::relation::{Encoder, Relation, RowMap};
use crate::acc::{Acc, limbs};
use crate::codec::{Rows, value};
use crate::plan::Linear;
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::{Error, Term};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type};
use dbsp::dynamic::{DataTrait, DynData, DynUnit, DynWeight, Erase, WeightTrait};
use dbsp::operator::Aggregator;
use dbsp::operator::dynamic::aggregate::{DynAggregatorImpl, IncAggregateFactories};
use dbsp::trace::Cursor;
use dbsp::typed_batch::DynOrdIndexedZSet;
use dbsp::utils::Tup2;
use dbsp::{OrdWSet, RootCircuit, Stream};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

type Weights = Stream<RootCircuit, OrdWSet<Row, Acc, DynWeight>>;

/// Where an aggregate's words are in the accumulator. Word 0 counts rows.
#[derive(Clone, Debug)]
struct Slot {
    /// The word that counts values; 0 when every row has one.
    count: usize,
    sum: std::ops::Range<usize>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Count,
    SumInt,
    /// With the largest total that the output's digits can hold.
    SumDecimal(i128),
    AverageInt,
    /// Totals are multiplied by this before they are divided, and the largest result.
    AverageDecimal(i128, i128),
}

#[derive(Clone, Debug)]
struct Layout {
    slots: Vec<Slot>,
    words: usize,
}

impl Layout {
    fn new(items: &[Linear]) -> Result<Self, Error> {
        let mut layout = Layout { slots: vec![], words: 1 };
        for item in items {
            let slot = match item {
                Linear::Count => Slot { count: 0, sum: 0..0, kind: Kind::Count },
                Linear::CountValues(_) => layout.slot(0, Kind::Count),
                Linear::Sum { term, output } => match (&term.data_type, output) {
                    (DataType::Decimal128(digits, _), DataType::Decimal128(most, _)) => {
                        layout.slot(limbs::count(*digits), Kind::SumDecimal(largest(*most)))
                    }
                    (t, DataType::Int64) if is_integer(t) => layout.slot(2, Kind::SumInt),
                    (t, _) => return Err(Error::Codec(format!("there is no linear sum of {t}"))),
                },
                Linear::Average { term, output } => match (&term.data_type, output) {
                    (DataType::Decimal128(digits, scale), DataType::Decimal128(most, to)) if to >= scale => {
                        let factor = 10i128.pow((to - scale).unsigned_abs().into());
                        layout.slot(limbs::count(*digits), Kind::AverageDecimal(factor, largest(*most)))
                    }
                    (t, DataType::Float64) if is_integer(t) => layout.slot(2, Kind::AverageInt),
                    (t, _) => return Err(Error::Codec(format!("there is no linear average of {t}"))),
                },
            };
            layout.slots.push(slot);
        }
        Ok(layout)
    }

    /// Takes a word for the number of values, and `limbs` for their sum.
    fn slot(&mut self, limbs: usize, kind: Kind) -> Slot {
        let count = self.words;
        self.words += 1 + limbs;
        Slot { count, sum: count + 1..self.words, kind }
    }

    /// The outputs of a group as bytes.
    fn finish(&self, acc: &Acc, errors: &RowErrors) -> Row {
        let mut out = Vec::with_capacity(self.slots.len() * 9);
        for slot in &self.slots {
            let count = acc.word(slot.count);
            let total = || limbs::total(slot.sum.clone().map(|word| acc.word(word)));
            match slot.kind {
                Kind::Count => value::int64(&mut out, Some(count)),
                Kind::SumInt if count == 0 => value::int64(&mut out, None),
                Kind::SumInt => {
                    let sum = total().and_then(|total| i64::try_from(total).ok());
                    value::int64(&mut out, noted(sum, "a sum is out of the range of BIGINT", errors));
                }
                Kind::SumDecimal(_) if count == 0 => value::decimal128(&mut out, None),
                Kind::SumDecimal(most) => {
                    let sum = total().filter(|total| total.abs() <= most);
                    value::decimal128(&mut out, noted(sum, "a sum has more digits than its DECIMAL type", errors));
                }
                Kind::AverageInt if count == 0 => value::float64(&mut out, None),
                Kind::AverageInt => value::float64(&mut out, total().map(|total| total as f64 / count as f64)),
                Kind::AverageDecimal(..) if count == 0 => value::decimal128(&mut out, None),
                Kind::AverageDecimal(factor, most) => {
                    let average = total().and_then(|total| total.checked_mul(factor)?.checked_div(count.into()));
                    let average = average.filter(|average| average.abs() <= most);
                    value::decimal128(&mut out, noted(average, "an average has more digits than its DECIMAL type", errors));
                }
            }
        }
        Row::new(&out)
    }
}

/// A result that does not fit becomes null and is counted.
fn noted<T>(result: Option<T>, message: &str, errors: &RowErrors) -> Option<T> {
    if result.is_none() {
        errors.add(message, 1);
    }
    result
}

fn is_integer(data_type: &DataType) -> bool {
    use DataType::*;
    matches!(data_type, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32)
}

/// The largest unscaled value of `digits` decimal digits.
fn largest(digits: u8) -> i128 {
    10i128.checked_pow(digits.into()).map_or(i128::MAX, |power| power - 1)
}

/// Values of a column as wide integers: decimals unscaled.
fn integers(column: &ArrayRef) -> Result<Vec<i128>, String> {
    macro_rules! widened {
        ($type:ty) => {
            column.as_primitive::<$type>().values().iter().map(|value| i128::from(*value)).collect()
        };
    }
    Ok(match column.data_type() {
        DataType::Int8 => widened!(Int8Type),
        DataType::Int16 => widened!(Int16Type),
        DataType::Int32 => widened!(Int32Type),
        DataType::Int64 => widened!(Int64Type),
        DataType::UInt8 => widened!(UInt8Type),
        DataType::UInt16 => widened!(UInt16Type),
        DataType::UInt32 => widened!(UInt32Type),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().values().to_vec(),
        other => return Err(format!("cannot add up {other}")),
    })
}

/// One aggregate's input of a batch.
struct Values {
    nulls: Option<arrow::buffer::NullBuffer>,
    /// Empty for counts.
    numbers: Vec<i128>,
}

/// `items` of every group of `input`, maintained.
pub(super) fn build(input: &Relation, group: &[Term], items: &[Linear], id: &str, closed: Option<&Closed>) -> Result<RowMap, Error> {
    let layout = Layout::new(items)?;
    let groups = Encoder::new(group)?;
    let items = items.to_vec();
    let slots = layout.clone();
    let weights: Weights = input.collect(
        "totals",
        move |chunk, out: &mut Vec<Tup2<Row, Acc>>| {
            let (_, keys) = groups.encode(chunk)?;
            let values = items.iter().map(|item| values(item, chunk)).collect::<Result<Vec<_>, _>>()?;
            totals(&slots, &keys, &values, chunk.rows(), |row| chunk.weight(row), out);
            Ok(())
        },
        |tuples| OrdWSet::from_keys((), tuples),
    )?;
    Ok(aggregate(&weights, layout, input.errors.clone(), id, closed))
}

fn values(item: &Linear, chunk: &crate::delta::Chunk) -> Result<Values, String> {
    let (term, is_count) = match item {
        Linear::Count => return Ok(Values { nulls: None, numbers: vec![] }),
        Linear::CountValues(term) => (term, true),
        Linear::Sum { term, .. } | Linear::Average { term, .. } => (term, false),
    };
    let column = term.function.evaluate(&chunk.batch)?;
    Ok(Values { nulls: column.logical_nulls(), numbers: if is_count { vec![] } else { integers(&column)? } })
}

/// Adds a batch up by group before it enters a Z-set: most batches have far fewer groups than rows.
fn totals(layout: &Layout, keys: &Rows, values: &[Values], rows: usize, weight: impl Fn(usize) -> i64, out: &mut Vec<Tup2<Row, Acc>>) {
    let mut groups: HashTable<u32> = HashTable::with_capacity(rows.min(1024));
    let mut first_rows: Vec<u32> = Vec::new();
    let mut words: Vec<i64> = Vec::new();
    let hash = |bytes: &[u8]| dbsp::default_hash(bytes);
    for row in 0..rows {
        let key = keys.get(row);
        let same = |group: &u32| keys.get(first_rows[*group as usize] as usize) == key;
        let entry = groups.entry(hash(key), same, |group| hash(keys.get(first_rows[*group as usize] as usize)));
        let group = match entry {
            Entry::Occupied(entry) => *entry.get() as usize,
            Entry::Vacant(entry) => {
                let group = first_rows.len();
                entry.insert(group as u32);
                first_rows.push(row as u32);
                words.resize(words.len() + layout.words, 0);
                group
            }
        };
        let acc = &mut words[group * layout.words..(group + 1) * layout.words];
        let weight = weight(row);
        acc[0] += weight;
        for (slot, values) in layout.slots.iter().zip(values) {
            if slot.count > 0 && values.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                acc[slot.count] += weight;
                if !slot.sum.is_empty() {
                    limbs::add(&mut acc[slot.sum.clone()], values.numbers[row], weight);
                }
            }
        }
    }
    let groups = first_rows.iter().zip(words.chunks(layout.words));
    out.extend(groups.map(|(row, acc)| Tup2(Row::new(keys.get(*row as usize)), Acc::new(acc))));
}

/// How many rows each key of `map` has, and how many of them `counts` says yes to. Columns of the value: that number.
pub(super) fn count_if(
    map: &RowMap,
    counts: impl Fn(&Row) -> bool + 'static,
    errors: RowErrors,
    id: &str,
    closed: Option<&Closed>,
) -> RowMap {
    let weights: Weights = map.weigh(move |_, value| Acc::new(&[1, i64::from(counts(value))]));
    let slot = Slot { count: 1, sum: 0..0, kind: Kind::Count };
    aggregate(&weights, Layout { slots: vec![slot], words: 2 }, errors, id, closed)
}

fn aggregate(weights: &Weights, layout: Layout, errors: RowErrors, id: &str, closed: Option<&Closed>) -> RowMap {
    weights.set_persistent_id(Some(&format!("{id}-in")));
    if let Some(closed) = closed {
        weights.accumulate_integrate_trace_retain_keys(closed, is_open);
    }
    let factories = IncAggregateFactories::new::<Row, (), Acc, Row>();
    let total = Total { layout, errors };
    let aggregator = DynAggregatorImpl::<DynUnit, (), (), DynWeight, Acc, Total, DynData, DynData>::new(total);
    let id_groups = format!("{id}-groups");
    let result: RowMap = weights
        .inner()
        .dyn_aggregate_generic::<DynData, DynData, DynOrdIndexedZSet<DynData, DynData>>(Some(&id_groups), &factories, &aggregator)
        .typed();
    result.set_persistent_id(Some(id));
    result
}

/// Reads a group's result off its weight.
#[derive(Clone)]
struct Total {
    layout: Layout,
    errors: RowErrors,
}

impl<T: dbsp::Timestamp> Aggregator<(), T, Acc> for Total {
    type Accumulator = Acc;
    type Semigroup = dbsp::algebra::DefaultSemigroup<Acc>;
    type Output = Row;

    fn aggregate<K, R>(&self, cursor: &mut dyn Cursor<K, DynUnit, T, R>) -> Option<Acc>
    where
        K: DataTrait + ?Sized,
        R: WeightTrait + ?Sized,
        (): Erase<K>,
        Acc: Erase<R>,
    {
        use dbsp::algebra::{AddAssignByRef, HasZero};
        let mut total = Acc::default();
        while cursor.key_valid() {
            // SAFETY: the weights of this Z-set are accumulators.
            cursor.map_times(&mut |_, weight| total.add_assign_by_ref(unsafe { weight.downcast() }));
            cursor.step_key();
        }
        (!total.is_zero()).then_some(total)
    }

    fn finalize(&self, acc: Acc) -> Row {
        self.layout.finish(&acc, &self.errors)
    }
}
