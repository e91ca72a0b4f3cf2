//! Columns to rows of bytes and back.
//!
//! Most columns only have to be equal or not: they are written in as few bytes as they need ([`Encoding::compact`]), since rows are
//! compared, copied, kept and spilled all day. Columns that rows are sorted by are written so that their bytes sort as their values do
//! ([`Encoding::sorted`]). Every encoded column says where it ends, so rows can be concatenated.

mod bytes;
mod hash;

use crate::Error;
use arrow::array::{Array, ArrayData, ArrayRef, AsArray, BooleanArray, make_array, new_null_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{ArrowNativeType, DataType, Schema};
use arrow_row::{RowConverter, SortField};
pub(crate) use bytes::NULL;
use bytes::*;
pub(crate) use hash::of_bytes;

/// The type of an encoded column and, if its bytes are to sort as its values do, in which direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    pub data_type: DataType,
    pub order: Option<SortOptions>,
}

impl Encoding {
    /// Equal values have equal bytes; their order means nothing.
    pub fn compact(data_type: DataType) -> Self {
        Encoding { data_type, order: None }
    }

    /// Bytes sort as values do.
    pub fn sorted(data_type: DataType, order: SortOptions) -> Self {
        Encoding { data_type, order: Some(order) }
    }
}

/// Turns columns into rows of bytes, and back.
pub struct Codec {
    columns: Vec<Column>,
    pub encodings: Vec<Encoding>,
}

/// Rows of bytes, one after another.
#[derive(Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    /// The row at `index`; without columns every row is empty.
    #[inline]
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends.get(index - 1).copied().unwrap_or(0) };
        self.ends.get(index).map_or(&[], |end| &self.bytes[start..*end])
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl Codec {
    pub fn new(encodings: Vec<Encoding>) -> Result<Self, Error> {
        let columns = encodings.iter().map(Column::new).collect::<Result<_, _>>()?;
        Ok(Codec { columns, encodings })
    }

    /// All columns of `schema`, compact.
    pub fn for_schema(schema: &Schema) -> Result<Self, Error> {
        Self::new(schema.fields().iter().map(|f| Encoding::compact(f.data_type().clone())).collect())
    }

    /// The rows of `columns`, which have the codec's types and are of one length.
    pub fn encode(&self, columns: &[ArrayRef]) -> Result<Rows, String> {
        let writers = self.columns.iter().zip(columns).map(|(column, array)| column.writer(array)).collect::<Result<Vec<_>, _>>()?;
        let length = columns.first().map_or(0, |column| column.len());
        let mut rows = Rows { bytes: Vec::with_capacity(length * columns.len() * 8), ends: Vec::with_capacity(length) };
        for row in 0..length {
            for writer in &writers {
                writer.write(row, &mut rows.bytes);
            }
            rows.ends.push(rows.bytes.len());
        }
        Ok(rows)
    }

    /// The columns of `rows`, which this codec (or codecs of its columns, concatenated) wrote.
    pub fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>, String> {
        let mut rest: Vec<&[u8]> = rows.collect();
        self.columns.iter().map(|column| column.read(&mut rest)).collect()
    }

    /// How many bytes the first `columns` columns of a row take.
    pub fn prefix_length(&self, row: &[u8], columns: usize) -> Result<usize, String> {
        let mut rest = row;
        let whole = self.columns[..columns].iter().try_for_each(|column| column.skip(&mut rest));
        whole.map(|()| row.len() - rest.len()).ok_or_else(|| "a row ends too early".to_string())
    }
}

/// What a value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    /// An integer of so many bytes; dates and times are integers.
    Signed(usize),
    Unsigned(usize),
    /// An IEEE 754 number of so many bytes.
    Float(usize),
    Decimal,
    Text,
    Bytes,
    /// Anything else: arrow-row's bytes.
    Other,
}

impl Kind {
    fn of(data_type: &DataType) -> Self {
        use DataType::*;
        match data_type {
            Boolean => Kind::Bool,
            Int8 => Kind::Signed(1),
            Int16 => Kind::Signed(2),
            Int32 | Date32 | Time32(_) => Kind::Signed(4),
            Int64 | Date64 | Time64(_) | Timestamp(..) | Duration(_) => Kind::Signed(8),
            UInt8 => Kind::Unsigned(1),
            UInt16 => Kind::Unsigned(2),
            UInt32 => Kind::Unsigned(4),
            UInt64 => Kind::Unsigned(8),
            Float32 => Kind::Float(4),
            Float64 => Kind::Float(8),
            Decimal128(..) => Kind::Decimal,
            Utf8 => Kind::Text,
            Binary => Kind::Bytes,
            _ => Kind::Other,
        }
    }
}

