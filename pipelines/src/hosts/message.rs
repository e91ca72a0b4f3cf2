//! What the driver of a dataflow and its part on a host say to each other, and rows on their way.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use chimera_sql::{Delta, ProgramText};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Rows of one message; what is more comes in several.
pub const ROWS: usize = 16_384;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    pub run: Uuid,
    pub text: ProgramText,
    /// What the functions in the text depend on beside their arguments; empty: nothing.
    pub functions_version: String,
    /// `host:port` of all, in an order that is the same for all.
    pub hosts: Vec<String>,
    /// Which of them this is said to.
    pub index: usize,
    /// Threads of each.
    pub workers: usize,
    /// The checkpoint to go on from, as it was named; `None`: begin empty.
    pub checkpoint: Option<Uuid>,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Start(Box<Start>),
    /// Changes of a table for the next step: the rows follow.
    Push {
        table: String,
    },
    Step {
        /// Nanoseconds since 1970.
        now: Option<i64>,
    },
    /// To be made durable under this name.
    Checkpoint(Uuid),
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    Started {
        fingerprint: u64,
    },
    /// Some of this part's changes of a sink: the rows follow.
    Changes {
        table: String,
    },
    /// The step is done, and all changes were sent. Rows that an expression refused, by message.
    Stepped {
        row_errors: BTreeMap<String, u64>,
    },
    Checkpointed,
    /// This part has ended.
    Failed(String),
    /// There is no such checkpoint here; this part has ended.
    NotHeld,
}

/// The column that rows carry their weights in: no column of a table can be named so.
const WEIGHT: &str = "\0weight";

/// Rows and their weights as an Arrow stream.
pub fn encode(delta: &Delta) -> Result<Vec<u8>, ArrowError> {
    let weights: Int64Array = (0..delta.len()).map(|row| delta.weight(row)).collect();
    let schema = delta.batch.schema();
    let fields = schema.fields().iter().cloned().chain([Arc::new(Field::new(WEIGHT, DataType::Int64, false))]);
    let columns = delta.batch.columns().iter().cloned().chain([Arc::new(weights) as ArrayRef]);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns.collect())?;
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(&batch)?;
    writer.into_inner()
}

pub fn decode(bytes: &[u8]) -> Result<Delta, ArrowError> {
    let mut reader = StreamReader::try_new(bytes, None)?;
    let wrong = || ArrowError::InvalidArgumentError("rows that came over the network have no weights".into());
    let batch = reader.next().ok_or_else(wrong)??;
    let last = batch.num_columns().checked_sub(1).ok_or_else(wrong)?;
    let weights = batch.column(last).as_primitive_opt::<Int64Type>().filter(|weights| weights.null_count() == 0).ok_or_else(wrong)?;
    let weights = weights.values().to_vec();
    let rows = batch.num_rows();
    let columns = batch.columns()[..last].to_vec();
    let schema = Arc::new(Schema::new(batch.schema().fields()[..last].to_vec()));
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(Delta { batch: RecordBatch::try_new_with_options(schema, columns, &options)?, weights: Some(weights) })
}

/// The rows from `start` on, `rows` of them.
pub fn slice(delta: &Delta, start: usize, rows: usize) -> Delta {
    let weights = delta.weights.as_ref().map(|weights| weights[start..start + rows].to_vec());
    Delta { batch: delta.batch.slice(start, rows), weights }
}

/// In pieces of at most [`ROWS`] rows.
pub fn pieces(delta: &Delta) -> impl Iterator<Item = Delta> + '_ {
    (0..delta.len()).step_by(ROWS).map(|start| slice(delta, start, ROWS.min(delta.len() - start)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    #[test]
    fn rows_arrive_as_they_were_sent() {
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c"), Some("d")]));
        let batch = RecordBatch::try_from_iter_with_nullable([("x", column, true)]).expect("a batch");
        let delta = Delta { batch, weights: Some(vec![1, -2, 3, 1]) };
        let part = decode(&encode(&slice(&delta, 1, 2)).expect("encoded")).expect("decoded");
        assert_eq!((part.batch, part.weights), (delta.batch.slice(1, 2), Some(vec![-2, 3])));
        let none = Delta::insert(delta.batch.project(&[]).expect("no columns"));
        let none = decode(&encode(&none).expect("encoded")).expect("decoded");
        assert_eq!((none.len(), none.batch.num_columns(), none.weights), (4, 0, Some(vec![1; 4])));
        decode(b"nonsense").expect_err("no rows");
    }
}
