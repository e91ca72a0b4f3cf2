//! Columns under construction.

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampNanosecondArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use std::sync::Arc;

/// A column of texts.
pub(super) struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Texts {
    /// Room for `rows` texts of about `length` bytes.
    pub fn new(rows: usize, length: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Texts { bytes: Vec::with_capacity(rows * length), ends }
    }

    pub fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.end();
    }

    /// One text, of what `write` appends; its length.
    pub fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.end();
        self.bytes.len() - start
    }

    fn end(&mut self) {
        // Whether all of them fit is found out once, at the end.
        self.ends.push(self.bytes.len() as i32);
    }

    pub fn finish(self) -> Result<ArrayRef, ArrowError> {
        if i32::try_from(self.bytes.len()).is_err() {
            return Err(ArrowError::OffsetOverflowError(self.bytes.len()));
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from(self.bytes), None)?))
    }
}

pub(super) fn integers(values: Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

pub(super) fn times(nanoseconds: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(nanoseconds))
}

/// Columns of `names`, in their order; all may be null, as a declared table's may.
pub(super) fn schema(names: &[(&str, &DataType)]) -> SchemaRef {
    Arc::new(Schema::new(names.iter().map(|(name, data_type)| Field::new(*name, (*data_type).clone(), true)).collect::<Vec<_>>()))
}

pub(super) const TIME: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);
