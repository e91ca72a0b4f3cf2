//! Scalar functions beside DataFusion's. One file a function, one line in [`Functions::new`].

mod extract_json;
mod extract_json_string;
pub(crate) mod hop;
mod json;
mod json_object;
mod json_path;
pub(crate) mod session;
pub(crate) mod window;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use std::sync::Arc;

/// The body of a scalar function: columns of equal length to one column of that length, or why not. It must be deterministic:
/// a deleted row is found again by computing it once more.
pub type Function = Arc<dyn Fn(&[ArrayRef]) -> Result<ArrayRef, String> + Send + Sync>;

/// The functions that programs may call: built-ins, and what [`register`](Functions::register) adds.
#[derive(Clone, Debug)]
pub struct Functions {
    scalars: Vec<Arc<ScalarUDF>>,
}

impl Default for Functions {
    fn default() -> Self {
        Self::new()
    }
}

impl Functions {
    /// The built-ins.
    pub fn new() -> Self {
        let mut functions = Functions { scalars: vec![] };
        functions.add(extract_json::function());
        functions.add(extract_json_string::function());
        functions.add(hop::function());
        functions.add(json::function());
        functions.add(json_object::function());
        functions.add(session::function());
        functions
    }

    /// Adds `name(arg_types…)` → `return_type`; replaces a function of that name.
    pub fn register(&mut self, name: &str, arg_types: Vec<DataType>, return_type: DataType, function: Function) {
        self.add(scalar(name, arg_types, return_type, function));
    }

    fn add(&mut self, function: ScalarUDF) {
        self.scalars.retain(|known| known.name() != function.name());
        self.scalars.push(Arc::new(function));
    }

    pub(crate) fn scalars(&self) -> &[Arc<ScalarUDF>] {
        &self.scalars
    }
}

/// A DataFusion function around a function of arrays.
fn scalar(name: &str, arg_types: Vec<DataType>, return_type: DataType, function: Function) -> ScalarUDF {
    let (called, declared) = (name.to_string(), return_type.clone());
    let body = move |args: &[ColumnarValue]| {
        let is_constant = args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(args)?;
        let rows = arrays.first().map_or(1, |array| array.len());
        let result = function(&arrays).map_err(|message| DataFusionError::Execution(format!("{called}: {message}")))?;
        if result.len() != rows || result.data_type() != &declared {
            return Err(DataFusionError::Execution(format!(
                "{called} must give {rows} values of type {declared}, but gave {} of type {}",
                result.len(),
                result.data_type()
            )));
        }
        if is_constant && rows == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    };
    create_udf(name, arg_types, return_type, Volatility::Immutable, Arc::new(body))
}
