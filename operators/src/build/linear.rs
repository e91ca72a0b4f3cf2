//! Counts and sums: the change of a group's result follows from the change of its rows, so only the totals are kept, as words.

use crate::Error;
use crate::codec::value;
use crate::delta::Chunk;
use crate::limbs;
use crate::plan::Linear;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type};
use std::ops::Range;

/// Where an aggregate's words are among a group's. Word 0 counts rows.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// The word that counts values; 0 when every row has one.
    count: usize,
    sum: Range<usize>,
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

impl Slot {
    /// Of `item`, which takes further words of the `words` that are taken already.
    pub fn new(item: &Linear, words: &mut usize) -> Result<Self, Error> {
        let mut slot = |limbs: usize, kind: Kind| {
            let count = *words;
            *words += 1 + limbs;
            Slot { count, sum: count + 1..*words, kind }
        };
        Ok(match item {
            Linear::Count => Slot { count: 0, sum: 0..0, kind: Kind::Count },
            Linear::CountValues(_) => slot(0, Kind::Count),
            Linear::Sum { term, output } => match (&term.data_type, output) {
                (DataType::Decimal128(digits, _), DataType::Decimal128(most, _)) => {
                    slot(limbs::count(*digits), Kind::SumDecimal(largest(*most)))
                }
                (t, DataType::Int64) if is_integer(t) => slot(2, Kind::SumInt),
                (t, _) => return Err(Error::Codec(format!("there is no linear sum of {t}"))),
            },
            Linear::Average { term, output } => match (&term.data_type, output) {
                (DataType::Decimal128(digits, scale), DataType::Decimal128(most, to)) if to >= scale => {
                    let factor = 10i128.pow((to - scale).unsigned_abs().into());
                    slot(limbs::count(*digits), Kind::AverageDecimal(factor, largest(*most)))
                }
                (t, DataType::Float64) if is_integer(t) => slot(2, Kind::AverageInt),
                (t, _) => return Err(Error::Codec(format!("there is no linear average of {t}"))),
            },
        })
    }

    /// Adds the values of rows to the words of their groups: those of row `i` begin at `starts[i]`.
    pub fn add(&self, values: &Values, starts: &[usize], weight: impl Fn(usize) -> i64, words: &mut [i64]) {
        if self.count == 0 {
            return;
        }
        for (row, start) in starts.iter().enumerate() {
            if values.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                let weight = weight(row);
                words[start + self.count] += weight;
                if !self.sum.is_empty() {
                    limbs::add(&mut words[start + self.sum.start..start + self.sum.end], values.numbers.get(row), weight);
                }
            }
        }
    }

    /// Makes room for further sums.
    pub fn carry(&self, words: &mut [i64]) {
        if !self.sum.is_empty() {
            limbs::carry(&mut words[self.sum.clone()]);
        }
    }

    /// Appends the result of a group, of which `words` are the totals.
    pub fn finish(&self, words: &[i64], errors: &mut dyn FnMut(&str), out: &mut Vec<u8>) {
        let count = words[self.count];
        let total = || limbs::total(&words[self.sum.clone()]);
        let mut noted = |is_there: bool, message: &str| {
            if !is_there {
                errors(message)
            }
        };
        match self.kind {
            Kind::Count => value::int64(out, Some(count)),
            Kind::SumInt | Kind::AverageInt | Kind::SumDecimal(_) | Kind::AverageDecimal(..) if count == 0 => value::null(out),
            Kind::SumInt => {
                let sum = total().and_then(|total| i64::try_from(total).ok());
                noted(sum.is_some(), "a sum is out of the range of BIGINT");
                value::int64(out, sum);
            }
            Kind::SumDecimal(most) => {
                let sum = total().filter(|total| total.abs() <= most);
                noted(sum.is_some(), "a sum has more digits than its DECIMAL type");
                value::decimal128(out, sum);
            }
            Kind::AverageInt => value::float64(out, total().map(|total| total as f64 / count as f64)),
            Kind::AverageDecimal(factor, most) => {
                let average = total().and_then(|total| total.checked_mul(factor)?.checked_div(count.into()));
                let average = average.filter(|average| average.abs() <= most);
                noted(average.is_some(), "an average has more digits than its DECIMAL type");
                value::decimal128(out, average);
            }
        }
    }
}

fn is_integer(data_type: &DataType) -> bool {
    use DataType::*;
    matches!(data_type, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32)
}

/// The largest unscaled value of `digits` decimal digits.
fn largest(digits: u8) -> i128 {
    10i128.checked_pow(digits.into()).map_or(i128::MAX, |power| power - 1)
}

/// One aggregate's input of a batch.
#[derive(Debug)]
pub(super) struct Values {
    nulls: Option<NullBuffer>,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    /// Of counts, which need none.
    None,
    Words(Vec<i64>),
    /// Decimals, unscaled.
    Wide(Vec<i128>),
}

impl Numbers {
    fn of(column: &ArrayRef) -> Result<Self, String> {
        macro_rules! widened {
            ($type:ty) => {
                Numbers::Words(column.as_primitive::<$type>().values().iter().map(|value| i64::from(*value)).collect())
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
            DataType::Decimal128(..) => Numbers::Wide(column.as_primitive::<Decimal128Type>().values().to_vec()),
            other => return Err(format!("cannot add up {other}")),
        })
    }

    #[inline]
    fn get(&self, row: usize) -> i128 {
        match self {
            Numbers::None => 0,
            Numbers::Words(words) => words[row].into(),
            Numbers::Wide(values) => values[row],
        }
    }
}

impl Values {
    /// What `item` adds up in the rows of `chunk`.
    pub fn new(item: &Linear, chunk: &Chunk) -> Result<Self, String> {
        let (term, is_count) = match item {
            Linear::Count => return Ok(Values { nulls: None, numbers: Numbers::None }),
            Linear::CountValues(term) => (term, true),
            Linear::Sum { term, .. } | Linear::Average { term, .. } => (term, false),
        };
        let column = term.function.evaluate(&chunk.batch)?;
        if column.len() != chunk.rows() {
            return Err(format!("an expression gave {} values for {} rows", column.len(), chunk.rows()));
        }
        Ok(Values { nulls: column.logical_nulls(), numbers: if is_count { Numbers::None } else { Numbers::of(&column)? } })
    }
}
