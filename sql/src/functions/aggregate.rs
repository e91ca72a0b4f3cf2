//! Aggregates that are given all rows of a group at once: exact when rows go, whatever they compute.

use super::Function;
use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The type of the result by the types of the arguments.
type ReturnType = Arc<dyn Fn(&[DataType]) -> DataType + Send + Sync>;

/// An aggregate around a function of whole columns, which gives one value.
pub(super) fn of_all_rows(
    name: &str,
    signature: Signature,
    return_type: impl Fn(&[DataType]) -> DataType + Send + Sync + 'static,
    function: Function,
) -> AggregateUDF {
    AggregateUDF::from(OfAllRows { name: name.to_string(), signature, return_type: Arc::new(return_type), function })
}

struct OfAllRows {
    name: String,
    signature: Signature,
    return_type: ReturnType,
    function: Function,
}

impl fmt::Debug for OfAllRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

// A program has one aggregate of a name.
impl PartialEq for OfAllRows {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.signature == other.signature
    }
}

impl Eq for OfAllRows {}

impl Hash for OfAllRows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for OfAllRows {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok((self.return_type)(types))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Box::new(Rows {
            name: self.name.clone(),
            columns: types.iter().map(|data_type| vec![new_empty_array(data_type)]).collect(),
            return_type: (self.return_type)(&types),
            function: self.function.clone(),
        }))
    }
}

/// The rows so far.
struct Rows {
    name: String,
    /// Of each argument, in pieces.
    columns: Vec<Vec<ArrayRef>>,
    return_type: DataType,
    function: Function,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rows of {}", self.name)
    }
}

impl Rows {
    fn failed(&self, message: impl fmt::Display) -> DataFusionError {
        DataFusionError::Execution(format!("{}: {message}", self.name))
    }
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.columns.iter_mut().zip(values).for_each(|(pieces, piece)| pieces.push(piece.clone()));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let whole = |pieces: &Vec<ArrayRef>| concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>());
        let columns = self.columns.iter().map(whole).collect::<std::result::Result<Vec<_>, _>>()?;
        let value = (self.function)(&columns).map_err(|message| self.failed(message))?;
        if value.len() != 1 || value.data_type() != &self.return_type {
            let found = format!("{} of type {}", value.len(), value.data_type());
            return Err(self.failed(format!("it must give one value of type {}, but gave {found}", self.return_type)));
        }
        ScalarValue::try_from_array(&value, 0)
    }

    fn size(&self) -> usize {
        self.columns.iter().flatten().map(|piece| piece.get_array_memory_size()).sum()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Err(self.failed("it is computed from whole groups"))
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        Err(self.failed("it is computed from whole groups"))
    }
}