struct Column {
    kind: Kind,
    data_type: DataType,
    order: Option<SortOptions>,
    /// Of [`Kind::Other`].
    converter: Option<RowConverter>,
}

impl Column {
    fn new(encoding: &Encoding) -> Result<Self, Error> {
        let kind = Kind::of(&encoding.data_type);
        let field = SortField::new_with_options(encoding.data_type.clone(), encoding.order.unwrap_or_default());
        let converter = (kind == Kind::Other).then(|| RowConverter::new(vec![field])).transpose();
        let converter = converter.map_err(|e| Error::Codec(e.to_string()))?;
        Ok(Column { kind, data_type: encoding.data_type.clone(), order: encoding.order, converter })
    }

    fn writer<'a>(&self, array: &'a ArrayRef) -> Result<Writer<'a>, String> {
        if array.data_type() != &self.data_type {
            return Err(format!("a column is of type {}, not {}", array.data_type(), self.data_type));
        }
        let values = match self.kind {
            Kind::Bool => {
                let bits = array.as_boolean();
                Values::Words((0..bits.len()).map(|row| i64::from(bits.value(row))).collect())
            }
            Kind::Signed(_) | Kind::Unsigned(_) | Kind::Float(_) => Values::Words(self.words(&array.to_data())),
            Kind::Decimal => Values::Decimals(array.as_primitive::<arrow::datatypes::Decimal128Type>().values()),
            Kind::Text => Values::Text(array.as_string()),
            Kind::Bytes => Values::Bytes(array.as_binary()),
            Kind::Other => {
                let converter = self.converter.as_ref().ok_or("a column has no converter")?;
                Values::Other(converter.convert_columns(std::slice::from_ref(array)).map_err(|e| e.to_string())?)
            }
        };
        Ok(Writer { nulls: array.logical_nulls(), values, order: self.order })
    }

    /// Values as integers whose order is that of the values; compact, small values are small integers.
    fn words(&self, data: &ArrayData) -> Vec<i64> {
        macro_rules! widened {
            ($type:ty, $map:expr) => {
                data.buffer::<$type>(0)[..data.len()].iter().map($map).collect()
            };
        }
        // Sorted words are compared as signed integers.
        let flip = if self.order.is_some() { i64::MIN } else { 0 };
        match self.kind {
            Kind::Signed(1) => widened!(i8, |v| i64::from(*v)),
            Kind::Signed(2) => widened!(i16, |v| i64::from(*v)),
            Kind::Signed(4) => widened!(i32, |v| i64::from(*v)),
            Kind::Signed(_) => widened!(i64, |v| *v),
            Kind::Unsigned(1) => widened!(u8, |v| i64::from(*v)),
            Kind::Unsigned(2) => widened!(u16, |v| i64::from(*v)),
            Kind::Unsigned(4) => widened!(u32, |v| i64::from(*v)),
            Kind::Unsigned(_) => widened!(u64, |v| (*v as i64) ^ flip),
            Kind::Float(4) => widened!(f32, |v| total_order(f64::from(*v))),
            _ => widened!(f64, |v| total_order(*v)),
        }
    }

    fn of_words(&self, words: &[i64], nulls: Option<NullBuffer>) -> Result<ArrayRef, String> {
        fn narrowed<T: ArrowNativeType>(words: &[i64], map: impl Fn(i64) -> T) -> Buffer {
            words.iter().map(|word| map(*word)).collect::<Vec<T>>().into()
        }
        let flip = if self.order.is_some() { i64::MIN } else { 0 };
        let buffer = match self.kind {
            Kind::Bool => {
                let bits = BooleanBuffer::collect_bool(words.len(), |row| words[row] != 0);
                return Ok(std::sync::Arc::new(BooleanArray::new(bits, nulls)));
            }
            Kind::Signed(1) => narrowed(words, |w| w as i8),
            Kind::Signed(2) => narrowed(words, |w| w as i16),
            Kind::Signed(4) => narrowed(words, |w| w as i32),
            Kind::Unsigned(1) => narrowed(words, |w| w as u8),
            Kind::Unsigned(2) => narrowed(words, |w| w as u16),
            Kind::Unsigned(4) => narrowed(words, |w| w as u32),
            Kind::Unsigned(_) => narrowed(words, |w| (w ^ flip) as u64),
            Kind::Float(4) => narrowed(words, |w| from_total_order(w) as f32),
            Kind::Float(_) => narrowed(words, from_total_order),
            _ => narrowed(words, |w| w),
        };
        let data = ArrayData::builder(self.data_type.clone()).len(words.len()).add_buffer(buffer).nulls(nulls);
        Ok(make_array(data.build().map_err(|e| e.to_string())?))
    }

    /// Takes this column off the front of a row, unread.
    fn skip(&self, row: &mut &[u8]) -> Option<()> {
        match (self.kind, self.order) {
            (Kind::Text | Kind::Bytes | Kind::Other, None) => take_compact(row, &mut Vec::new()).map(drop),
            (Kind::Text | Kind::Bytes, Some(order)) => take_escaped(row, order, &mut Vec::new()).map(drop),
            (Kind::Other, Some(order)) => take_escaped(row, SortOptions { descending: false, ..order }, &mut Vec::new()).map(drop),
            (_, None) => take_number(row).map(drop),
            (Kind::Decimal, Some(order)) => take_sorted::<16>(row, order).map(drop),
            (_, Some(order)) => take_sorted::<8>(row, order).map(drop),
        }
    }

    /// Takes this column off the front of every row.
    fn read(&self, rows: &mut [&[u8]]) -> Result<ArrayRef, String> {
        let damaged = || "a row ends too early".to_string();
        let mut valid = Vec::with_capacity(rows.len());
        match self.kind {
            Kind::Bool | Kind::Signed(_) | Kind::Unsigned(_) | Kind::Float(_) => {
                let mut words = Vec::with_capacity(rows.len());
                for row in rows {
                    let word = match self.order {
                        None => take_word(row).map(|word| word.map(unzigzag)),
                        Some(order) => take_sorted(row, order).map(|bytes| bytes.map(|b| (u64::from_be_bytes(b) ^ (1 << 63)) as i64)),
                    };
                    let word = word.ok_or_else(damaged)?;
                    valid.push(word.is_some());
                    words.push(word.unwrap_or(0));
                }
                self.of_words(&words, nulls(valid))
            }
            Kind::Decimal => {
                let mut values: Vec<i128> = Vec::with_capacity(rows.len());
                for row in rows {
                    let value = match self.order {
                        None => take_number(row).map(|number| number.map(unzigzag_wide)),
                        Some(order) => take_sorted(row, order).map(|bytes| bytes.map(|b| (u128::from_be_bytes(b) ^ (1 << 127)) as i128)),
                    };
                    let value = value.ok_or_else(damaged)?;
                    valid.push(value.is_some());
                    values.push(value.unwrap_or(0));
                }
                let data = ArrayData::builder(self.data_type.clone()).len(values.len()).add_buffer(values.into()).nulls(nulls(valid));
                Ok(make_array(data.build().map_err(|e| e.to_string())?))
            }
            Kind::Text | Kind::Bytes => {
                let mut bytes = Vec::with_capacity(rows.len() * 16);
                let mut ends = Vec::with_capacity(rows.len() + 1);
                ends.push(0i32);
                for row in rows {
                    let found = match self.order {
                        None => take_compact(row, &mut bytes),
                        Some(order) => take_escaped(row, order, &mut bytes),
                    };
                    valid.push(found.ok_or_else(damaged)?);
                    ends.push(i32::try_from(bytes.len()).map_err(|_| "the texts of a batch are more than 2 GiB".to_string())?);
                }
                let data = ArrayData::builder(self.data_type.clone()).len(valid.len()).nulls(nulls(valid));
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends)).into_inner().into_inner();
                let data = data.add_buffer(offsets).add_buffer(bytes.into());
                // SAFETY: offsets grow and end within the bytes; texts were valid when they were written, and each is whole.
                Ok(make_array(unsafe { data.build_unchecked() }))
            }
            Kind::Other => {
                let converter = self.converter.as_ref().ok_or_else(damaged)?;
                let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(rows.len()));
                for row in rows {
                    let found = match self.order {
                        None => take_compact(row, &mut bytes),
                        Some(order) => take_escaped(row, SortOptions { descending: false, ..order }, &mut bytes),
                    };
                    valid.push(found.ok_or_else(damaged)?);
                    ends.push(bytes.len());
                }
                if !valid.contains(&true) {
                    return Ok(new_null_array(&self.data_type, valid.len()));
                }
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let encoded: Vec<&[u8]> = starts.zip(&ends).map(|(start, end)| &bytes[start..*end]).collect();
                // A null has no bytes of its own: any value stands in its place until it is taken out again.
                let some = encoded.iter().zip(&valid).find(|(_, valid)| **valid).map_or(&[][..], |(bytes, _)| bytes);
                // SAFETY: the parser only ever reads bytes that a converter of the same field wrote.
                let parser = unsafe { converter.parser_skip_utf8_validation() };
                let rows = encoded.iter().zip(&valid).map(|(bytes, valid)| parser.parse(if *valid { bytes } else { some }));
                let column = converter.convert_rows(rows).map_err(|e| e.to_string())?.remove(0);
                let column = if column.data_type() == &self.data_type {
                    column
                } else {
                    cast(&column, &self.data_type).map_err(|e| e.to_string())?
                };
                if valid.contains(&false) {
                    let indices: arrow::array::UInt64Array =
                        valid.iter().enumerate().map(|(row, valid)| valid.then_some(row as u64)).collect();
                    return arrow::compute::take(&column, &indices, None).map_err(|e| e.to_string());
                }
                Ok(column)
            }
        }
    }
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    valid.contains(&false).then(|| NullBuffer::from(valid))
}

