//! Functions written in Rust with `#[udf]`, in files that Arroyo compiles too (`make test` does, with `../../../udf/arroyo`). One file each, one
//! line in [`register`].

mod gini;
mod gtin14;
mod haversine_km;
mod slug;

use super::Functions;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(super) fn register(functions: &mut Functions) {
    gini::register(functions);
    gtin14::register(functions);
    haversine_km::register(functions);
    slug::register(functions);
}

/// What a function takes.
#[diagnostic::on_unimplemented(
    message = "a function of SQL cannot take `{Self}`: bool, i8 to i64, u8 to u64, f32, f64, &str and &[u8] can be taken"
)]
pub trait Argument<'a>: Sized {
    const DATA_TYPE: DataType;

    /// The value in a row of a column of that type; `None` if it is null.
    fn at(column: &'a ArrayRef, row: usize) -> Option<Self>;
}

/// What a function gives.
#[diagnostic::on_unimplemented(
    message = "a function of SQL cannot give `{Self}`: bool, i8 to i64, u8 to u64, f32, f64, String and Vec<u8> can be given"
)]
pub trait Returned: Sized {
    const DATA_TYPE: DataType;

    fn column(values: impl Iterator<Item = Option<Self>>) -> ArrayRef;
}

macro_rules! numbers {
    ($($number:ty: $arrow:ty),* $(,)?) => {$(
        impl Argument<'_> for $number {
            const DATA_TYPE: DataType = <$arrow as ArrowPrimitiveType>::DATA_TYPE;

            fn at(column: &ArrayRef, row: usize) -> Option<Self> {
                let column = column.as_primitive::<$arrow>();
                column.is_valid(row).then(|| column.value(row))
            }
        }

        impl Returned for $number {
            const DATA_TYPE: DataType = <$arrow as ArrowPrimitiveType>::DATA_TYPE;

            fn column(values: impl Iterator<Item = Option<Self>>) -> ArrayRef {
                Arc::new(values.collect::<PrimitiveArray<$arrow>>())
            }
        }
    )*};
}

numbers! {
    i8: Int8Type, i16: Int16Type, i32: Int32Type, i64: Int64Type,
    u8: UInt8Type, u16: UInt16Type, u32: UInt32Type, u64: UInt64Type,
    f32: Float32Type, f64: Float64Type,
}

macro_rules! others {
    ($($taken:ty, $given:ty: $data_type:ident, $array:ty;)*) => {$(
        impl<'a> Argument<'a> for $taken {
            const DATA_TYPE: DataType = DataType::$data_type;

            fn at(column: &'a ArrayRef, row: usize) -> Option<Self> {
                let column = column.as_any().downcast_ref::<$array>().expect("the planner casts to the type of the function");
                column.is_valid(row).then(|| column.value(row))
            }
        }

        impl Returned for $given {
            const DATA_TYPE: DataType = DataType::$data_type;

            fn column(values: impl Iterator<Item = Option<Self>>) -> ArrayRef {
                Arc::new(values.collect::<$array>())
            }
        }
    )*};
}

others! {
    bool, bool: Boolean, BooleanArray;
    &'a str, String: Utf8, StringArray;
    &'a [u8], Vec<u8>: Binary, BinaryArray;
}

/// `call` for each row.
///
/// # Errors
/// What it panics with.
pub fn of_rows<R: Returned>(columns: &[ArrayRef], call: impl Fn(usize) -> Option<R>) -> Result<ArrayRef, String> {
    let rows = columns.first().map_or(1, |column| column.len());
    caught(|| R::column((0..rows).map(call)))
}

/// `call` once, for a group.
///
/// # Errors
/// What it panics with.
pub fn of_group<R: Returned>(call: impl FnOnce() -> Option<R>) -> Result<ArrayRef, String> {
    caught(|| R::column(std::iter::once(call())))
}

/// The values in all rows of a column.
pub fn all<'a, A: Argument<'a>>(column: &'a ArrayRef) -> impl Iterator<Item = Option<A>> {
    (0..column.len()).map(|row| A::at(column, row))
}

/// A function that panics fails for its row, and does not end the pipeline.
fn caught(compute: impl FnOnce() -> ArrayRef) -> Result<ArrayRef, String> {
    catch_unwind(AssertUnwindSafe(compute)).map_err(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("it panicked: {}", message.unwrap_or("without a message"))
    })
}
