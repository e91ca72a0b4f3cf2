//! From DataFusion's logical plan to operators that are maintained.

mod aggregate;
mod aging;
mod close;
mod expr;
pub(crate) mod finality;
mod group_fn;
mod grouping_sets;
mod join;
pub(crate) mod lookup;
mod panes;
mod recursion;
mod top;
mod unnest;
mod unsupported;
mod window;

use crate::table::{SinkChanges, Table, nullable};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chimera_operators::{NodeId, Operator, Plan, Stage, Term};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue, TableReference};
use datafusion::execution::SessionState;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, Projection, TableScan};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
pub(crate) use unsupported::Unsupported;

/// A node and the names of its columns: one field a column of the node, in its order.
#[derive(Clone)]
struct Lowered {
    node: NodeId,
    schema: DFSchema,
}

/// The columns that a node's reader uses; `None`: all of them, in their order.
type Needed = Option<HashSet<Column>>;

/// A view that is computed once, and which of its columns are.
struct View {
    node: NodeId,
    columns: Vec<usize>,
}

pub(crate) struct Lowering<'a> {
    state: &'a SessionState,
    /// Sources and lookup tables.
    tables: &'a [Table],
    views: BTreeMap<String, View>,
    /// Recursions that are being lowered, and the nodes that stand for their last rounds.
    rounds: Vec<(String, NodeId)>,
    /// Groups by a window are given out when it closes.
    closing: bool,
    plan: Plan,
}

/// Adds the columns that `plan` scans of each relation.
pub(crate) fn columns_read(plan: &LogicalPlan, read: &mut BTreeMap<String, BTreeSet<usize>>) {
    let visited = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let all = || (0..scan.source.schema().fields().len()).collect();
            let columns: Vec<usize> = scan.projection.clone().unwrap_or_else(all);
            read.entry(scan.table_name.table().to_string()).or_default().extend(columns);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    // The visitor never fails.
    debug_assert!(visited.is_ok());
}

/// Column `index` of `plan`, which does no more than compute columns of a source, and the columns that it reads.
pub(crate) fn source_term(state: &SessionState, plan: &LogicalPlan, index: usize) -> Result<(SchemaRef, Term), Unsupported> {
    let own = || Unsupported::new("the time of a table must be computed of its own columns");
    let expr = of_source(plan, index).ok_or_else(own)?;
    let mut scan = plan;
    while !matches!(scan, LogicalPlan::TableScan(_)) {
        scan = scan.inputs().first().copied().ok_or_else(own)?;
    }
    let term = Lowering::new(state, &[]).term(&expr, scan.schema())?;
    Ok((nullable(scan.schema().as_arrow()), term))
}

/// Column `index` of `plan` in terms of the table that it scans.
fn of_source(plan: &LogicalPlan, index: usize) -> Option<Expr> {
    match plan {
        LogicalPlan::TableScan(scan) => Some(Expr::Column(Column::from(scan.projected_schema.qualified_field(index)))),
        LogicalPlan::SubqueryAlias(alias) => of_source(&alias.input, index),
        LogicalPlan::Projection(projection) => {
            let schema = projection.input.schema();
            let expr = projection.expr.get(index)?.clone().unalias();
            let replaced = expr.transform(|expr| match &expr {
                Expr::Column(column) => {
                    let inner = schema.maybe_index_of_column(column).and_then(|index| of_source(&projection.input, index));
                    inner.map(Transformed::yes).ok_or_else(|| DataFusionError::Internal(format!("no column {column}")))
                }
                _ => Ok(Transformed::no(expr)),
            });
            replaced.ok().map(|replaced| replaced.data)
        }
        _ => None,
    }
}

impl<'a> Lowering<'a> {
    pub fn new(state: &'a SessionState, tables: &'a [Table]) -> Self {
        Lowering { state, tables, views: BTreeMap::new(), rounds: vec![], closing: false, plan: Plan::default() }
    }

    /// State of keys that nothing touches for `ttl` nanoseconds is dropped.
    pub fn forgetting(mut self, ttl: Option<i64>) -> Self {
        self.plan.ttl = ttl;
        self
    }

    /// Lowers a view whose columns (of the declared ones) are those of `plan`.
    pub fn view(&mut self, name: &str, columns: BTreeSet<usize>, plan: &LogicalPlan) -> Result<(), Unsupported> {
        let lowered = self.exactly(plan)?;
        self.views.insert(name.to_string(), View { node: lowered.node, columns: columns.into_iter().collect() });
        Ok(())
    }

