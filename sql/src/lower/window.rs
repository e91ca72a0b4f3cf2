//! Window functions in general: DataFusion's own evaluation, over all rows of each partition that changes.

use super::finality::is_session;
use super::{Lowered, Lowering, Needed, Unsupported, column_term, helper, is_helper, schema_of, top, with};
use crate::table::nullable;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Field, SchemaRef};
use chimera_operators::{Operator, PartitionFn};
use datafusion::common::{Column, DFSchema};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Window};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_planner::create_window_expr;
use std::collections::HashSet;
use std::sync::Arc;

/// Window functions that see their rows in one order, by their place in the plan's node.
struct Group<'e> {
    partition_by: &'e [Expr],
    order_by: &'e [Sort],
    members: Vec<usize>,
}

impl Lowering<'_> {
    /// A window and, if there is one, the condition right above it. Numbers alone are kept by an operator of their own.
    pub(super) fn window(&mut self, window: &Window, predicate: Option<&Expr>, needed: &Needed) -> Result<Lowered, Unsupported> {
        if self.closing && window.window_expr.iter().all(is_session) {
            let lowered = self.closed_sessions(window, needed)?;
            return match predicate {
                Some(predicate) => self.filter(lowered, predicate),
                None => Ok(lowered),
            };
        }
        let own: Vec<Column> = (window.input.schema().fields().len()..window.schema.fields().len())
            .map(|index| Column::from(window.schema.qualified_field(index)))
            .collect();
        let all = || window.schema.columns().into_iter().collect::<HashSet<_>>();
        let needed = with(&Some(needed.clone().unwrap_or_else(all)), predicate);
        let mut inner = with(&needed, &window.window_expr);
        if let Some(columns) = &mut inner {
            columns.retain(|column| !own.contains(column));
        }
        let calls = window.window_expr.iter().map(call).collect::<Result<Vec<_>, _>>()?;
        let input = self.lower(&window.input, &inner)?;
        let numberings: Option<Vec<_>> = calls.iter().map(|call| top::numbering(call)).collect();
        let lowered = match numberings {
            Some(numberings) => self.numbered(input, &calls, &numberings, &own, predicate)?,
            None => self.computed(input, &window.window_expr, &calls, &own)?,
        };
        match predicate {
            Some(predicate) => self.filter(lowered, predicate),
            None => Ok(lowered),
        }
    }

    /// The rows of `input` with their sessions, which come last.
    pub(super) fn sessions(&mut self, window: &Window, input: Lowered) -> Result<Lowered, Unsupported> {
        let first = window.input.schema().fields().len();
        let own = [Column::from(window.schema.qualified_field(first))];
        let calls = window.window_expr.iter().map(call).collect::<Result<Vec<_>, _>>()?;
        self.computed(input, &window.window_expr, &calls, &own)
    }

    fn computed(&mut self, input: Lowered, exprs: &[Expr], calls: &[&WindowFunction], own: &[Column]) -> Result<Lowered, Unsupported> {
        let mut groups: Vec<Group<'_>> = vec![];
        for (index, call) in calls.iter().enumerate() {
            let (partition_by, order_by) = (&call.params.partition_by[..], &call.params.order_by[..]);
            match groups.iter_mut().find(|group| group.partition_by == partition_by && group.order_by == order_by) {
                Some(group) => group.members.push(index),
                None => groups.push(Group { partition_by, order_by, members: vec![index] }),
            }
        }
        let mut lowered = input;
        for group in groups {
            lowered = self.group(lowered, &group, exprs, own)?;
        }
        Ok(lowered)
    }

    fn group(&mut self, input: Lowered, group: &Group<'_>, exprs: &[Expr], own: &[Column]) -> Result<Lowered, Unsupported> {
        let partition = group.partition_by.iter().map(|expr| self.term(expr, &input.schema)).collect::<Result<Vec<_>, _>>()?;
        let (mut fields, mut order) = (vec![], vec![]);
        // Columns that the order holds already.
        let mut held = HashSet::new();
        for (index, sort) in group.order_by.iter().enumerate() {
            let options = SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first };
            let term = self.term(&sort.expr, &input.schema)?.ordered(options);
            let column = match &sort.expr {
                Expr::Column(column) => input.schema.maybe_index_of_column(column).filter(|index| held.insert(*index)),
                _ => None,
            };
            fields.push(match column {
                Some(column) => qualified(&input.schema, column),
                None => helper("order", index, term.data_type.clone()),
            });
            order.push(term);
        }
        let mut value = vec![];
        let columns = input.schema.columns();
        for index in (0..columns.len()).filter(|index| !held.contains(index) && !is_helper(&columns[*index])) {
            fields.push(qualified(&input.schema, index));
            value.push(column_term(&input.schema, index));
        }
        let function = Functions::new(self, &group.members, exprs, &schema_of(fields.iter().cloned())?)?;
        for (member, data_type) in group.members.iter().zip(function.output_types()) {
            fields.push((own[*member].relation.clone(), Field::new(own[*member].name(), data_type, true)));
        }
        let schema = schema_of(fields.into_iter())?;
        let operator = Operator::Window { input: input.node, partition, order, value, function: Arc::new(function) };
        let node = self.plan.add(operator, nullable(schema.as_arrow()));
        Ok(Lowered { node, schema })
    }
}

