//! A view as a program of its own: its columns and its key come from its query.

mod key;

use super::{Context, Mode, Planner, Program, ProgramText, Relation, SqlFunctions, declare};
use crate::dialect::{self, Name, StatementKind, ViewStatement};
use crate::error::Error;
use crate::functions::Functions;
use crate::table::{SinkChanges, Table, nullable};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::common::Column;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::sql::sqlparser::ast::Query;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The column that is added to a view whose rows have no key: how many equal ones there are.
const COPIES: &str = "copies";

impl Program {
    /// The program that keeps the view that `text`, a CREATE MATERIALIZED VIEW, declares, as a sink of the view's name.
    ///
    /// `sources` is a text of CREATE TABLE: what may be read, beside `views`, which are other such statements under the names that they
    /// are read by, each after those that it reads itself. Their queries take the place of their names.
    ///
    /// The key of the view is what its query groups by or the keys of the tables that it joins, where those are among its columns. Else all
    /// columns are the key, and a column `copies` says how many equal rows there are.
    pub fn view(text: &str, views: &[(String, String)], sources: &str, functions: &Functions) -> Result<Program, Error> {
        let view = ViewStatement::parse(text)?;
        let read = views.iter().map(|(_, text)| ViewStatement::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let tables = declare::tables(sources, &dialect::parse(sources)?, &Mode::Stores)?.sources;
        let mut planner = Planner {
            sql: text,
            statements: std::slice::from_ref(&view.statement),
            context: Context::new(functions),
            functions: SqlFunctions::default(),
            sources: tables,
            sinks: vec![],
            lookups: vec![],
            memory: vec![],
            is_script: false,
            read: BTreeMap::new(),
            arroyo_refuses: vec![],
        };
        planner.declare_sources();
        for ((name, text), view) in views.iter().zip(&read) {
            (planner.sql, planner.statements) = (text, std::slice::from_ref(&view.statement));
            let (_, plan) = planner.view_of(view)?;
            let relation = Relation::inlined(nullable(plan.schema().as_arrow()), plan);
            planner.context.relations.insert(name.clone(), Arc::new(relation));
        }
        (planner.sql, planner.statements) = (text, std::slice::from_ref(&view.statement));
        let (name, plan) = planner.view_of(&view)?;
        let StatementKind::View { query, .. } = &view.statement.kind else { return Err(planner.error(name.at, "it is no view")) };
        let text = ProgramText::View { statement: text.to_owned(), views: views.to_vec(), sources: sources.to_owned() };
        planner.keep(&name, query, plan, text)
    }
}

impl Planner<'_> {
    fn view_of(&self, view: &ViewStatement) -> Result<(Name, LogicalPlan), Error> {
        let StatementKind::View { name, columns, query } = &view.statement.kind else {
            return Err(self.error(view.statement.at, "it is no view"));
        };
        let plan = self.query(0, query)?;
        let plan = self.with_plain_names(plan, columns.is_empty())?;
        Ok((name.clone(), self.with_columns(0, name, columns, plan)?))
    }

    /// Columns that are named by their expression are named by its function, as PostgreSQL does.
    fn with_plain_names(&self, plan: LogicalPlan, is_final: bool) -> Result<LogicalPlan, Error> {
        let names = plan.schema().field_names();
        let plain = |name: &str| name.split_once('(').map(|(function, _)| function.to_string()).filter(|function| is_name(function));
        if !is_final || plan.schema().fields().iter().all(|field| plain(field.name()).is_none()) {
            return Ok(plan);
        }
        let mut seen = BTreeSet::new();
        let mut exprs: Vec<Expr> = Vec::with_capacity(names.len());
        for (qualifier, field) in plan.schema().iter() {
            let expr = col(Column::from((qualifier, field)));
            // The second of one function keeps its long name.
            let name = plain(field.name()).filter(|name| seen.insert(name.clone()));
            exprs.push(match name {
                Some(name) => expr.alias(name),
                None => expr,
            });
        }
        LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(|e| self.plan_error(0, &e))
    }