    /// Lowers a query whose columns are those of `sink`. Rows without a primary key are refused.
    pub fn insert(&mut self, sink: &Table, plan: &LogicalPlan) -> Result<NodeId, Unsupported> {
        self.closing = sink.changes == SinkChanges::Appended;
        let lowered = self.exactly(plan)?;
        let schema = sink.nullable_schema();
        let mut terms = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            terms.push(Term::column(index, field.name(), field.data_type().clone()));
        }
        let not_null: Vec<usize> = (0..schema.fields().len()).filter(|index| !sink.schema.field(*index).is_nullable()).collect();
        let mut stages = vec![Stage::Project { terms, schema: schema.clone() }];
        if !not_null.is_empty() {
            stages.push(Stage::Filter(expr::not_null(&sink.name, &schema, not_null)));
        }
        Ok(self.map(lowered.node, stages, schema))
    }

    /// The finished plan. Several inserts into one sink add up.
    pub fn finish(mut self, sinks: &[Table], results: &BTreeMap<String, Vec<NodeId>>) -> Plan {
        for sink in sinks {
            let Some(nodes) = results.get(&sink.name) else { continue };
            let node = match nodes[..] {
                [node] => node,
                _ => self.plan.add(Operator::Union { inputs: nodes.clone() }, sink.nullable_schema()),
            };
            self.plan.add_sink(&sink.name, node);
        }
        self.plan
    }

    /// Lowers `plan` to a node whose columns are exactly the plan's, in their order.
    fn exactly(&mut self, plan: &LogicalPlan) -> Result<Lowered, Unsupported> {
        let lowered = self.lower(plan, &None)?;
        self.arrange(lowered, plan.schema())
    }

    /// The columns of `schema`, taken from `lowered` by name.
    fn arrange(&mut self, lowered: Lowered, schema: &DFSchema) -> Result<Lowered, Unsupported> {
        let indices = schema.columns().iter().map(|column| find(&lowered.schema, column)).collect::<Result<Vec<_>, _>>()?;
        if indices.iter().copied().eq(0..lowered.schema.fields().len()) {
            return Ok(Lowered { node: lowered.node, schema: schema.clone() });
        }
        let terms = indices.iter().map(|index| column_term(&lowered.schema, *index)).collect();
        let arrow = nullable(schema.as_arrow());
        let node = self.map(lowered.node, vec![Stage::Project { terms, schema: arrow.clone() }], arrow);
        Ok(Lowered { node, schema: schema.clone() })
    }

    fn map(&mut self, input: NodeId, stages: Vec<Stage>, schema: SchemaRef) -> NodeId {
        self.plan.add(Operator::Map { input, stages }, schema)
    }

    fn lower(&mut self, plan: &LogicalPlan, needed: &Needed) -> Result<Lowered, Unsupported> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::SubqueryAlias(alias) => {
                let inner = needed.as_ref().map(|columns| self.through_alias(columns, &alias.schema, alias.input.schema()));
                let lowered = self.lower(&alias.input, &inner)?;
                let lowered = if inner.is_none() { self.arrange(lowered, alias.input.schema())? } else { lowered };
                let schema = requalified(&lowered.schema, alias.input.schema(), &alias.schema)?;
                Ok(Lowered { node: lowered.node, schema })
            }
            LogicalPlan::Filter(filter) => {
                if let LogicalPlan::Window(window) = filter.input.as_ref() {
                    return self.window(window, Some(&filter.predicate), needed);
                }
                let inner = with(needed, [&filter.predicate]);
                let lowered = self.lower(&filter.input, &inner)?;
                self.filter(lowered, &filter.predicate)
            }
            LogicalPlan::Projection(projection) => self.projection(projection, needed),
            LogicalPlan::Window(window) => self.window(window, None, needed),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Join(join) => self.join(join, needed),
            LogicalPlan::Union(union) => {
                let mut inputs = Vec::new();
                for input in &union.inputs {
                    inputs.push(self.exactly(input)?.node);
                }
                let node = self.plan.add(Operator::Union { inputs }, nullable(union.schema.as_arrow()));
                Ok(Lowered { node, schema: union.schema.as_ref().clone() })
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let lowered = self.exactly(input)?;
                let node = self.plan.add(Operator::Distinct { input: lowered.node }, nullable(lowered.schema.as_arrow()));
                Ok(Lowered { node, ..lowered })
            }
            LogicalPlan::Distinct(Distinct::On(_)) => Err(Unsupported::new("DISTINCT ON is not supported")
                .help("number the rows with row_number() OVER (PARTITION BY … ORDER BY …) and keep those with number 1")
                .at("distinct")),
            LogicalPlan::Sort(sort) => match sort.fetch {
                Some(fetch) => self.first_rows(&sort.input, &sort.expr, 0, Some(fetch as u64)),
                // A sink has no order.
                None => self.lower(&sort.input, needed),
            },
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::EmptyRelation(empty) => {
                let rows = if empty.produce_one_row { 1 } else { 0 };
                let arrow = nullable(empty.schema.as_arrow());
                let columns = arrow.fields().iter().map(|field| arrow::array::new_null_array(field.data_type(), rows)).collect();
                self.constant(&arrow, columns, rows, empty.schema.as_ref())
            }
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::Subquery(subquery) => self.lower(&subquery.subquery, needed),
            LogicalPlan::RecursiveQuery(query) => self.recursion(query),
            LogicalPlan::Unnest(unnest) => self.unnest(unnest),
            other => Err(Unsupported::new(format!("this part of the query is not supported: {}", other.display()))),
        }
    }

    fn scan(&mut self, scan: &TableScan) -> Result<Lowered, Unsupported> {
        let name = scan.table_name.table();
        let all = scan.source.schema();
        let (input, held): (NodeId, Vec<usize>) = match (self.round(name), self.views.get(name)) {
            (Some(round), _) => (round, (0..all.fields().len()).collect()),
            (None, Some(view)) => (view.node, view.columns.clone()),
            (None, None) => {
                let table = self.tables.iter().find(|table| table.name == name);
                let table = table.ok_or_else(|| Unsupported::new(format!("there is no table `{name}`")).at(name))?;
                if table.is_lookup() {
                    return Err(lookup::not_joined(name));
                }
                let node =
                    self.plan.add(Operator::Input { table: name.to_string(), append_only: table.append_only }, table.nullable_schema());
                (node, (0..all.fields().len()).collect())
            }
        };
        let columns = scan.projection.clone().unwrap_or_else(|| (0..all.fields().len()).collect());
        let arrow = nullable(scan.projected_schema.as_arrow());
        let node = if columns == held {
            input
        } else {
            let position = |column: &usize| held.iter().position(|held| held == column);
            let term =
                |column: &usize| Some(Term::column(position(column)?, all.field(*column).name(), all.field(*column).data_type().clone()));
            let terms = columns.iter().map(term).collect::<Option<Vec<_>>>();
            let terms = terms.ok_or_else(|| Unsupported::new(format!("view `{name}` lacks a column that is read")))?;
            self.map(input, vec![Stage::Project { terms, schema: arrow.clone() }], arrow)
        };
        let mut lowered = Lowered { node, schema: scan.projected_schema.as_ref().clone() };
        for filter in &scan.filters {
            lowered = self.filter(lowered, filter)?;
        }
        Ok(lowered)
    }

    fn filter(&mut self, lowered: Lowered, predicate: &Expr) -> Result<Lowered, Unsupported> {
        let (timed, plain): (Vec<&Expr>, Vec<&Expr>) = split_conjunction(predicate).into_iter().partition(|expr| aging::names_clock(expr));
        if !timed.is_empty() {
            let plain = conjunction(plain.into_iter().cloned());
            let lowered = plain.map_or(Ok(lowered.clone()), |plain| self.filter(lowered, &plain))?;
            return timed.into_iter().try_fold(lowered, |lowered, condition| self.aging(&lowered, condition));
        }
        let term = self.term(predicate, &lowered.schema)?;
        let arrow = nullable(lowered.schema.as_arrow());
        let node = self.map(lowered.node, vec![Stage::Filter(term)], arrow);
        Ok(Lowered { node, schema: lowered.schema })
    }

    fn projection(&mut self, projection: &Projection, needed: &Needed) -> Result<Lowered, Unsupported> {
        let columns = projection.schema.columns();
        let is_needed = |column: &Column| needed.as_ref().is_none_or(|needed| needed.contains(column));
        let kept: Vec<usize> = (0..columns.len()).filter(|index| is_needed(&columns[*index])).collect();
        let exprs: Vec<&Expr> = kept.iter().map(|index| &projection.expr[*index]).collect();
        let input = self.lower(&projection.input, &with(&Some(HashSet::new()), exprs.iter().copied()))?;
        let terms = exprs.iter().map(|expr| self.term(expr, &input.schema)).collect::<Result<Vec<_>, _>>()?;
        let fields = kept.iter().map(|index| projection.schema.qualified_field(*index));
        let schema = schema_of(fields.map(|(qualifier, field)| (qualifier.cloned(), field.as_ref().clone())))?;
        let arrow = typed(&schema, &terms);
        let node = self.map(input.node, vec![Stage::Project { terms, schema: arrow.clone() }], arrow);
        Ok(Lowered { node, schema })
    }

    fn values(&mut self, values: &datafusion::logical_expr::Values) -> Result<Lowered, Unsupported> {
        let empty = DFSchema::empty();
        let one_row = RecordBatch::try_new_with_options(
            Arc::new(Schema::empty()),
            vec![],
            &arrow::array::RecordBatchOptions::new().with_row_count(Some(1)),
        );
        let one_row = one_row.map_err(|e| Unsupported::new(e.to_string()))?;
        let arrow = nullable(values.schema.as_arrow());
        let mut columns = vec![];
        for (index, field) in arrow.fields().iter().enumerate() {
            let mut scalars = vec![];
            for row in &values.values {
                let term = self.term(&row[index], &empty)?;
                let value = term.function.evaluate(&one_row).map_err(Unsupported::new)?;
                let scalar = ScalarValue::try_from_array(&value, 0).and_then(|scalar| scalar.cast_to(field.data_type()));
                scalars.push(scalar.map_err(|e| Unsupported::new(e.strip_backtrace()))?);
            }
            columns.push(ScalarValue::iter_to_array(scalars).map_err(|e| Unsupported::new(e.strip_backtrace()))?);
        }
        self.constant(&arrow, columns, values.values.len(), values.schema.as_ref())
    }

    fn constant(
        &mut self,
        arrow: &SchemaRef,
        columns: Vec<arrow::array::ArrayRef>,
        rows: usize,
        schema: &DFSchema,
    ) -> Result<Lowered, Unsupported> {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let rows = RecordBatch::try_new_with_options(arrow.clone(), columns, &options).map_err(|e| Unsupported::new(e.to_string()))?;
        let node = self.plan.add(Operator::Constant { rows }, arrow.clone());
        Ok(Lowered { node, schema: schema.clone() })
    }

    /// The inner names of an alias's columns.
    fn through_alias(&self, columns: &HashSet<Column>, outer: &DFSchema, inner: &DFSchema) -> HashSet<Column> {
        let positions = columns.iter().filter_map(|column| outer.maybe_index_of_column(column));
        positions.map(|index| Column::from(inner.qualified_field(index))).collect()
    }
}