fn qualified(schema: &DFSchema, index: usize) -> (Option<datafusion::common::TableReference>, Field) {
    let (qualifier, field) = schema.qualified_field(index);
    (qualifier.cloned(), field.as_ref().clone().with_nullable(true))
}

fn call(expr: &Expr) -> Result<&WindowFunction, Unsupported> {
    match expr {
        Expr::Alias(alias) => call(&alias.expr),
        Expr::WindowFunction(call) => Ok(call),
        other => Err(Unsupported::new(format!("`{other}` is not a window function"))),
    }
}

/// DataFusion's window functions over the rows of one partition.
#[derive(Debug)]
struct Functions {
    schema: SchemaRef,
    functions: Vec<Arc<dyn WindowExpr>>,
    types: Vec<DataType>,
    text: String,
}

impl Functions {
    /// `schema` is that of the partition's rows.
    fn new(lowering: &Lowering<'_>, members: &[usize], exprs: &[Expr], schema: &DFSchema) -> Result<Self, Unsupported> {
        let (mut functions, mut types, mut texts) = (vec![], vec![], vec![]);
        for member in members {
            let call = call(&exprs[*member])?;
            let name = call.fun.name();
            let failed = |e: DataFusionError| {
                Unsupported::new(format!("window function `{name}` cannot be computed: {}", e.strip_backtrace())).at(name)
            };
            let expr = Expr::WindowFunction(Box::new(call.clone()));
            let context = PhysicalPlanningContext::default();
            let function = create_window_expr(&expr, schema, lowering.state.execution_props(), &context).map_err(failed)?;
            types.push(function.field().map_err(failed)?.data_type().clone());
            functions.push(function);
            texts.push(expr.to_string());
        }
        Ok(Functions { schema: nullable(schema.as_arrow()), functions, types, text: texts.join(", ") })
    }
}

impl PartitionFn for Functions {
    fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>, String> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns.to_vec(), &options).map_err(|e| e.to_string())?;
        let evaluated = self.functions.iter().zip(&self.types).map(|(function, data_type)| {
            let column = function.evaluate(&batch).map_err(|e| e.strip_backtrace())?;
            if column.data_type() == data_type { Ok(column) } else { cast(&column, data_type).map_err(|e| e.to_string()) }
        });
        evaluated.collect()
    }

    fn output_types(&self) -> Vec<DataType> {
        self.types.clone()
    }

    fn describe(&self) -> String {
        self.text.clone()
    }
}
