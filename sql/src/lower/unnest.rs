//! UNNEST: a row for each item of its lists.

use super::{Lowered, Lowering, Unsupported};
use crate::table::nullable;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, nullif, take};
use arrow::datatypes::{DataType, Field};
use chimera_operators::{RowsFn, Stage};
use datafusion::logical_expr::Unnest;
use std::sync::Arc;

impl Lowering<'_> {
    pub(super) fn unnest(&mut self, unnest: &Unnest) -> Result<Lowered, Unsupported> {
        let input = match self.panes(&unnest.input)? {
            Some(panes) => panes,
            None => self.exactly(&unnest.input)?,
        };
        let items = Items {
            lists: unnest.list_type_columns.iter().map(|(column, list)| List { column: *column, depth: list.depth }).collect(),
            structs: unnest.struct_type_columns.clone(),
            rows_of_null: usize::from(unnest.options.preserve_nulls()),
            rows_of_empty: usize::from(unnest.options.expand_empty_as_null()),
        };
        let schema = nullable(unnest.schema.as_arrow());
        let node = self.map(input.node, vec![Stage::Expand { function: Arc::new(items), schema: schema.clone() }], schema);
        Ok(Lowered { node, schema: unnest.schema.as_ref().clone() })
    }
}

/// A column that is taken apart `depth` times. A column may be there with several depths.
#[derive(Debug)]
struct List {
    column: usize,
    depth: usize,
}

/// Takes lists apart side by side: a shorter one goes on with nulls. Lists of lists are taken apart from the outside in; those
/// with fewer levels wait, so that all end at the same rows. Then structs become columns. As DataFusion's `UnnestExec`.
#[derive(Debug)]
struct Items {
    lists: Vec<List>,
    structs: Vec<usize>,
    rows_of_null: usize,
    rows_of_empty: usize,
}

impl RowsFn for Items {
    fn evaluate(&self, batch: &RecordBatch) -> Result<(Vec<ArrayRef>, Vec<u32>), String> {
        let failed = |e: arrow::error::ArrowError| e.to_string();
        let mut lists: Vec<ArrayRef> = self.lists.iter().map(|list| batch.column(list.column).clone()).collect();
        let mut origins: Vec<u32> = (0..batch.num_rows() as u32).collect();
        let levels = self.lists.iter().map(|list| list.depth).max().unwrap_or(0);
        for level in (1..=levels).rev() {
            let is_open: Vec<bool> = self.lists.iter().map(|list| list.depth >= level).collect();
            let opened = lists.iter().zip(&is_open).filter(|(_, open)| **open).map(|(list, _)| as_list(list));
            let opened = opened.collect::<Result<Vec<_>, _>>().map_err(failed)?;
            let mut parents: Vec<u32> = Vec::new();
            let mut items: Vec<Vec<Option<u32>>> = vec![Vec::new(); opened.len()];
            for row in 0..origins.len() {
                let length = |list: &ArrayRef| {
                    let list = list.as_list::<i32>();
                    match list.value_length(row) as usize {
                        _ if list.is_null(row) => self.rows_of_null,
                        0 => self.rows_of_empty,
                        length => length,
                    }
                };
                let rows = opened.iter().map(length).max().unwrap_or(0);
                parents.extend(std::iter::repeat_n(row as u32, rows));
                for (list, items) in opened.iter().zip(&mut items) {
                    let list = list.as_list::<i32>();
                    let held = if list.is_null(row) { 0 } else { list.value_length(row) as usize };
                    let first = list.value_offsets()[row] as usize;
                    items.extend((0..rows).map(|item| (item < held).then_some((first + item) as u32)));
                }
            }
            let parents = UInt32Array::from(parents);
            let mut opened = opened.iter().zip(items);
            for (list, open) in lists.iter_mut().zip(&is_open) {
                *list = match opened.next().filter(|_| *open) {
                    Some((opened, items)) => take(opened.as_list::<i32>().values(), &UInt32Array::from(items), None).map_err(failed)?,
                    None => take(list, &parents, None).map_err(failed)?,
                };
            }
            origins = parents.values().iter().map(|parent| origins[*parent as usize]).collect();
        }
        let rows = UInt32Array::from(origins.clone());
        let mut columns = Vec::new();
        for (index, column) in batch.columns().iter().enumerate() {
            let items: Vec<_> = self.lists.iter().zip(&lists).filter(|(list, _)| list.column == index).collect();
            if self.structs.contains(&index) {
                columns.extend(fields(&take(column, &rows, None).map_err(failed)?).map_err(failed)?);
            } else if items.is_empty() {
                columns.push(take(column, &rows, None).map_err(failed)?);
            } else {
                columns.extend(items.into_iter().map(|(_, items)| items.clone()));
            }
        }
        Ok((columns, origins))
    }

    fn describe(&self) -> String {
        let lists = self.lists.iter().map(|list| format!("list @{} depth {}", list.column, list.depth));
        let items: Vec<_> = lists.chain(self.structs.iter().map(|column| format!("struct @{column}"))).collect();
        format!("{} null as {} empty as {} row(s)", items.join(", "), self.rows_of_null, self.rows_of_empty)
    }
}

/// A list of any kind as one with 32-bit offsets.
fn as_list(array: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    match array.data_type() {
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let item = Field::new("item", item.data_type().clone(), true);
            cast(array, &DataType::List(Arc::new(item)))
        }
        _ => Ok(array.clone()),
    }
}

/// The columns of a struct; null where the struct is.
fn fields(array: &ArrayRef) -> Result<Vec<ArrayRef>, arrow::error::ArrowError> {
    let array = array.as_struct();
    let is_null = BooleanArray::from_iter((0..array.len()).map(|row| Some(array.is_null(row))));
    array.columns().iter().map(|column| nullif(column, &is_null)).collect()
}
