//! Columns to memory-comparable rows and back.

use crate::Error;
use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Schema};
use arrow_row::{RowConverter, RowParser, Rows, SortField};

/// The type of an encoded column and the direction in which its bytes sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    pub data_type: DataType,
    pub order: SortOptions,
}

impl Encoding {
    /// Ascending, nulls first.
    pub fn ascending(data_type: DataType) -> Self {
        Encoding { data_type, order: SortOptions::default() }
    }
}

/// Turns columns into rows of bytes whose order is the order of the columns, and back.
pub struct Codec {
    converter: RowConverter,
    parser: RowParser,
    pub encodings: Vec<Encoding>,
}

impl Codec {
    pub fn new(encodings: Vec<Encoding>) -> Result<Self, Error> {
        let fields = encodings.iter().map(|e| SortField::new_with_options(e.data_type.clone(), e.order)).collect();
        let converter = RowConverter::new(fields).map_err(|e| Error::Codec(e.to_string()))?;
        // SAFETY: the parser only ever reads bytes that a converter of the same fields wrote.
        let parser = unsafe { converter.parser_skip_utf8_validation() };
        Ok(Codec { converter, parser, encodings })
    }

    /// All columns of `schema`, ascending.
    pub fn for_schema(schema: &Schema) -> Result<Self, Error> {
        Self::new(schema.fields().iter().map(|f| Encoding::ascending(f.data_type().clone())).collect())
    }

    /// The rows of `columns`, which have the codec's types.
    pub fn encode(&self, columns: &[ArrayRef]) -> Result<Rows, String> {
        self.converter.convert_columns(columns).map_err(|e| e.to_string())
    }

    /// The columns of `rows`, which this codec (or codecs of its columns, concatenated) wrote.
    pub fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>, String> {
        let parser = &self.parser;
        self.converter.convert_rows(rows.map(|bytes| parser.parse(bytes))).map_err(|e| e.to_string())
    }
}

/// Appends one value as the codec would, ascending with nulls first.
pub mod value {
    /// A 64-bit integer.
    pub fn int64(out: &mut Vec<u8>, value: Option<i64>) {
        match value {
            Some(value) => {
                out.push(1);
                out.extend_from_slice(&((value as u64) ^ (1 << 63)).to_be_bytes());
            }
            None => out.extend_from_slice(&[0; 9]),
        }
    }

    /// An unsigned 64-bit integer.
    pub fn uint64(out: &mut Vec<u8>, value: u64) {
        out.push(1);
        out.extend_from_slice(&value.to_be_bytes());
    }

    /// A double, in IEEE 754 total order.
    pub fn float64(out: &mut Vec<u8>, value: Option<f64>) {
        match value {
            Some(value) => {
                let signed = value.to_bits() as i64;
                let ordered = signed ^ (((signed >> 63) as u64) >> 1) as i64;
                int64(out, Some(ordered));
            }
            None => out.extend_from_slice(&[0; 9]),
        }
    }

    /// The unscaled value of a 128-bit decimal.
    pub fn decimal128(out: &mut Vec<u8>, value: Option<i128>) {
        match value {
            Some(value) => {
                out.push(1);
                out.extend_from_slice(&((value as u128) ^ (1 << 127)).to_be_bytes());
            }
            None => out.extend_from_slice(&[0; 17]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float64Array, Int64Array};
    use std::sync::Arc;

    #[test]
    fn single_values_are_encoded_as_columns_are() {
        let ints = [None, Some(i64::MIN), Some(-1), Some(0), Some(77), Some(i64::MAX)];
        let floats = [None, Some(-1.5), Some(-0.0), Some(0.0), Some(1e300), Some(f64::NAN)];
        let decimals = [None, Some(-12_345_678_901_234_567_890_123), Some(-1), Some(0), Some(42), Some(99_999)];
        let codec = |t| Codec::new(vec![Encoding::ascending(t)]).unwrap();
        let int_rows = codec(DataType::Int64).encode(&[Arc::new(Int64Array::from_iter(ints))]).unwrap();
        let float_rows = codec(DataType::Float64).encode(&[Arc::new(Float64Array::from_iter(floats))]).unwrap();
        let column = Decimal128Array::from_iter(decimals).with_precision_and_scale(30, 2).unwrap();
        let decimal_rows = codec(DataType::Decimal128(30, 2)).encode(&[Arc::new(column)]).unwrap();
        for i in 0..6 {
            let mut bytes = vec![];
            value::int64(&mut bytes, ints[i]);
            assert_eq!(bytes, int_rows.row(i).data());
            bytes.clear();
            value::float64(&mut bytes, floats[i]);
            assert_eq!(bytes, float_rows.row(i).data());
            bytes.clear();
            value::decimal128(&mut bytes, decimals[i]);
            assert_eq!(bytes, decimal_rows.row(i).data());
        }
    }
}
