//! Columns that come with types of their own, as a table's.

use arrow::array::{Array, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{FieldRef, SchemaRef};
use arrow::util::display::FormatOptions;

/// A value that does not fit is an error, not a null.
const EXACT: CastOptions<'static> = CastOptions { safe: false, format_options: FormatOptions::new() };

/// The columns of `schema` in `batch`, by name; values of other types are taken as the column's, if they fit.
pub fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, String> {
    let column = |field: &FieldRef| {
        let column = match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => column.clone(),
            Some(column) => cast_with_options(column, field.data_type(), &EXACT)
                .map_err(|error| format!("`{}`, which is {}, is no {}: {error}", field.name(), column.data_type(), field.data_type()))?,
            None => new_null_array(field.data_type(), batch.num_rows()),
        };
        match !field.is_nullable() && column.logical_null_count() > 0 {
            true => Err(format!("`{}` is missing or null, and the column is NOT NULL", field.name())),
            false => Ok(column),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(|error| error.to_string())
}
