//! Expressions as column functions.

use super::{Lowering, Unsupported};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef, TimestampNanosecondType};
use chimera_operators::{ColumnFn, Term};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue};
use datafusion::logical_expr::{Expr, Operator, lit, when};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Literal, NegativeExpr};
use std::sync::Arc;

/// A DataFusion expression.
#[derive(Debug)]
struct Physical(Arc<dyn PhysicalExpr>);

impl ColumnFn for Physical {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, String> {
        let value = self.0.evaluate(batch).and_then(|value| value.into_array(batch.num_rows()));
        value.map_err(|error| message(&error.strip_backtrace()))
    }

    fn describe(&self) -> String {
        self.0.to_string()
    }
}

/// The message without the names of the kinds of errors.
fn message(text: &str) -> String {
    let mut text = text;
    while let Some(rest) =
        ["Arrow error: ", "Execution error: ", "Cast error: ", "Compute error: "].iter().find_map(|kind| text.strip_prefix(kind))
    {
        text = rest;
    }
    text.to_string()
}

impl Lowering<'_> {
    /// `expr` over the columns of `schema`.
    pub(super) fn term(&self, expr: &Expr, schema: &DFSchema) -> Result<Term, Unsupported> {
        let expr = expr.clone().unalias();
        let text = expr.to_string();
        if has_subquery(&expr) {
            return Err(Unsupported::new("a subquery that depends on the row outside in this way is not supported")
                .help("join with the subquery, grouped by what it has in common with the row outside")
                .at("select"));
        }
        let failed = |error: DataFusionError| Unsupported::new(format!("`{text}` cannot be computed here: {}", error.strip_backtrace()));
        let physical = self.state.create_physical_expr(expr, schema).and_then(|expr| checked(expr, schema.as_arrow())).map_err(failed)?;
        let data_type = physical.data_type(schema.as_arrow()).map_err(failed)?;
        Ok(Term::new(Arc::new(Physical(physical)), data_type))
    }

    /// `expr` where `filter` is true, else null.
    pub(super) fn filtered_term(&self, expr: &Expr, filter: Option<&Expr>, schema: &DFSchema) -> Result<Term, Unsupported> {
        match filter {
            None => self.term(expr, schema),
            Some(filter) => {
                let case = when(filter.clone(), expr.clone()).end().map_err(|e| Unsupported::new(e.strip_backtrace()))?;
                self.term(&case, schema)
            }
        }
    }

    /// A term that is 1 where `filter` is true, else null.
    pub(super) fn one_where(&self, filter: &Expr, schema: &DFSchema) -> Result<Term, Unsupported> {
        self.filtered_term(&lit(1i64), Some(filter), schema)
    }
}

/// Numbers that leave their type's range are refused, as PostgreSQL does; DataFusion lets them begin again at the other end.
fn checked(expr: Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let checked = expr.transform_up(|expr| {
        if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
            return Ok(Transformed::yes(Arc::new(binary.clone().with_fail_on_overflow(true))));
        }
        if let Some(negative) = expr.downcast_ref::<NegativeExpr>()
            && let data_type = negative.arg().data_type(schema)?
            && data_type.is_signed_integer()
        {
            let zero = Arc::new(Literal::new(ScalarValue::new_zero(&data_type)?));
            let difference = BinaryExpr::new(zero, Operator::Minus, negative.arg().clone());
            return Ok(Transformed::yes(Arc::new(difference.with_fail_on_overflow(true))));
        }
        Ok(Transformed::no(expr))
    })?;
    Ok(checked.data)
}

/// The nanosecond after the time that `term` yields.
pub(super) fn just_after(term: Term) -> Term {
    let data_type = term.data_type.clone();
    Term::new(Arc::new(JustAfter(term)), data_type)
}

#[derive(Debug)]
struct JustAfter(Term);

impl ColumnFn for JustAfter {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, String> {
        let times = self.0.function.evaluate(batch)?;
        let times = times.as_primitive_opt::<TimestampNanosecondType>().ok_or("a session needs a TIMESTAMP")?;
        Ok(Arc::new(times.unary::<_, TimestampNanosecondType>(|time| time.saturating_add(1))))
    }

    fn describe(&self) -> String {
        format!("after {}", self.0.function.describe())
    }
}

fn has_subquery(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(matches!(expr, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_)))).unwrap_or(false)
}

/// A condition that refuses rows with a null in one of `columns`.
pub(super) fn not_null(sink: &str, schema: &SchemaRef, columns: Vec<usize>) -> Term {
    let names = columns.iter().map(|column| schema.field(*column).name().clone()).collect();
    Term::new(Arc::new(NotNull { sink: sink.to_string(), columns, names }), DataType::Boolean)
}

#[derive(Debug)]
struct NotNull {
    sink: String,
    columns: Vec<usize>,
    names: Vec<String>,
}

impl ColumnFn for NotNull {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, String> {
        for (column, name) in self.columns.iter().zip(&self.names) {
            if batch.column(*column).logical_null_count() > 0 {
                return Err(format!("column `{name}` of sink `{}` must not be null", self.sink));
            }
        }
        Ok(Arc::new(BooleanArray::from(vec![true; batch.num_rows()])))
    }

    fn describe(&self) -> String {
        format!("{} not null", self.names.join(", "))
    }
}
