//! What DataFusion's planner asks for while it reads a query: tables, views and functions.

use crate::functions::{Functions, json_get};
use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::common::{Constraint, Constraints, DataFusionError, Result, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF};
use datafusion::optimizer::Optimizer;
use datafusion::prelude::SessionConfig;
use datafusion::sql::sqlparser::ast::DataType as SqlType;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A relation that queries may name.
#[derive(Debug)]
pub(crate) struct Relation {
    pub schema: SchemaRef,
    /// A view that is read once is planned as a part of its reader.
    pub inlined: Option<LogicalPlan>,
    constraints: Constraints,
}

impl Relation {
    pub fn new(schema: SchemaRef, primary_key: &[String]) -> Self {
        let index = |name: &String| schema.index_of(name).ok();
        let key: Option<Vec<usize>> = primary_key.iter().map(index).collect();
        let key = key.filter(|key| !key.is_empty()).map(Constraint::PrimaryKey);
        Relation { schema, inlined: None, constraints: Constraints::new_unverified(key.into_iter().collect()) }
    }

    pub fn inlined(schema: SchemaRef, plan: LogicalPlan) -> Self {
        Relation { schema, inlined: Some(plan), constraints: Constraints::default() }
    }
}

impl TableSource for Relation {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.constraints)
    }

    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        self.inlined.as_ref().map(Cow::Borrowed)
    }
}

/// The planner's surroundings: DataFusion's functions and ours, and the relations declared so far.
pub(crate) struct Context {
    pub state: SessionState,
    pub relations: BTreeMap<String, Arc<Relation>>,
}

/// Rules that would push work into a scan that never runs, or that rewrite what we maintain better ourselves.
const RULES_LEFT_OUT: [&str; 2] = ["push_down_limit", "single_distinct_aggregation_to_group_by"];

impl Context {
    pub fn new(functions: &Functions) -> Self {
        let mut config = SessionConfig::new();
        let options = config.options_mut();
        options.sql_parser.map_string_types_to_utf8view = false;
        options.sql_parser.collect_spans = true;
        options.optimizer.enable_physical_uncorrelated_scalar_subquery = false;
        options.optimizer.skip_failed_rules = false;
        options.execution.time_zone = Some("UTC".into());
        let rules = Optimizer::new().rules.into_iter().filter(|rule| !RULES_LEFT_OUT.contains(&rule.name())).collect();
        let mut builder = SessionStateBuilder::new().with_config(config).with_default_features().with_optimizer_rules(rules);
        builder.scalar_functions().get_or_insert_default().extend(functions.scalars().iter().cloned());
        builder.expr_planners().get_or_insert_default().push(Arc::new(json_get::Operators));
        builder.aggregate_functions().get_or_insert_default().extend(functions.aggregates().iter().cloned());
        Context { state: builder.build(), relations: BTreeMap::new() }
    }
}

impl ContextProvider for Context {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let relation = match name.schema() {
            None => self.relations.get(name.table()),
            Some(schema) => self.relations.get(&format!("{schema}.{}", name.table())),
        };
        let relation = relation.ok_or_else(|| DataFusionError::Plan(format!("there is no table or view `{name}`")))?;
        Ok(relation.clone())
    }

    fn create_cte_work_table(&self, _: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>> {
        Ok(Arc::new(Relation::new(schema, &[])))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(Types))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}

/// Types that DataFusion does not know: as in CREATE TABLE, they are text.
#[derive(Debug)]
struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let is_text = matches!(sql_type, SqlType::Uuid | SqlType::JSON | SqlType::JSONB);
        Ok(is_text.then(|| Arc::new(Field::new("", DataType::Utf8, true))))
    }
}