/// A column about to be written.
struct Writer<'a> {
    nulls: Option<NullBuffer>,
    values: Values<'a>,
    order: Option<SortOptions>,
}

enum Values<'a> {
    Words(Vec<i64>),
    Decimals(&'a [i128]),
    Text(&'a arrow::array::StringArray),
    Bytes(&'a arrow::array::BinaryArray),
    Other(arrow_row::Rows),
}

impl Writer<'_> {
    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        let is_null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        match self.order {
            None if is_null => out.push(NULL),
            None => match &self.values {
                Values::Words(words) => put_word(out, zigzag(words[row])),
                Values::Decimals(values) => put_number(out, zigzag_wide(values[row])),
                Values::Text(texts) => put_text(out, texts.value(row)),
                Values::Bytes(values) => put_bytes(out, values.value(row)),
                Values::Other(rows) => put_bytes(out, rows.row(row).data()),
            },
            Some(order) if is_null => out.push(null_mark(order)),
            Some(order) => match &self.values {
                Values::Words(words) => put_sorted(out, &((words[row] as u64) ^ (1 << 63)).to_be_bytes(), order),
                Values::Decimals(values) => put_sorted(out, &((values[row] as u128) ^ (1 << 127)).to_be_bytes(), order),
                Values::Text(texts) => put_escaped(out, texts.value(row).as_bytes(), order),
                Values::Bytes(values) => put_escaped(out, values.value(row), order),
                // arrow-row's bytes sort in the direction that the converter was given.
                Values::Other(rows) => put_escaped(out, rows.row(row).data(), SortOptions { descending: false, ..order }),
            },
        }
    }
}

