//! DataFusion's aggregates over all rows of a group.

use super::Unsupported;
use super::aggregate::numbered_schema;
use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow::compute::{filter, prep_null_mask_filter, take};
use arrow::datatypes::DataType;
use chimera_operators::{Codec, Encoding, GroupFn};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{Column, Literal};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// One aggregate and where its arguments are among the group's columns.
#[derive(Debug)]
pub(super) struct Member {
    function: Arc<AggregateFunctionExpr>,
    args: Range<usize>,
    filter: Option<usize>,
    /// Equal arguments count once.
    is_distinct: bool,
    types: Vec<DataType>,
    text: String,
}

impl Member {
    pub fn new(call: &AggregateFunction, args: Range<usize>, types: &[DataType], filter: Option<usize>) -> Result<Self, Unsupported> {
        let schema = numbered_schema(types);
        let exprs = call.params.args.iter().enumerate().map(|(index, arg)| argument(arg, index)).collect();
        let builder = AggregateExprBuilder::new(call.func.clone(), exprs).schema(schema).alias(call.func.name());
        let builder = builder.with_ignore_nulls(call.params.null_treatment == Some(NullTreatment::IgnoreNulls));
        let failed = |e: DataFusionError| {
            Unsupported::new(format!("`{}` cannot be computed: {}", call.func.name(), e.strip_backtrace())).at(call.func.name())
        };
        let function = Arc::new(builder.build().map_err(failed)?);
        // Fails now rather than on the first row.
        function.create_accumulator().map_err(failed)?;
        let text = Expr::AggregateFunction(call.clone()).to_string();
        Ok(Member { function, args, filter, is_distinct: call.params.distinct, types: types.to_vec(), text })
    }

    fn evaluate(&self, columns: &[ArrayRef]) -> Result<ArrayRef, String> {
        let mut args: Vec<ArrayRef> = columns[self.args.clone()].to_vec();
        let failed = |e: DataFusionError| e.strip_backtrace();
        if let Some(mask) = self.filter {
            let mask = columns[mask].as_any().downcast_ref::<BooleanArray>().ok_or("a FILTER must be a condition")?;
            let mask = if mask.null_count() > 0 { prep_null_mask_filter(mask) } else { mask.clone() };
            args = args.iter().map(|arg| filter(arg, &mask)).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        }
        if self.is_distinct {
            args = self.distinct(args)?;
        }
        let mut accumulator = self.function.create_accumulator().map_err(failed)?;
        if args.first().is_some_and(|arg| !arg.is_empty()) {
            accumulator.update_batch(&args).map_err(failed)?;
        }
        let value = accumulator.evaluate().and_then(|value| value.to_array()).map_err(failed)?;
        let expected = self.function.field();
        if value.data_type() == expected.data_type() {
            return Ok(value);
        }
        arrow::compute::cast(&value, expected.data_type()).map_err(|e| e.to_string())
    }

    /// The first of each set of equal arguments.
    fn distinct(&self, args: Vec<ArrayRef>) -> Result<Vec<ArrayRef>, String> {
        let codec = Codec::new(self.types.iter().cloned().map(Encoding::compact).collect()).map_err(|e| e.to_string())?;
        let rows = codec.encode(&args)?;
        let mut seen = HashSet::new();
        let first = (0..rows.len()).filter(|row| seen.insert(rows.get(*row)));
        let first: UInt32Array = first.map(|row| row as u32).collect();
        args.iter().map(|arg| take(arg, &first, None)).collect::<Result<_, _>>().map_err(|e| e.to_string())
    }
}

/// Constants stay constants: some aggregates (a separator, a percentile) want them at planning time.
fn argument(arg: &Expr, index: usize) -> Arc<dyn PhysicalExpr> {
    match arg {
        Expr::Literal(value, _) => Arc::new(Literal::new(value.clone())),
        _ => Arc::new(Column::new(&format!("c{index}"), index)),
    }
}

/// Several aggregates over the same rows.
#[derive(Debug)]
pub(super) struct GroupAggregates {
    members: Vec<Member>,
}

impl GroupAggregates {
    pub fn new(members: Vec<Member>) -> Self {
        GroupAggregates { members }
    }
}

impl GroupFn for GroupAggregates {
    fn evaluate(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
        self.members.iter().map(|member| member.evaluate(columns)).collect()
    }

    fn output_types(&self) -> Vec<DataType> {
        self.members.iter().map(|member| member.function.field().data_type().clone()).collect()
    }

    fn describe(&self) -> String {
        self.members.iter().map(|member| member.text.as_str()).collect::<Vec<_>>().join(", ")
    }
}
