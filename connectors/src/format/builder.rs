//! Arrow arrays that grow by cells.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder, Int16Builder, Int32Builder,
    Int64Builder, ListArray, StringBuilder, StructArray, TimestampNanosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};

use super::value::{Cell, ColumnKind};

/// One column of a batch in the making.
pub(super) enum Builder {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Text(StringBuilder),
    Decimal(Decimal128Builder),
    Timestamp(TimestampNanosecondBuilder),
    Date(Date32Builder),
    Bytes(BinaryBuilder),
    List { item: Arc<Field>, items: Box<Builder>, lengths: Vec<usize>, valid: Vec<bool> },
    Struct { fields: Fields, columns: Vec<Builder>, valid: Vec<bool> },
}

impl Builder {
    /// `kind` has to be that of the field's type.
    pub(super) fn new(kind: &ColumnKind, field: &Field, rows: usize) -> Self {
        match kind {
            ColumnKind::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnKind::Int16 => Self::Int16(Int16Builder::with_capacity(rows)),
            ColumnKind::Int32 => Self::Int32(Int32Builder::with_capacity(rows)),
            ColumnKind::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            ColumnKind::Float32 => Self::Float32(Float32Builder::with_capacity(rows)),
            ColumnKind::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            ColumnKind::Text => Self::Text(StringBuilder::with_capacity(rows, rows * 16)),
            ColumnKind::Decimal { .. } => Self::Decimal(Decimal128Builder::with_capacity(rows).with_data_type(field.data_type().clone())),
            ColumnKind::Timestamp => {
                Self::Timestamp(TimestampNanosecondBuilder::with_capacity(rows).with_data_type(field.data_type().clone()))
            }
            ColumnKind::Date => Self::Date(Date32Builder::with_capacity(rows)),
            ColumnKind::Bytes => Self::Bytes(BinaryBuilder::with_capacity(rows, rows * 16)),
            ColumnKind::List(kind) => {
                let item = match field.data_type() {
                    DataType::List(item) => item.clone(),
                    other => Arc::new(Field::new_list_field(other.clone(), true)),
                };
                let items = Box::new(Self::new(kind, &item, rows));
                Self::List { item, items, lengths: Vec::with_capacity(rows), valid: Vec::with_capacity(rows) }
            }
            ColumnKind::Struct(kinds) => {
                let fields = match field.data_type() {
                    DataType::Struct(fields) => fields.clone(),
                    _ => Fields::empty(),
                };
                let columns = kinds.iter().zip(&fields).map(|((_, kind), field)| Self::new(kind, field, rows)).collect();
                Self::Struct { fields, columns, valid: Vec::with_capacity(rows) }
            }
        }
    }

    /// Appends a cell of the column's kind.
    pub(super) fn append(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Bool(builder), Cell::Bool(value)) => builder.append_value(*value),
            // The narrower ones were read as such.
            (Self::Int16(builder), Cell::Int(value)) => builder.append_value(*value as i16),
            (Self::Int32(builder), Cell::Int(value)) => builder.append_value(*value as i32),
            (Self::Int64(builder), Cell::Int(value)) => builder.append_value(*value),
            (Self::Float32(builder), Cell::Float(value)) => builder.append_value(*value as f32),
            (Self::Float64(builder), Cell::Float(value)) => builder.append_value(*value),
            (Self::Text(builder), Cell::Text(value)) => builder.append_value(value),
            (Self::Decimal(builder), Cell::Decimal(value)) => builder.append_value(*value),
            (Self::Timestamp(builder), Cell::Timestamp(value)) => builder.append_value(*value),
            (Self::Date(builder), Cell::Date(value)) => builder.append_value(*value),
            (Self::Bytes(builder), Cell::Bytes(value)) => builder.append_value(value),
            (Self::List { items, lengths, valid, .. }, Cell::List(cells)) => {
                cells.iter().for_each(|cell| items.append(cell));
                lengths.push(cells.len());
                valid.push(true);
            }
            (Self::Struct { columns, valid, .. }, Cell::Struct(cells)) => {
                columns.iter_mut().zip(cells).for_each(|(column, cell)| column.append(cell));
                valid.push(true);
            }
            (builder, cell) => {
                debug_assert_eq!(cell, &Cell::Null, "a cell of another kind than its column");
                builder.append_null();
            }
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Bool(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Decimal(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Bytes(builder) => builder.append_null(),
            Self::List { lengths, valid, .. } => {
                lengths.push(0);
                valid.push(false);
            }
            Self::Struct { columns, valid, .. } => {
                columns.iter_mut().for_each(Self::append_null);
                valid.push(false);
            }
        }
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Bool(mut builder) => Arc::new(builder.finish()),
            Self::Int16(mut builder) => Arc::new(builder.finish()),
            Self::Int32(mut builder) => Arc::new(builder.finish()),
            Self::Int64(mut builder) => Arc::new(builder.finish()),
            Self::Float32(mut builder) => Arc::new(builder.finish()),
            Self::Float64(mut builder) => Arc::new(builder.finish()),
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Decimal(mut builder) => Arc::new(builder.finish()),
            Self::Timestamp(mut builder) => Arc::new(builder.finish()),
            Self::Date(mut builder) => Arc::new(builder.finish()),
            Self::Bytes(mut builder) => Arc::new(builder.finish()),
            Self::List { item, items, lengths, valid } => {
                Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), items.finish(), nulls(valid)))
            }
            Self::Struct { fields, columns, valid } if columns.is_empty() => {
                debug_assert!(fields.is_empty());
                Arc::new(StructArray::new_empty_fields(valid.len(), nulls(valid)))
            }
            Self::Struct { fields, columns, valid } => {
                Arc::new(StructArray::new(fields, columns.into_iter().map(Self::finish).collect(), nulls(valid)))
            }
        }
    }
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    valid.contains(&false).then(|| NullBuffer::from(valid))
}