/// Appends one value as the codec would, compact.
pub mod value {
    use super::bytes::{NULL, put_number, put_word, take_word, total_order, unzigzag, zigzag, zigzag_wide};

    /// A null of any type.
    pub fn null(out: &mut Vec<u8>) {
        out.push(NULL);
    }

    /// A 64-bit integer.
    pub fn int64(out: &mut Vec<u8>, value: Option<i64>) {
        match value {
            Some(value) => put_word(out, zigzag(value)),
            None => out.push(NULL),
        }
    }

    /// An unsigned 64-bit integer.
    pub fn uint64(out: &mut Vec<u8>, value: u64) {
        int64(out, Some(value as i64));
    }

    /// Takes off the integer that a row begins with; `None` for a null, or where the row ends too early.
    pub fn take_int64(row: &mut &[u8]) -> Option<i64> {
        take_word(row)?.map(unzigzag)
    }

    /// As [`take_int64`], unsigned.
    pub fn take_uint64(row: &mut &[u8]) -> Option<u64> {
        take_int64(row).map(|value| value as u64)
    }

    /// Bytes of any length.
    pub fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
        uint64(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }

    /// Takes off the bytes that a row begins with.
    pub fn take_bytes<'a>(row: &mut &'a [u8]) -> Option<&'a [u8]> {
        let length = usize::try_from(take_uint64(row)?).ok()?;
        let (bytes, rest) = row.split_at_checked(length)?;
        *row = rest;
        Some(bytes)
    }

    /// A double.
    pub fn float64(out: &mut Vec<u8>, value: Option<f64>) {
        int64(out, value.map(total_order));
    }

    /// The unscaled value of a 128-bit decimal.
    pub fn decimal128(out: &mut Vec<u8>, value: Option<i128>) {
        match value {
            Some(value) => put_number(out, zigzag_wide(value)),
            None => out.push(NULL),
        }
    }
}

#[cfg(test)]
mod tests;