/// `needed` and what `exprs` read.
fn with<'e>(needed: &Needed, exprs: impl IntoIterator<Item = &'e Expr>) -> Needed {
    let mut columns = needed.clone()?;
    exprs.into_iter().for_each(|expr| columns.extend(expr.column_refs().into_iter().cloned()));
    Some(columns)
}

/// A column that a node has beside what its query names: part of a key, a number.
fn helper(role: &str, index: usize, data_type: DataType) -> (Option<TableReference>, Field) {
    (None, Field::new(format!("{HELPER}{role}{index}"), data_type, true))
}

const HELPER: &str = "__kept_";

fn is_helper(column: &Column) -> bool {
    column.relation.is_none() && column.name.starts_with(HELPER)
}

/// The position of a column among a node's.
fn find(schema: &DFSchema, column: &Column) -> Result<usize, Unsupported> {
    schema.maybe_index_of_column(column).ok_or_else(|| Unsupported::new(format!("there is no column `{column}`")).at(column.name()))
}

fn column_term(schema: &DFSchema, index: usize) -> Term {
    let field = schema.field(index);
    Term::column(index, field.name(), field.data_type().clone())
}

fn schema_of(fields: impl Iterator<Item = (Option<TableReference>, Field)>) -> Result<DFSchema, Unsupported> {
    let fields = fields.map(|(qualifier, field)| (qualifier, Arc::new(field))).collect();
    DFSchema::new_with_metadata(fields, Default::default()).map_err(|e| Unsupported::new(e.strip_backtrace()))
}

/// The names of `schema` with the types that the terms really have.
fn typed(schema: &DFSchema, terms: &[Term]) -> SchemaRef {
    let fields = schema.fields().iter().zip(terms).map(|(field, term)| Field::new(field.name(), term.data_type.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// `held` (some columns of `inner`, in any order) under the names of `outer`, whose columns are `inner`'s, renamed.
fn requalified(held: &DFSchema, inner: &DFSchema, outer: &DFSchema) -> Result<DFSchema, Unsupported> {
    let mut fields = Vec::new();
    for (index, column) in held.columns().iter().enumerate() {
        let (qualifier, field) = match is_helper(column) {
            true => held.qualified_field(index),
            false => outer.qualified_field(find(inner, column)?),
        };
        fields.push((qualifier.cloned(), field.as_ref().clone()));
    }
    schema_of(fields.into_iter())
}