    /// The program whose one sink is `plan`.
    fn keep(mut self, name: &Name, query: &Query, plan: LogicalPlan, text: ProgramText) -> Result<Program, Error> {
        let is_keyed = |table: &str| {
            let table = self.sources.iter().find(|source| source.name == table)?;
            // A topic of events may bring one twice, whatever their table calls its key.
            table.is_changelog().then(|| table.primary_key.clone())
        };
        let key = key::of(&plan, &is_keyed);
        let counts_copies = key.is_none();
        let (plan, key) = match key {
            Some(key) => (plan, key),
            None => self.counted(name, plan)?,
        };
        let mut fields = Vec::with_capacity(plan.schema().fields().len());
        for (index, field) in plan.schema().fields().iter().enumerate() {
            let data_type = column_type(field.data_type()).ok_or_else(|| {
                let message =
                    format!("column {} (`{}`) is of type {}, which a view cannot keep", index + 1, field.name(), field.data_type());
                let at = super::insert::item_place(query, index).unwrap_or(name.at);
                self.error(at, message).with_help("CAST it to another type, or select a part of it")
            })?;
            fields.push(Field::new(field.name(), data_type, true));
        }
        // At most one row: any column tells it from others.
        let key = if key.is_empty() { vec![0] } else { key };
        self.sinks.push(Table {
            name: name.text.clone(),
            primary_key: key.iter().map(|index| fields[*index].name().clone()).collect(),
            schema: Arc::new(Schema::new(fields)),
            options: BTreeMap::from([("connector".into(), "view".into()), ("type".into(), "sink".into())]),
            metadata: BTreeMap::new(),
            event_time: None,
            has_arrival: false,
            changes: SinkChanges::Keyed,
            append_only: false,
        });
        let plan = self.insert(0, name, &[], query, plan)?;
        let plan = self.lower(vec![], vec![(0, name.text.clone(), plan)], None)?;
        self.sources.retain(|source| plan.input_schema(&source.name).is_some());
        let Planner { sources, sinks, read, arroyo_refuses, .. } = self;
        Ok(Program {
            sources,
            sinks,
            lookups: vec![],
            counts_copies,
            plan: Arc::new(plan),
            text: Arc::new(text),
            read,
            times: vec![],
            arroyo_refuses,
        })
    }

    /// Equal rows as one, with their number.
    fn counted(&self, name: &Name, plan: LogicalPlan) -> Result<(LogicalPlan, Vec<usize>), Error> {
        let columns = plan.schema().columns();
        if columns.iter().any(|column| column.name == COPIES) {
            let message =
                format!("the rows of view `{}` have no key, and their number cannot be told: a column is named `{COPIES}`", name.text);
            return Err(self.error(name.at, message).with_help("give that column another name with AS"));
        }
        let group: Vec<Expr> = columns.iter().cloned().map(Expr::Column).collect();
        let rows = count(lit(1_i64));
        let named = col(Column::from_name(rows.schema_name().to_string())).alias(COPIES);
        let counted = LogicalPlanBuilder::from(plan)
            .aggregate(group.clone(), [rows])
            .and_then(|plan| plan.project(group.into_iter().chain([named])))
            .and_then(LogicalPlanBuilder::build)
            .map_err(|e| self.plan_error(0, &e))?;
        Ok((counted, (0..columns.len()).collect()))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The type that a view keeps a query's column in; `None`: none would hold it.
fn column_type(data_type: &DataType) -> Option<DataType> {
    use DataType::*;
    Some(match data_type {
        Boolean | Int16 | Int32 | Int64 | Float32 | Float64 | Utf8 | Binary | Date32 | Decimal128(..) => data_type.clone(),
        Int8 | UInt8 => Int16,
        UInt16 => Int32,
        UInt32 | UInt64 => Int64,
        Float16 => Float32,
        LargeUtf8 | Utf8View | Null => Utf8,
        LargeBinary | BinaryView => Binary,
        Timestamp(_, None) => Timestamp(TimeUnit::Nanosecond, None),
        Decimal256(_, scale) if (0..=38).contains(scale) => Decimal128(38, *scale),
        List(item) if column_type(item.data_type()).as_ref() == Some(item.data_type()) => data_type.clone(),
        _ => return None,
    })
}
