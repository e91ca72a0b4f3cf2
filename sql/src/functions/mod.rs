//! Functions and aggregates beside DataFusion's. One file each, one line in [`Functions::new`].

/// Of a function in the place of `self.inner`, called as that is.
macro_rules! as_inner {
    () => {
        fn name(&self) -> &str {
            self.inner.name()
        }

        fn aliases(&self) -> &[String] {
            self.inner.aliases()
        }

        fn signature(&self) -> &datafusion::logical_expr::Signature {
            self.inner.signature()
        }

        fn return_type(&self, arg_types: &[arrow::datatypes::DataType]) -> datafusion::common::Result<arrow::datatypes::DataType> {
            self.inner.return_type(arg_types)
        }

        fn coerce_types(&self, arg_types: &[arrow::datatypes::DataType]) -> datafusion::common::Result<Vec<arrow::datatypes::DataType>> {
            self.inner.coerce_types(arg_types)
        }
    };
}

mod aggregate;
pub(crate) mod asof;
mod bounded;
pub(crate) mod clock;
mod extract_json;
mod extract_json_string;
pub(crate) mod hop;
mod json;
pub(crate) mod json_get;
mod json_object;
mod json_path;
mod max_by;
pub(crate) mod session;
mod to_char;
pub mod udf;
pub(crate) mod window;

use bounded::bounded;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::{AggregateUDF, ColumnarValue, ScalarUDF, Signature, Volatility, create_udf};
use std::sync::Arc;

/// The body of a scalar function: columns of equal length to one column of that length, or why not. It must be deterministic:
/// a deleted row is found again by computing it once more.
pub type Function = Arc<dyn Fn(&[ArrayRef]) -> Result<ArrayRef, String> + Send + Sync>;

/// The functions that programs may call: built-ins, and what [`register`](Functions::register) adds.
#[derive(Clone, Debug)]
pub struct Functions {
    scalars: Vec<Arc<ScalarUDF>>,
    aggregates: Vec<Arc<AggregateUDF>>,
}

impl Default for Functions {
    fn default() -> Self {
        Self::new()
    }
}

/// What takes the place of functions of DataFusion, wherever SQL is run.
pub fn replacements() -> Vec<ScalarUDF> {
    let mut functions = bounded();
    functions.push(to_char::to_char());
    functions
}

impl Functions {
    /// The built-ins.
    pub fn new() -> Self {
        let mut functions = Functions { scalars: vec![], aggregates: vec![] };
        replacements().into_iter().for_each(|function| functions.add(function));
        functions.add(asof::function());
        functions.add(extract_json::function());
        functions.add(extract_json_string::function());
        functions.add(hop::function());
        functions.add(json::function());
        functions.add(json_get::function(false));
        functions.add(json_get::function(true));
        functions.add(json_object::function());
        functions.add(session::function());
        functions.add_aggregate(max_by::max_by());
        functions.add_aggregate(max_by::min_by());
        udf::register(&mut functions);
        functions
    }

    /// Adds `name(arg_types…)` → `return_type`; replaces a function of that name.
    pub fn register(&mut self, name: &str, arg_types: Vec<DataType>, return_type: DataType, function: Function) {
        self.add(scalar(name, arg_types, return_type, function));
    }

    /// Adds an aggregate `name(arg_types…)` → `return_type`; replaces one of that name. Its body gets the arguments in all rows of a
    /// group (or in none) and gives one value. It runs again whenever a row of the group comes, goes or changes.
    pub fn register_aggregate(&mut self, name: &str, arg_types: Vec<DataType>, return_type: DataType, function: Function) {
        let signature = Signature::exact(arg_types, Volatility::Immutable);
        self.add_aggregate(aggregate::of_all_rows(name, signature, move |_| return_type.clone(), function));
    }

    fn add_aggregate(&mut self, aggregate: AggregateUDF) {
        self.aggregates.retain(|known| known.name() != aggregate.name());
        self.aggregates.push(Arc::new(aggregate));
    }

    fn add(&mut self, function: ScalarUDF) {
        self.scalars.retain(|known| known.name() != function.name());
        self.scalars.push(Arc::new(function));
    }

    pub(crate) fn aggregates(&self) -> &[Arc<AggregateUDF>] {
        &self.aggregates
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
