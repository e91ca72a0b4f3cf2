//! What the pipeline `experiments` has counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use chimera_connectors::sink::view::{Views, Wanted};

use crate::api::problem::{Problem, Result};

/// The live view, a row an experiment and variant.
pub const VIEW: &str = "experiments.variants";

/// What became of those who were shown a variant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub subjects: u64,
    /// Of them those who ordered within their window.
    pub converted: u64,
    pub orders: u64,
    /// In thousandths of a unit of currency.
    pub revenue_milli: i128,
    /// The sum of the squares of what each subject spent, in millionths.
    pub squares_micro: i128,
}

/// The counts of an experiment by variant, all of one moment. `None`: there is no such view yet.
pub fn read(views: &Views, experiment: &str) -> chimera_connectors::Result<Option<Vec<RecordBatch>>> {
    let moment = Arc::new(views.moment());
    let wanted = Wanted { equal: vec![Arc::new(StringArray::from(vec![experiment]))], between: None };
    let (Some(schema), Some(access)) = (moment.schema(VIEW), moment.by_key(VIEW, &wanted)?) else { return Ok(None) };
    let columns: Vec<usize> = (0..schema.fields().len()).collect();
    moment.rows(VIEW, &columns, access)?.map(Iterator::collect).transpose()
}

/// Reads rows of the view.
pub fn counts(batches: &[RecordBatch]) -> Result<BTreeMap<String, Counts>> {
    let mut counts = BTreeMap::new();
    for batch in batches {
        let variants = column::<StringArray>(batch, "variant")?;
        let number = |name: &str, row: usize| -> Result<u64> {
            let value = column::<Int64Array>(batch, name)?.value(row);
            u64::try_from(value).map_err(|_| Problem::internal(format!("{VIEW}.{name} is {value}")))
        };
        for row in 0..batch.num_rows() {
            let of_row = Counts {
                subjects: number("subjects", row)?,
                converted: number("converted", row)?,
                orders: number("orders", row)?,
                revenue_milli: decimal(batch, "revenue", 3, row)?,
                squares_micro: decimal(batch, "revenue_squares", 6, row)?,
            };
            counts.insert(variants.value(row).to_owned(), of_row);
        }
    }
    Ok(counts)
}

fn column<'a, T: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T> {
    let column = batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref::<T>());
    column.ok_or_else(|| Problem::internal(format!("{VIEW} has no column {name} of the type that is read")))
}

/// A decimal as a whole number of its last digits.
fn decimal(batch: &RecordBatch, name: &str, scale: i8, row: usize) -> Result<i128> {
    let column = column::<Decimal128Array>(batch, name)?;
    match column.data_type() {
        DataType::Decimal128(_, of) if *of == scale => Ok(column.value(row)),
        other => Err(Problem::internal(format!("{VIEW}.{name} is {other}, and not of {scale} digits behind the point"))),
    }
}
